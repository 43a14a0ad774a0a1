// Charts of the last hour.

import { t } from "./language.js";
import { html, useEffect, useRef } from "./vendor/preact.js";
import Plot from "./vendor/uplot.js";

const COLORS = ["#2a7de1", "#d9603b", "#2f9e63", "#9b59c7", "#b58900", "#4aa3a2"];
const HEIGHT = 180;

const axes = () => {
  const style = getComputedStyle(document.documentElement);
  const [stroke, line] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")];
  return [{}, { size: 60 }].map((axis) => ({ ...axis, stroke, grid: { stroke: line, width: 1 }, ticks: { stroke: line } }));
};

/** One chart: `lines` are `{label, values}`, `times` are in seconds. */
const Chart = ({ title, times, lines }) => {
  const place = useRef(null);
  const plot = useRef(null);
  const shape = lines.map((line) => line.label).join("\n") + title + document.documentElement.dataset.theme;
  useEffect(() => {
    const width = () => Math.max(200, place.current.clientWidth);
    const series = lines.map(({ label }, index) => ({ label, stroke: COLORS[index % COLORS.length], width: 1.5, spanGaps: false }));
    const options = { width: width(), height: HEIGHT, axes: axes(), series: [{ label: t("time") }, ...series], cursor: { y: false } };
    plot.current = new Plot(options, [times, ...lines.map((line) => line.values)], place.current);
    const observer = new ResizeObserver(() => plot.current.setSize({ width: width(), height: HEIGHT }));
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      plot.current.destroy();
    };
  }, [shape]);
  useEffect(() => plot.current.setData([times, ...lines.map((line) => line.values)]), [times.at(-1), times.length]);
  return html`<figure class="chart"><figcaption>${title}</figcaption><div ref=${place} role="img" aria-label=${title}></div></figure>`;
};

/** Each model's points at the times of all: models start together, but a restart may leave gaps. */
const table = (history) => {
  const times = [...new Set(history.flatMap((points) => points.map((point) => point.at)))].sort((a, b) => a - b);
  const byTime = history.map((points) => new Map(points.map((point) => [point.at, point])));
  return { times, values: (index, field) => times.map((at) => byTime[index].get(at)?.[field] ?? null) };
};

export const Charts = ({ models, history }) => {
  const { times, values } = table(history);
  if (times.length < 2) return html`<p class="soft">${t("charts.soon")}</p>`;
  const each = (field, suffix = "") =>
    models.map((model, index) => ({ label: model.name + suffix, values: values(index, field) }));
  return html`<div class="charts">
    <${Chart} title=${t("chart.rate")} times=${times} lines=${each("received")} />
    <${Chart} title=${t("chart.time")} times=${times} lines=${[...each("p50", " p50"), ...each("p99", " p99")]} />
    <${Chart} title=${t("chart.waiting")} times=${times} lines=${each("waiting")} />
    <${Chart} title=${t("chart.failed")} times=${times} lines=${each("failed")} />
  </div>`;
};
