//! A way to a server on which packets get lost: connections stay open, and nothing comes any more (no FIN, no RST).

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// A forwarder of TCP connections; they end when it is dropped.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    swallowed: watch::Sender<u64>,
    task: AbortHandle,
}

impl BlackHole {
    /// One before a server; nothing is lost yet.
    ///
    /// # Errors
    /// No port is free.
    pub async fn before(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let swallowed = watch::Sender::new(0);
        let task = tokio::spawn(forward(listener, server, swallowed.clone()));
        Ok(Self {
            address,
            swallowed,
            task: task.abort_handle(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing comes through on the connections of now, in either direction. New ones work.
    pub fn swallow(&self) {
        self.swallowed.send_modify(|count| *count += 1);
    }
}

impl Drop for BlackHole {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, server: SocketAddr, swallowed: watch::Sender<u64>) {
    let mut connections = JoinSet::new();
    loop {
        // Of a machine without sockets the test tells enough.
        let Ok((mut client, _)) = listener.accept().await else {
            continue;
        };
        let mut lost = swallowed.subscribe();
        connections.spawn(async move {
            let Ok(mut server) = TcpStream::connect(server).await else {
                return;
            };
            tokio::select! {
                // How a connection ended is for its ends to know.
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = lost.changed() => pending().await,
            }
        });
    }
}
