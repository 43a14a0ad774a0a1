//! A broker's address from text.

use std::str::FromStr;

use crate::validated::{BrokerUrl, Transport};

const SCHEMES: [(&str, Transport, u16); 7] = [
    ("tcp", Transport::Tcp, 1883),
    ("mqtt", Transport::Tcp, 1883),
    ("ssl", Transport::Tls, 8883),
    ("tls", Transport::Tls, 8883),
    ("mqtts", Transport::Tls, 8883),
    ("ws", Transport::WebSocket, 80),
    ("wss", Transport::WebSocketTls, 443),
];
const USE_URL: &str =
    "write it as tcp://host:1883, ssl://host:8883, ws://host/path or wss://host/path";

/// Why a text is not a broker's address. The text is never repeated, since it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {remedy}")]
pub struct InvalidBrokerUrl {
    /// What is wrong: the predicate of a sentence about the address.
    pub message: &'static str,
    /// What to write instead.
    pub remedy: String,
}

impl FromStr for BrokerUrl {
    type Err = InvalidBrokerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBrokerUrl> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let remedy = if text.contains('@') || parse("tcp", text).is_err() {
                USE_URL.to_owned()
            } else {
                format!("write tcp://{text}, or ssl://{text} for TLS")
            };
            return Err(InvalidBrokerUrl {
                message: "has no scheme",
                remedy,
            });
        };
        parse(scheme, rest).map_err(|message| InvalidBrokerUrl {
            message,
            remedy: USE_URL.to_owned(),
        })
    }
}

fn parse(scheme: &str, rest: &str) -> Result<BrokerUrl, &'static str> {
    let (_, transport, default_port) = SCHEMES
        .into_iter()
        .find(|(known, _, _)| scheme.eq_ignore_ascii_case(known))
        .ok_or("has a scheme that is not known")?;
    // The URL library is lenient here: it removes blanks and skips leading slashes.
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("has a blank");
    }
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or(rest);
    if authority.is_empty() {
        return Err("has no host");
    }
    // The URL standard knows hosts and ports only for schemes such as http.
    let parsed =
        url::Url::parse(&format!("http://{rest}")).map_err(|_| "is not a broker's address")?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("holds credentials, which belong in auth");
    }
    let web_socket = matches!(transport, Transport::WebSocket | Transport::WebSocketTls);
    let plain = parsed.path() == "/" && parsed.query().is_none();
    if parsed.fragment().is_some() || (!web_socket && !plain) {
        return Err("has a path, which only ws:// and wss:// take");
    }
    let host = match parsed.host().ok_or("has no host")? {
        url::Host::Domain(name) => name.to_owned(),
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    // After the bracket of an IPv6 address.
    let written = authority
        .rsplit(']')
        .next()
        .and_then(|end| end.split_once(':'));
    let port = match (parsed.port(), written) {
        (Some(0), _) => return Err("has port 0"),
        (Some(port), _) => port,
        (None, Some((_, ""))) => return Err("has no port after the colon"),
        // The URL library omits port 80, the default of http.
        (None, Some(_)) => 80,
        (None, None) => default_port,
    };
    let path = match (web_socket, plain) {
        (false, _) => String::new(),
        (true, true) => "/mqtt".to_owned(),
        (true, false) => parsed[url::Position::BeforePath..].to_owned(),
    };
    Ok(BrokerUrl {
        transport,
        host,
        port,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn accepts(text: &str, transport: Transport, host: &str, port: u16, path: &str) {
        let url: BrokerUrl = text.parse().unwrap();
        assert_eq!(
            (
                url.transport,
                url.host.as_str(),
                url.port,
                url.path.as_str()
            ),
            (transport, host, port, path),
            "{text}"
        );
    }

    #[track_caller]
    fn rejects(text: &str, message: &str) {
        let error = text.parse::<BrokerUrl>().unwrap_err();
        assert_eq!(error.message, message, "{text}");
    }

    #[test]
    fn every_scheme_has_its_transport_and_port() {
        accepts("tcp://h", Transport::Tcp, "h", 1883, "");
        accepts("mqtt://h", Transport::Tcp, "h", 1883, "");
        accepts("ssl://h", Transport::Tls, "h", 8883, "");
        accepts("tls://h", Transport::Tls, "h", 8883, "");
        accepts("MQTTS://H", Transport::Tls, "h", 8883, "");
        accepts("ws://h", Transport::WebSocket, "h", 80, "/mqtt");
        accepts("wss://h", Transport::WebSocketTls, "h", 443, "/mqtt");
        accepts("wss://h:9/a?b", Transport::WebSocketTls, "h", 9, "/a?b");
    }

    #[test]
    fn ports_are_what_is_written_even_where_it_is_80() {
        accepts(
            "tcp://192.168.1.1:1884",
            Transport::Tcp,
            "192.168.1.1",
            1884,
            "",
        );
        accepts("ssl://h:80", Transport::Tls, "h", 80, "");
        accepts("ssl://h:080", Transport::Tls, "h", 80, "");
        accepts("wss://h:80?a", Transport::WebSocketTls, "h", 80, "/?a");
        accepts("tcp://[fe80::1]", Transport::Tcp, "fe80::1", 1883, "");
        accepts("tcp://[::1]:80", Transport::Tcp, "::1", 80, "");
    }

    #[test]
    fn what_no_client_could_connect_to_is_refused() {
        rejects("tcp://", "has no host");
        rejects("tcp:///h:1883", "has no host");
        rejects("tcp://h:", "has no port after the colon");
        rejects("tcp://h:0", "has port 0");
        rejects("tcp://h:70000", "is not a broker's address");
        rejects("tcp://a b", "has a blank");
        rejects("tcp://a\tb", "has a blank");
        rejects("tcp://h/x", "has a path, which only ws:// and wss:// take");
        rejects("tcp://h?x", "has a path, which only ws:// and wss:// take");
        rejects("ws://h#x", "has a path, which only ws:// and wss:// take");
        rejects("http://h", "has a scheme that is not known");
        rejects("tcp://u:p@h", "holds credentials, which belong in auth");
    }

    #[test]
    fn an_address_without_scheme_is_shown_with_one() {
        let remedy = |text: &str| text.parse::<BrokerUrl>().unwrap_err().remedy;
        assert_eq!(
            remedy("localhost:1883"),
            "write tcp://localhost:1883, or ssl://localhost:1883 for TLS"
        );
        assert_eq!(remedy("u:p@h"), USE_URL);
        assert_eq!(remedy("a b"), USE_URL);
    }
}
