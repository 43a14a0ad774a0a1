//! The main job with nothing at hand: a broker, a model server and devices of its own, and the worker
//! of `edgemodel run` between them.

mod broker;
mod model_server;
mod results;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use crds::ValidatedRuntime;
use crds::validated::{BrokerUrl, Digests, ExposeProtocol, MqttVersion, Qos, Transport};

pub use broker::Broker;
pub use model_server::ModelServer;
use packages::Packed;
pub use results::read as read_results;

/// pyboot's sample configuration.
pub const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

/// A simple model for the sample's device.
const MODEL: &str = include_str!("demo/model/industry/index.py");

/// Why a demo does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder or file for the demo's model.
    #[error("failed to write the sample model: {0}")]
    Write(io::Error),
    /// The sample model's zip.
    #[error("failed to pack the sample model: {0}")]
    Pack(packages::PackError),
    /// The broker's or the model server's socket.
    #[error("failed to listen on loopback: {0}")]
    Listen(io::Error),
}

/// What surrounds the worker in a demo. All of it ends when this is dropped.
#[derive(Debug)]
pub struct Demo {
    broker: Broker,
    models: ModelServer,
    packed: Packed,
    directory: tempfile::TempDir,
}

impl Demo {
    /// Starts a broker and a server of the sample model on free ports of loopback.
    ///
    /// # Errors
    /// The system gives no folder or no port.
    pub async fn start() -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix("edgemodel-demo-")
            .tempdir()
            .map_err(Error::Write)?;
        let source = directory.path().join("industry");
        std::fs::create_dir(&source).map_err(Error::Write)?;
        std::fs::write(source.join("index.py"), MODEL).map_err(Error::Write)?;
        let zip = directory.path().join("industry.zip");
        let packed = packages::pack(&source, &zip).map_err(Error::Pack)?;
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Self {
            broker: Broker::start(free).await.map_err(Error::Listen)?,
            models: ModelServer::start(zip).await.map_err(Error::Listen)?,
            packed,
            directory,
        })
    }

    /// Where the broker listens.
    pub fn broker(&self) -> SocketAddr {
        self.broker.addr()
    }

    /// Where the sample model is.
    pub fn model(&self) -> &url::Url {
        self.models.url()
    }

    /// Folder for installed models, removed with the demo.
    pub fn models_dir(&self) -> PathBuf {
        self.directory.path().join("models")
    }

    /// Puts the demo's addresses into a configuration: its broker for every broker, and its model for
    /// each model whose digest can be read. A model that is refused stays refused.
    pub fn adapt(&self, runtime: &mut ValidatedRuntime) {
        for mqtt in &mut runtime.mqtts {
            mqtt.broker = BrokerUrl {
                transport: Transport::Tcp,
                host: self.broker().ip().to_string(),
                port: self.broker().port(),
                path: String::new(),
            };
            // All that the demo's broker speaks.
            mqtt.version = MqttVersion::V3_1_1;
            if mqtt.qos == Qos::ExactlyOnce {
                mqtt.qos = Qos::AtLeastOnce;
            }
            mqtt.auth = None;
            mqtt.tls = None;
        }
        for func in &mut runtime.funcs {
            if func.digest.is_ok() {
                func.address = self.model().clone();
                func.digest = Ok(Digests {
                    md5: Some(self.packed.md5),
                    sha256: Some(self.packed.sha256),
                });
            }
        }
    }
}

/// Replaces each port that is taken on this machine by a free one, so that a demo starts whatever else
/// runs here.
pub fn avoid_taken_ports(runtime: &mut ValidatedRuntime, http: &mut SocketAddr) {
    let taken = |address: SocketAddr| TcpListener::bind(address).is_err();
    if taken(*http) {
        http.set_port(0);
    }
    for expose in &mut runtime.expose {
        let shared = expose.protocol == ExposeProtocol::Http && expose.port == http.port();
        if !shared && taken(SocketAddr::new(http.ip(), expose.port)) {
            expose.port = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_configuration_is_adapted_to_what_the_demo_s_broker_speaks() {
        let mut runtime = crds::load(SEED, "test").unwrap();
        runtime.mqtts[0].qos = Qos::ExactlyOnce;
        runtime.mqtts[0].version = MqttVersion::V5;
        let demo = Demo::start().await.unwrap();
        demo.adapt(&mut runtime);
        for mqtt in &runtime.mqtts {
            assert_eq!(mqtt.broker.port, demo.broker().port());
            assert_eq!(mqtt.version, MqttVersion::V3_1_1);
            assert_ne!(mqtt.qos, Qos::ExactlyOnce);
        }
        assert!(runtime.funcs.iter().any(|func| func.digest.is_err()));
        for func in runtime.funcs.iter().filter(|func| func.digest.is_ok()) {
            assert_eq!(func.address, *demo.model());
        }
    }
}
