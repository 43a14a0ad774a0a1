//! How a connection begins and ends: CONNECT and the broker's greeting, DISCONNECT and the close.

use std::io;
use std::time::Duration;

use crds::validated::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Connection, Ended, Found};
use crate::outcomes::{Kind, Met, Outcome, outcome};
use crate::packet::{Inbound, Limits, Violation};
use crate::{Error, Options, transport};

/// Timeout for TCP, TLS, WebSocket and CONNACK together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Timeout for the broker to close after DISCONNECT.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// First bytes of a TLS server's answer to anything but TLS: an alert and the major version.
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
    /// Connects and waits for the CONNACK, which says whether the broker has the session, and its limits.
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
        let (stream, near) =
            transport::connect(options)
                .await
                .map_err(|error| Error::Unreachable {
                    broker: broker.clone(),
                    reason: error.to_string(),
                })?;
        let mut connection = Self::new(options, stream);
        connection.near = near;
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
                    Ok(Some(found)) => return connection.greeted(found, broker),
                    Err(ended) => return Err(ended.into_error(broker)),
                },
            }
        }
    }

    /// The broker's first packet came.
    fn greeted(mut self, found: Found, broker: String) -> Result<(Self, bool, Limits), Error> {
        let packet = match found {
            Found::Packet(received) => received.packet,
            Found::Oversized { .. } => Inbound::Foreign,
        };
        match outcome(Kind::of(&packet), Met::Greeting) {
            (Outcome::Begin, _) => {}
            (Outcome::End, _) => {
                let ended = match packet {
                    Inbound::Disconnect { code, reason } => Ended::Dismissed(code, reason),
                    _ => Ended::Closed,
                };
                return Err(ended.into_error(broker));
            }
            (_, broken) => {
                let reason = broken.map_or_else(String::new, |(packet, what, sections)| {
                    Violation::new(self.writer.version, packet, what, sections).to_string()
                });
                return Err(Error::Protocol { broker, reason });
            }
        }
        match packet {
            Inbound::ConnAck {
                session_present,
                refused: None,
                limits,
            } => {
                if let Some(seconds) = limits.keep_alive {
                    let interval = Duration::from_secs(u64::from(seconds));
                    self.keep_alive.set_interval(interval);
                }
                Ok((self, session_present, limits))
            }
            Inbound::ConnAck {
                refused: Some(reason),
                ..
            } => Err(Error::ConnectionRefused { broker, reason }),
            _ => Err(Ended::Closed.into_error(broker)),
        }
    }

    /// Writes everything, sends DISCONNECT and closes.
    pub(crate) async fn close(mut self) {
        self.writer.disconnect(&mut self.output);
        if let Err(error) = self.finish().await {
            tracing::debug!(%error, "Connection lost while closing");
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
