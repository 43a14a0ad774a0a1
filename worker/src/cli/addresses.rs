//! Which brokers of a configuration are the same, by the addresses that their names resolve to.

use std::collections::HashSet;
use std::net::{IpAddr, ToSocketAddrs as _};

use crds::ValidatedRuntime;

/// For each broker, the addresses of its host; none if it cannot be resolved, as away from its network.
pub(super) struct Addresses(Vec<(HashSet<IpAddr>, u16)>);

impl Addresses {
    /// Asks the system's resolver. Names are only resolved where two brokers could be one.
    pub(super) fn resolve(runtime: &ValidatedRuntime) -> Self {
        let brokers = || runtime.mqtts.iter().map(|mqtt| &mqtt.broker);
        Self(
            brokers()
                .map(|broker| {
                    let alike = |other: &&crds::validated::BrokerUrl| {
                        other.port == broker.port && other.host != broker.host
                    };
                    let addresses = brokers().find(alike).and_then(|_| {
                        let addresses = (broker.host.as_str(), broker.port).to_socket_addrs();
                        addresses.ok()
                    });
                    let addresses = addresses.into_iter().flatten();
                    let hosts = addresses.map(|address| canonical(address.ip()));
                    (hosts.collect(), broker.port)
                })
                .collect(),
        )
    }

    /// Whether two brokers have an address in common.
    pub(super) fn same(&self, one: usize, other: usize) -> bool {
        let ((hosts, port), (others, other_port)) = (&self.0[one], &self.0[other]);
        port == other_port && !hosts.is_disjoint(others)
    }
}

/// All addresses of this machine's loopback are one.
fn canonical(address: IpAddr) -> IpAddr {
    let address = address.to_canonical();
    if address.is_loopback() {
        return IpAddr::from([127, 0, 0, 1]);
    }
    address
}
