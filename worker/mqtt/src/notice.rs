//! What an owner should know of a broker that works, but not as asked.

use crds::validated::Qos;

/// Something about the broker that users should know. A session tells each once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// The broker broke a rule of the standard, which costs at most the message concerned.
    #[error("the broker broke the standard: {0}; this is logged once")]
    Violation(String),
    /// The broker takes publications at a lower quality of service only.
    #[error("the broker takes messages at QoS {} at most; results are published at that", .0.level())]
    QosLowered(Qos),
    /// The broker has no retained messages.
    #[error("the broker does not retain messages; results are published without the retain flag")]
    RetainDropped,
    /// The broker keeps the session for a shorter time than asked for.
    #[error(
        "the broker keeps the session for {0} s after a lost connection: messages that come while the worker is away \
         for longer are lost; raise the broker's limit of the session expiry"
    )]
    SessionExpires(u32),
    /// The broker had a session before, and has none any more.
    #[error(
        "the broker lost the session, as in a restart without persistence: messages that came while the worker was away \
         are lost"
    )]
    SessionLost,
    /// The broker has the limits of a mosquitto that is not configured.
    #[error(
        "the broker has mosquitto's default limits: it keeps 1000 messages for a slow model and drops the rest; set \
         max_queued_messages 0 and max_inflight_messages 0"
    )]
    MosquittoDefaults,
}
