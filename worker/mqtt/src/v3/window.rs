//! How many publications at QoS 2 to trust a broker with that cannot say how many it takes.

/// mosquitto keeps 20 by default, acknowledges more, and drops them.
pub(crate) const EXACTLY_ONCE_WINDOW: u16 = 20;
