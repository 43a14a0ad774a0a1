//! Streams of bytes to a broker: TCP, TLS, WebSocket, and WebSocket over TLS.

mod hang_up;
mod web_socket;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crds::validated::Transport;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::Options;
use hang_up::HangUp;
use web_socket::WebSocket;

/// A stream of bytes, whatever carries it.
pub(super) trait Stream: AsyncRead + AsyncWrite + HangUp + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + HangUp + Send + Unpin> Stream for T {}

/// Whether a host's name or address is that of this machine, as far as the text tells.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Connects to the broker of `options`; with whether it is on this machine.
pub(super) async fn connect(options: &Options) -> io::Result<(Box<dyn Stream>, bool)> {
    let broker = &options.broker;
    let stream = TcpStream::connect((broker.host.as_str(), broker.port)).await?;
    stream.set_nodelay(true)?;
    // Notices a peer that is gone also while nothing is read, when answers to pings are not seen.
    let patience = dead_after(options.keep_alive).as_millis();
    let patience = u32::try_from(patience).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(&stream, patience)?;
    let near = stream.local_addr()?.ip() == stream.peer_addr()?.ip();
    let stream: Box<dyn Stream> = match broker.transport {
        Transport::Tcp => Box::new(stream),
        Transport::Tls => Box::new(secure(options, stream).await?),
        Transport::WebSocket => web_socket(options, "ws", stream).await?,
        Transport::WebSocketTls => {
            let stream = secure(options, stream).await?;
            web_socket(options, "wss", stream).await?
        }
    };
    Ok((stream, near))
}

/// A peer that is silent for this long is gone (MQTT 3.1.1, section 3.1.2.10).
pub(super) fn dead_after(keep_alive: Duration) -> Duration {
    keep_alive.mul_f64(1.5)
}

async fn secure(
    options: &Options,
    stream: TcpStream,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let broker = &options.broker;
    let (config, name) = options
        .tls
        .as_ref()
        .ok_or_else(|| io::Error::other("the session has no TLS settings"))?;
    let name = ServerName::try_from(name.clone()).map_err(io::Error::other)?;
    tokio_rustls::TlsConnector::from(config.clone())
        .connect(name, stream)
        .await
        .map_err(|error| explain_handshake(error, broker.transport))
}

/// Adds what to try when the peer does not seem to speak TLS.
fn explain_handshake(error: io::Error, transport: Transport) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let garbage = matches!(inner, Some(rustls::Error::InvalidMessage(_)));
    let closed = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
    );
    if !garbage && !closed {
        return error;
    }
    let (instead, scheme) = match transport {
        Transport::WebSocket | Transport::WebSocketTls => ("ws://", "wss://"),
        Transport::Tcp | Transport::Tls => ("tcp://", "ssl://"),
    };
    io::Error::other(format!(
        "{error}; if its port has no TLS, use {instead} instead of {scheme}"
    ))
}

async fn web_socket(
    options: &Options,
    scheme: &str,
    stream: impl Stream + 'static,
) -> io::Result<Box<dyn Stream>> {
    let broker = &options.broker;
    let mut request = format!("{scheme}://{}{}", broker.address(), broker.path)
        .into_client_request()
        .map_err(io::Error::other)?;
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    let (socket, _) = tokio_tungstenite::client_async(request, stream)
        .await
        .map_err(io::Error::other)?;
    // A broker says nothing before CONNECT, so nothing is lost with the handshake's buffer.
    Ok(Box::new(WebSocket::new(socket.into_inner())))
}
