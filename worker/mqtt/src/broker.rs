//! What a session needs of a broker beside its address: credentials and certificates, read once when
//! the worker starts.

use std::sync::Arc;
use std::time::Duration;

use crds::topic::unshared;
use crds::validated::{Credential, Transport, ValidatedMqtt};

use super::{Options, TlsError, tls};

/// A broker's settings with all files read.
#[derive(Clone)]
pub struct Broker {
    settings: ValidatedMqtt,
    auth: Option<(String, Option<String>)>,
    tls: Option<(Arc<rustls::ClientConfig>, String)>,
    keeps_sessions: bool,
}

impl std::fmt::Debug for Broker {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A file that the configuration refers to cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The file of the user name or of the password.
    #[error("mqtts[{index}].auth.{field}: failed to read {path:?}: {error}")]
    Credential {
        /// Index in `mqtts`.
        index: usize,
        /// The field that names the file.
        field: &'static str,
        /// The file.
        path: String,
        /// The system's error.
        error: std::io::Error,
    },
    /// A Secret, which only a cluster has.
    #[error("mqtts[{index}].{field}: there are no Secrets on this machine; give {instead} instead")]
    Secret {
        /// Index in `mqtts`.
        index: usize,
        /// The field that names the Secret.
        field: &'static str,
        /// The field to use instead.
        instead: &'static str,
    },
    /// A certificate or key.
    #[error("mqtts[{index}].tls: {error}")]
    Tls {
        /// Index in `mqtts`.
        index: usize,
        /// What is wrong.
        error: TlsError,
    },
}

/// Publications at QoS 1 and 2 that a session has open at once. More hardly raises throughput, and
/// each is kept in memory until the broker has it.
const MAX_IN_FLIGHT: u16 = 1024;

impl Broker {
    /// Reads the files that `mqtts[index]` refers to.
    ///
    /// # Errors
    /// A file cannot be read or holds something else.
    pub fn open(index: usize, settings: &ValidatedMqtt) -> Result<Self, BrokerError> {
        if settings.credentials_secret.is_some() {
            return Err(BrokerError::Secret {
                index,
                field: "credentialsSecretRef",
                instead: "auth",
            });
        }
        if settings
            .tls
            .as_ref()
            .is_some_and(|tls| tls.secret_ref.is_some())
        {
            return Err(BrokerError::Secret {
                index,
                field: "tls.secretRef",
                instead: "caFile, certFile and keyFile",
            });
        }
        let auth = match &settings.auth {
            None => None,
            Some(auth) => {
                let password = auth.password.as_ref();
                Some((
                    read(index, "usernameFile", &auth.username)?,
                    password
                        .map(|password| read(index, "passwordFile", password))
                        .transpose()?,
                ))
            }
        };
        let tls = match settings.broker.transport {
            Transport::Tcp | Transport::WebSocket => None,
            Transport::Tls | Transport::WebSocketTls => Some(
                tls(settings.tls.as_ref(), &settings.broker.host)
                    .map_err(|error| BrokerError::Tls { index, error })?,
            ),
        };
        Ok(Self {
            settings: settings.clone(),
            auth,
            tls,
            keeps_sessions: true,
        })
    }

    /// The same, but for a worker that does not come back under its client ids: the broker forgets its
    /// subscriptions when it goes.
    #[must_use]
    pub fn without_sessions(self) -> Self {
        Self {
            keeps_sessions: false,
            ..self
        }
    }

    /// What the configuration says.
    pub fn settings(&self) -> &ValidatedMqtt {
        &self.settings
    }

    /// Options of the session of a worker that does not come back. Its subscription was that of this
    /// configuration, or the same without a group.
    pub fn inherited(&self, client_id: String, subscriptions: &[String]) -> Options {
        let mut options = self.options(client_id, subscriptions);
        options.clean_start = false;
        options.takeover_retry = INHERITANCE_RETRY;
        let alone = subscriptions
            .iter()
            .map(|filter| (filter, unshared(filter)));
        let alone = alone.filter(|(filter, alone)| alone != filter);
        let qos = self.settings.qos;
        options
            .subscriptions
            .extend(alone.map(|(_, alone)| (alone.to_owned(), qos)));
        options
    }

    /// A session's options; `subscriptions` are filters to subscribe to.
    pub fn options(&self, client_id: String, subscriptions: &[String]) -> Options {
        Options {
            broker: self.settings.broker.clone(),
            client_id,
            version: self.settings.version,
            // Of a subscription, the broker keeps what comes while the worker is away. A publisher
            // has nothing there: what is not acknowledged is made again from its input.
            clean_start: subscriptions.is_empty() || !self.keeps_sessions,
            keep_alive: self.settings.keep_alive,
            auth: self.auth.clone(),
            tls: self.tls.clone(),
            max_packet_size: self.settings.max_packet_size,
            subscriptions: subscriptions
                .iter()
                .map(|filter| (filter.clone(), self.settings.qos))
                .collect(),
            ignore_retained: false,
            max_in_flight: MAX_IN_FLIGHT,
            takeover_retry: TAKEOVER_RETRY,
            gather: GATHER,
        }
    }
}

/// A session that another client took over waits this long before it tries again, so that two workers
/// under one client id do not throw each other out in turns.
const TAKEOVER_RETRY: Duration = Duration::from_mins(1);

/// The same for a session that is to end. While the worker before has it, each look costs that a connection; from when that
/// has gone to the next look, each message is handled twice.
const INHERITANCE_RETRY: Duration = Duration::from_secs(5);

/// The finest that the runtime's clock has.
const GATHER: Duration = Duration::from_millis(1);

fn read(index: usize, field: &'static str, credential: &Credential) -> Result<String, BrokerError> {
    let path = match credential {
        Credential::Text(text) => return Ok(text.clone()),
        Credential::File(path) => path,
    };
    let text = std::fs::read_to_string(path).map_err(|error| BrokerError::Credential {
        index,
        field,
        path: path.clone(),
        error,
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
