//! Where a redirect may lead. A model server must not make a worker ask the machine that it runs on, or a cloud's
//! metadata service, for something that only these may see.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

/// Most redirects of one download.
pub(super) const MAX_REDIRECTS: usize = 5;

/// Services of clouds that have an address outside of the link-local ranges.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether an address is on this machine, on its link, or a cloud's metadata.
pub(super) fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let local = match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
    };
    local || METADATA.contains(&address)
}

/// The address that a host is, if it is not a name.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

/// Whether `configured` may lead to `target` after `hops` redirects, without a look at where they are.
pub(super) fn check(configured: &Url, target: &Url, hops: usize) -> Result<(), &'static str> {
    if hops > MAX_REDIRECTS {
        return Err("after too many redirects");
    }
    match (configured.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => Ok(()),
        (_, "http") => Err("which is not https"),
        _ => Err("which is neither http nor https"),
    }
}

/// Whether one that is at `from` may lead to one that is at `to`.
pub(super) fn check_addresses(from: &[IpAddr], to: &[IpAddr]) -> Result<(), &'static str> {
    let any_local = |addresses: &[IpAddr]| addresses.iter().copied().any(is_local);
    if any_local(to) && !any_local(from) {
        return Err("which is on the worker's own machine or link");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_17_a_redirect_to_the_machine_or_its_link_is_refused_unless_configured() {
        let public = ["93.184.216.34", "10.0.0.1", "2001:db8::1", "fd00::1"];
        let local = [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "169.254.169.254",
            "100.100.100.200",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
        ];
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        for to in local {
            assert!(is_local(parse(to)), "{to}");
            assert!(
                check_addresses(&[parse(to)], &[parse("127.0.0.1")]).is_ok(),
                "{to}"
            );
            for from in public {
                // A name with one harmless address does not hide the other.
                let both = [parse("93.184.216.34"), parse(to)];
                assert!(
                    check_addresses(&[parse(from)], &both).is_err(),
                    "{from} to {to}"
                );
            }
        }
        for to in public {
            assert!(
                check_addresses(&[parse("8.8.8.8")], &[parse(to)]).is_ok(),
                "{to}"
            );
        }
    }

    #[test]
    fn a_redirect_keeps_https_and_ends_some_time() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (plain, secure) = (url("http://h/"), url("https://h/"));
        assert_eq!(check(&plain, &secure, 1), Ok(()));
        assert_eq!(check(&plain, &plain, MAX_REDIRECTS), Ok(()));
        assert_eq!(check(&secure, &plain, 1), Err("which is not https"));
        assert!(check(&plain, &url("file:///etc/passwd"), 1).is_err());
        assert!(check(&plain, &plain, MAX_REDIRECTS + 1).is_err());
    }
}
