//! ADR 13 and ADR 16: what a broker of MQTT 3.1.1 cannot say, and this crate guesses from how it closes connections.
//!
//! - `takeover`: another client took the session over.
//! - `poison`: the broker does not take a publication.
//! - `window`: how many publications at QoS 2 it keeps.
//!
//! MQTT 5 says all of it. The guesses still run there, as some brokers of MQTT 5 close without a word, too.

mod poison;
mod takeover;
mod window;

pub(super) use poison::Poison;
pub(super) use takeover::{Closed, Takeover};
pub(super) use window::EXACTLY_ONCE_WINDOW;
