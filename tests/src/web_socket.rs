//! MQTT over WebSockets in front of a broker that speaks it over TCP only.

use std::net::SocketAddr;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::certificates::Certificates;

/// A bridge; ends when it is dropped.
#[derive(Debug)]
pub struct WebSocketBridge {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl WebSocketBridge {
    /// Starts a bridge to `broker` on a free port.
    ///
    /// # Errors
    /// The system gives no port.
    pub async fn start(broker: SocketAddr) -> anyhow::Result<Self> {
        Self::with(broker, None).await
    }

    /// Starts a bridge that speaks TLS.
    ///
    /// # Errors
    /// The system gives no port, or the certificates cannot be used.
    pub async fn start_tls(
        broker: SocketAddr,
        certificates: &Certificates,
    ) -> anyhow::Result<Self> {
        Self::with(broker, Some(certificates.acceptor()?)).await
    }

    async fn with(broker: SocketAddr, tls: Option<TlsAcceptor>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut bridges = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.clone();
                bridges.spawn(async move {
                    // A broken bridge is what the client under test then sees.
                    let _ = match tls {
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => bridge(stream, broker).await,
                            Err(error) => Err(error.into()),
                        },
                        None => bridge(stream, broker).await,
                    };
                });
            }
        });
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[expect(clippy::result_large_err, reason = "the library's own type")]
fn subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let name = "Sec-WebSocket-Protocol";
    let offered = request.headers().get(name).cloned();
    let refused = || ErrorResponse::new(Some("the subprotocol is not mqtt".to_owned()));
    let offered = offered
        .filter(|value| value == "mqtt")
        .ok_or_else(refused)?;
    response.headers_mut().insert(name, offered);
    Ok(response)
}

async fn bridge(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    broker: SocketAddr,
) -> anyhow::Result<()> {
    let socket = tokio_tungstenite::accept_hdr_async(stream, subprotocol).await?;
    let (mut sink, mut source) = socket.split();
    let (mut reader, mut writer) = TcpStream::connect(broker).await?.into_split();
    let up = async {
        while let Some(message) = source.next().await {
            if let Message::Binary(bytes) = message.context("no message")? {
                writer.write_all(&bytes).await?;
            }
        }
        anyhow::Ok(())
    };
    let down = async {
        // Pieces that cut packets anywhere, as a real server may.
        let mut piece = [0; 1000];
        loop {
            let count = reader.read(&mut piece).await?;
            if count == 0 {
                return anyhow::Ok(());
            }
            sink.send(Message::Binary(piece[..count].to_vec().into()))
                .await?;
        }
    };
    tokio::select! {
        result = up => result,
        result = down => result,
    }
}
