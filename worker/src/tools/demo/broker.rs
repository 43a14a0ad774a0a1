//! A small MQTT 3.1.1 broker for loopback: all qualities of service, retained messages, wildcards,
//! shared subscriptions and sessions that outlive connections, in memory.
//!
//! For `edgemodel demo` only: it knows no users, no TLS and no limits but the queues'.

mod connection;
mod hub;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use hub::Hub;

/// A broker; ends with all its connections when it is dropped.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Broker {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken or not allowed.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(serve(listener));
        Ok(Self {
            address,
            _task: task,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: TcpListener) {
    let hub = Arc::new(Hub::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let hub = hub.clone();
                    connections.spawn(async move {
                        if let Err(error) = connection::serve(stream, &hub).await {
                            tracing::debug!(%error, %peer, "Connection to the demo's broker ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "The demo's broker is unable to accept");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
