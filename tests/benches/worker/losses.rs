//! What a fault in the middle of a stream of numbered messages costs.

use tests::mosquitto::Mosquitto;
use tokio::sync::Notify;

use crate::contender::{Contender, Entrant};
use crate::load::{self, Check};

/// Messages of one measurement.
pub(crate) const MESSAGES: u64 = 5_000;

/// On their way at once, so that every contender is busy when the fault happens, and none drops them for being too many.
pub(crate) const HELD: u64 = 1_000;

/// Messages a second, where those before were lost; every contender keeps up with it.
pub(crate) const RATE: u32 = 1_000;

/// What happens when half of the results have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Killed,
    BrokerRestarted,
}

impl Fault {
    pub(crate) const ALL: [Self; 2] = [Self::Killed, Self::BrokerRestarted];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Killed => "`kill -9` of the contender, started again",
            Self::BrokerRestarted => "restart of the broker",
        }
    }
}

/// Measures it, with one device at QoS 1.
pub(crate) async fn measure(entrant: &Entrant, fault: Fault) -> anyhow::Result<Check> {
    let mut broker = Mosquitto::start().await?;
    let mut contender = Contender::start(entrant, &broker, 1, 1).await?;
    let half = Notify::new();
    let address = broker.address();
    let load = load::numbered(address, MESSAGES, HELD, RATE, &half);
    let fault = async {
        half.notified().await;
        match fault {
            Fault::Killed => contender.kill_and_start_again().await,
            Fault::BrokerRestarted => {
                broker.stop().await?;
                broker.start_again().await
            }
        }
    };
    let (check, ()) = tokio::try_join!(load, fault)?;
    contender.stop().await?;
    Ok(check)
}
