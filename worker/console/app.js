// The page: its frame, and which part of it is shown.

import { Config } from "./config.js";
import { useToken, watch } from "./connection.js";
import { Devices } from "./devices.js";
import { Explain } from "./explain.js";
import { time } from "./format.js";
import { choose, language, t } from "./language.js";
import { Messages } from "./messages.js";
import { Models } from "./models.js";
import { Overview } from "./overview.js";
import { html, render, useEffect, useState } from "./vendor/preact.js";

const THEME = "edgemodel.theme";
const PAGES = ["overview", "models", "devices", "messages", "why", "config"];

const applyTheme = (theme) => {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
};

/** The name in an address, which anyone may have written. */
const decoded = (name) => {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};

const route = () => {
  const [, page, only] = location.hash.split("/");
  return { page: PAGES.includes(page) ? page : "overview", only: only && decoded(only) };
};

const Health = ({ view }) => {
  const { state, lostSince } = view;
  if (lostSince) return html`<span class="pill bad">${t("lost", { time: time(lostSince) })}</span>`;
  if (!state) return html`<span class="pill warn">${t("connecting")}</span>`;
  if (state.stopping) return html`<span class="pill warn">${t("stopping")}</span>`;
  return html`<span class=${`pill ${state.ready ? "good" : "bad"}`}>${t(state.ready ? "ready" : "not.ready")}</span>`;
};

const Choice = ({ label, value, options, onChoose }) => html`<select
  aria-label=${label}
  value=${value}
  onChange=${(event) => onChoose(event.target.value)}
>
  ${options.map(([name, text]) => html`<option value=${name} selected=${name === value}>${text}</option>`)}
</select>`;

const Login = () => {
  const submit = (event) => {
    event.preventDefault();
    useToken(new FormData(event.target).get("token"));
    dispatchEvent(new Event("edgemodel-token"));
  };
  return html`<section>
    <h2>${t("login")}</h2>
    <form onSubmit=${submit}>
      <label for="token">${t("login.token")}</label>
      <input id="token" name="token" type="password" autocomplete="off" required />
      <p><button class="main" type="submit">${t("login.go")}</button></p>
    </form>
  </section>`;
};

const Content = ({ view, where }) => {
  if (view.denied) return html`<${Login} />`;
  if (where.page === "why") return html`<${Explain} />`;
  if (where.page === "config") return html`<${Config} />`;
  if (!view.state) return html`<section><p>${t("connecting")}</p></section>`;
  if (where.page === "models") return html`<${Models} state=${view.state} only=${where.only} />`;
  if (where.page === "devices") return html`<${Devices} state=${view.state} only=${where.only} />`;
  if (where.page === "messages") return html`<${Messages} state=${view.state} exchanges=${view.exchanges} only=${where.only} />`;
  return html`<${Overview} state=${view.state} before=${view.before} history=${view.history} />`;
};

const App = () => {
  const [view, setView] = useState({ history: [] });
  const [where, setWhere] = useState(route());
  const [theme, setTheme] = useState(localStorage.getItem(THEME) ?? "auto");
  const [words, setWords] = useState(language());
  useEffect(() => {
    watch(setView);
    addEventListener("hashchange", () => setWhere(route()));
  }, []);
  const useTheme = (name) => {
    localStorage.setItem(THEME, name);
    applyTheme(name);
    setTheme(name);
  };
  const useWords = (name) => {
    choose(name);
    setWords(name);
  };
  document.title = `edgemodel · ${t(where.page)}`;
  return html`
    <header>
      <h1>edgemodel <small class="soft">${view.state?.version}</small></h1>
      <nav aria-label=${t("pages")}>
        ${PAGES.map((page) => html`<a href=${`#/${page}`} aria-current=${page === where.page ? "page" : null}>${t(page)}</a>`)}
      </nav>
      <span class="spring"></span>
      <span role="status"><${Health} view=${view} /></span>
      <${Choice} label=${t("theme")} value=${theme} onChoose=${useTheme}
        options=${["auto", "light", "dark"].map((name) => [name, t(`theme.${name}`)])} />
      <${Choice} label=${t("language")} value=${words} onChoose=${useWords} options=${[["en", "English"], ["zh", "中文"]]} />
    </header>
    <main><${Content} view=${view} where=${where} /></main>`;
};

applyTheme(localStorage.getItem(THEME) ?? "auto");
render(html`<${App} />`, document.getElementById("app"));
