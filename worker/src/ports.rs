//! The worker's ports, bound before anything starts, so that a port in use fails the start as a whole.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use crds::validated::{ExposeProtocol, ValidatedExpose};
use rustix::process::Resource;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::admin::{self, Access};
use crate::console::Console;
use crate::http;
use crate::peers::Peers;
use crate::sink::SharedSinks;
use crate::status::Shared;
use crate::token::Token;

/// A port is in use or not allowed.
#[derive(Debug, thiserror::Error)]
#[error("{what}: failed to listen on {address}: {error}; {remedy}")]
pub struct ListenError {
    /// The option or field that asks for it.
    what: String,
    address: SocketAddr,
    /// What to do about it.
    remedy: &'static str,
    error: io::Error,
}

/// All ports of a worker.
#[derive(Debug)]
pub(crate) struct Ports {
    /// First `--http`, then those in `expose`.
    http: Vec<HttpPort>,
    streams: Vec<TcpListener>,
}

#[derive(Debug)]
struct HttpPort {
    listener: TcpListener,
    /// Whether it is in `expose`, and so serves results.
    exposed: bool,
}

impl Ports {
    /// Binds `http`, and the ports in `expose` on the address `exposed`.
    ///
    /// # Errors
    /// The first port that is taken; none stays bound.
    pub(crate) fn open(
        mut http: SocketAddr,
        exposed: IpAddr,
        expose: &[ValidatedExpose],
    ) -> Result<Self, ListenError> {
        let is_http = |expose: &&ValidatedExpose| {
            expose.protocol == ExposeProtocol::Http && expose.port == http.port()
        };
        if expose.iter().any(|expose| is_http(&expose)) {
            http.set_ip(exposed);
        }
        let mut ports = Self {
            http: vec![HttpPort {
                listener: listen("--http".to_owned(), http, "choose another with --http")?,
                exposed: false,
            }],
            streams: Vec::new(),
        };
        for (index, expose) in expose.iter().enumerate() {
            let address = SocketAddr::new(exposed, expose.port);
            if expose.protocol == ExposeProtocol::Http && expose.port == http.port() {
                ports.http[0].exposed = true;
                continue;
            }
            let listener = listen(
                format!("expose[{index}].protocolPort"),
                address,
                "choose another port, or stop the program that uses it",
            )?;
            match expose.protocol {
                ExposeProtocol::Tcp => ports.streams.push(listener),
                ExposeProtocol::Http => ports.http.push(HttpPort {
                    listener,
                    exposed: true,
                }),
            }
        }
        Ok(ports)
    }

    /// Where HTTP is served: first `--http`, then the ports in `expose`.
    pub(crate) fn http_addresses(&self) -> Vec<SocketAddr> {
        addresses(self.http.iter().map(|port| &port.listener))
    }

    /// Where results are streamed.
    pub(crate) fn stream_addresses(&self) -> Vec<SocketAddr> {
        addresses(&self.streams)
    }

    /// Serves all of them on `side`, until the tasks are dropped.
    ///
    /// # Errors
    /// The system has no event queues left.
    pub(crate) fn serve(
        self,
        shared: &Arc<Shared>,
        console: &Arc<Console>,
        sinks: &SharedSinks,
        peers: Option<&Peers>,
        token: Option<&Token>,
        side: &Handle,
    ) -> io::Result<JoinSet<()>> {
        let _entered = side.enter();
        let mut servers = JoinSet::new();
        let descriptors = rustix::process::getrlimit(Resource::Nofile).current;
        let places = http::places(descriptors, self.http.len() + self.streams.len());
        for HttpPort { listener, exposed } in self.http {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let results = exposed.then(|| sinks.events.clone());
            let access = Access {
                token: token.cloned(),
                loopback: listener.local_addr()?.ip().is_loopback(),
            };
            let router = admin::router(
                shared.clone(),
                console.clone(),
                peers.cloned(),
                results,
                access,
            );
            servers.spawn_on(http::serve(listener, router, places), side);
        }
        for listener in self.streams {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            servers.spawn_on(sinks.tcp.clone().serve(listener, places), side);
        }
        Ok(servers)
    }
}

fn listen(
    what: String,
    address: SocketAddr,
    remedy: &'static str,
) -> Result<TcpListener, ListenError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| ListenError {
        what,
        address,
        remedy,
        error,
    })
}

fn addresses<'a>(listeners: impl IntoIterator<Item = &'a TcpListener>) -> Vec<SocketAddr> {
    // A bound socket has an address.
    let addresses = listeners.into_iter().map(TcpListener::local_addr);
    addresses.filter_map(Result::ok).collect()
}
