//! How a connection begins and ends: CONNECT and the broker's greeting, DISCONNECT and the close.

use std::io;
use std::time::Duration;

use crds::validated::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Connection, Found};
use crate::packet::{Inbound, Limits};
use crate::{Error, Options, transport};

/// How long TCP, TLS, WebSocket and MQTT's own greeting may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the broker may take to close after DISCONNECT.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a TLS server's answer to what is not TLS begins: an alert, and the major version.
const TLS_ALERT: [u8; 2] = [0x15, 3];

/// What to do about a TLS alert in place of a greeting.
fn wrong_scheme(transport: Transport) -> String {
    let (instead, scheme) = match transport {
        Transport::WebSocket | Transport::WebSocketTls => ("wss://", "ws://"),
        Transport::Tcp | Transport::Tls => ("ssl://", "tcp://"),
    };
    format!("its port expects TLS; use {instead} instead of {scheme}")
}

impl Connection {
    /// Connects, and waits for the broker's greeting: whether it has the session, and its limits.
    pub(crate) async fn open(options: &Options) -> Result<(Self, bool, Limits), Error> {
        tokio::time::timeout(CONNECT_TIMEOUT, Self::greet(options))
            .await
            .unwrap_or_else(|_| {
                Err(Error::Unreachable {
                    broker: options.broker.address(),
                    reason: format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
                })
            })
    }

    async fn greet(options: &Options) -> Result<(Self, bool, Limits), Error> {
        let broker = options.broker.address();
        let stream = transport::connect(options)
            .await
            .map_err(|error| Error::Unreachable {
                broker: broker.clone(),
                reason: error.to_string(),
            })?;
        let mut connection = Self::new(options, stream);
        connection.writer.connect(options, &mut connection.output);
        loop {
            let found = std::future::poll_fn(|cx| connection.poll(cx, true)).await;
            match found {
                Err(ended) => return Err(ended.into_error(broker)),
                Ok(()) if connection.input.starts_with(&TLS_ALERT) => {
                    return Err(Error::Protocol {
                        broker,
                        reason: wrong_scheme(options.broker.transport),
                    });
                }
                Ok(()) => match connection.next() {
                    Ok(None) => {}
                    Ok(Some(Found::Packet(Inbound::ConnAck {
                        session_present,
                        refused: None,
                        limits,
                    }))) => {
                        if let Some(seconds) = limits.keep_alive {
                            let interval = Duration::from_secs(u64::from(seconds));
                            connection.keep_alive.set_interval(interval);
                        }
                        return Ok((connection, session_present, limits));
                    }
                    Ok(Some(Found::Packet(Inbound::ConnAck {
                        refused: Some(reason),
                        ..
                    }))) => return Err(Error::ConnectionRefused { broker, reason }),
                    Ok(Some(_)) => {
                        return Err(Error::Protocol {
                            broker,
                            reason: "the first packet is no CONNACK".to_owned(),
                        });
                    }
                    Err(ended) => return Err(ended.into_error(broker)),
                },
            }
        }
    }

    /// Writes everything, sends DISCONNECT and closes.
    pub(crate) async fn close(mut self) {
        self.writer.disconnect(&mut self.output);
        if let Err(error) = self.finish().await {
            tracing::debug!(%error, "Connection ended before it was closed");
        }
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.stream.write_all_buf(&mut self.output).await?;
        self.stream.flush().await?;
        self.stream.shutdown().await?;
        // Closing with unread bytes would reset the connection, and the reset may overtake the last
        // acknowledgements at the broker.
        let drained = async {
            while self.stream.read_buf(&mut self.input).await? > 0 {
                self.input.clear();
            }
            Ok(())
        };
        tokio::time::timeout(CLOSE_TIMEOUT, drained)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}
