//! Who may ask for what: a bearer token for all but the probes and the files of the console, and a `Host` that is this machine.

use axum::extract::Request;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use crds::contract::path;

use crate::audience::Audience;
use crate::console;
use crate::token::Token;

/// What is asked of a request on one port.
#[derive(Debug, Clone)]
pub struct Access {
    /// Must be given if there is one.
    pub token: Option<Token>,
    /// The port is on loopback, where a browser of this machine could be led to by any page under a name of that page's choice.
    pub loopback: bool,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Served(Audience),
    Unauthorized,
    WrongHost,
}

/// Judges a request by its path and headers.
fn judge(access: &Access, path: &str, host: Option<&str>, authorization: Option<&str>) -> Verdict {
    if access.loopback && !host.is_some_and(is_this_machine) {
        return Verdict::WrongHost;
    }
    let Some(token) = &access.token else {
        return Verdict::Served(Audience::Anyone);
    };
    let given = authorization.and_then(|text| {
        let (scheme, given) = text.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(given.trim())
    });
    if given.is_some_and(|given| token.is(given)) {
        Verdict::Served(Audience::Authenticated)
    } else if [path::LIVE, path::READY].contains(&path) || console::is_public(path) {
        Verdict::Served(Audience::Anyone)
    } else {
        Verdict::Unauthorized
    }
}

/// Whether a `Host` is an address or a name that no page on another machine can have.
fn is_this_machine(host: &str) -> bool {
    let name = match host.parse::<Uri>() {
        Ok(uri) => uri.host().unwrap_or_default().to_ascii_lowercase(),
        Err(_) => return false,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse::<std::net::IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
}

fn judge_request(access: &Access, request: &Request) -> Verdict {
    let text = |name| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let path = request.uri().path();
    judge(
        access,
        path,
        text(header::HOST),
        text(header::AUTHORIZATION),
    )
}

/// Lets a request through, with its audience, or answers it.
pub(super) async fn check(access: Access, mut request: Request, next: Next) -> Response {
    match judge_request(&access, &request) {
        Verdict::Served(audience) => {
            request.extensions_mut().insert(audience);
            next.run(request).await
        }
        Verdict::Unauthorized => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
            "send the token of --http-token-file as `Authorization: Bearer TOKEN`\n",
        )
            .into_response(),
        Verdict::WrongHost => (
            StatusCode::MISDIRECTED_REQUEST,
            "ask for this machine as localhost or by its address\n",
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn row_20_all_but_the_probes_need_the_token_if_there_is_one() {
        let access = |token: bool| Access {
            token: token.then(|| Token::read(SECRET).unwrap()),
            loopback: false,
        };
        let bearer = format!("Bearer {SECRET}");
        let wrong = format!("Bearer {}", SECRET.replace('f', "e"));
        let (anyone, known) = (Audience::Anyone, Audience::Authenticated);
        for (token, path, given, expected) in [
            (false, "/status", None, Verdict::Served(anyone)),
            (
                false,
                "/status",
                Some(bearer.as_str()),
                Verdict::Served(anyone),
            ),
            (true, "/status", Some(&bearer), Verdict::Served(known)),
            (
                true,
                "/status",
                Some(&bearer.replace("Bearer", "bearer")),
                Verdict::Served(known),
            ),
            (true, "/status", None, Verdict::Unauthorized),
            (true, "/status", Some(&wrong), Verdict::Unauthorized),
            (
                true,
                "/status",
                Some("Bearer 0123456789abcde"),
                Verdict::Unauthorized,
            ),
            (true, "/status", Some(SECRET), Verdict::Unauthorized),
            (true, "/metrics", None, Verdict::Unauthorized),
            (true, "/results", None, Verdict::Unauthorized),
            (true, "/console/state", None, Verdict::Unauthorized),
            (true, "/console/explain", None, Verdict::Unauthorized),
            (true, "/", None, Verdict::Served(anyone)),
            (true, "/console/app.js", None, Verdict::Served(anyone)),
            (true, "/healthz", None, Verdict::Served(anyone)),
            (true, "/readyz", Some(&wrong), Verdict::Served(anyone)),
        ] {
            let judged = judge(&access(token), path, Some("edge"), given);
            assert_eq!(judged, expected, "{token} {path} {given:?}");
        }
    }

    /// A page whose name its owner lets resolve to 127.0.0.1 must not read this machine's status.
    #[test]
    fn on_loopback_only_names_of_this_machine_are_served() {
        for (host, expected) in [
            (Some("127.0.0.1:5888"), true),
            (Some("[::1]:5888"), true),
            (Some("localhost"), true),
            (Some("edge.LOCALHOST:5888"), true),
            (Some("evil.example:5888"), false),
            (Some("localhost.evil.example"), false),
            (Some(""), false),
            (None, false),
        ] {
            for loopback in [true, false] {
                let access = Access {
                    token: None,
                    loopback,
                };
                let served = judge(&access, "/status", host, None) != Verdict::WrongHost;
                assert_eq!(served, expected || !loopback, "{host:?} {loopback}");
            }
        }
    }
}
