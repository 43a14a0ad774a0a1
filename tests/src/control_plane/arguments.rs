//! The flags of the programs.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use super::Options;
use crate::certificates::Certificates;

/// Nothing is kept beyond the process, so nothing waits for the disk.
pub(super) fn etcd(directory: &Path, port: u16, peer_port: u16) -> Vec<OsString> {
    let here = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{peer_port}");
    vec![
        flag("data-dir", directory.join("etcd")),
        flag("listen-client-urls", &here),
        flag("advertise-client-urls", &here),
        flag("listen-peer-urls", &peer),
        flag("initial-advertise-peer-urls", &peer),
        flag("initial-cluster", format!("default={peer}")),
        flag("log-level", "warn"),
        "--unsafe-no-fsync".into(),
    ]
}

pub(super) fn apiserver(
    options: &Options,
    directory: &Path,
    certificates: &Certificates,
    address: SocketAddr,
    etcd_port: u16,
) -> Vec<OsString> {
    let mut flags = vec![
        flag("etcd-servers", format!("http://127.0.0.1:{etcd_port}")),
        flag("bind-address", address.ip().to_string()),
        flag("advertise-address", address.ip().to_string()),
        flag("secure-port", address.port().to_string()),
        flag("cert-dir", directory.join("apiserver")),
        flag("tls-cert-file", certificates.server_cert()),
        flag("tls-private-key-file", certificates.server_key()),
        flag("client-ca-file", certificates.authority()),
        flag("token-auth-file", directory.join("tokens.csv")),
        flag("authorization-mode", "Node,RBAC"),
        flag("allow-privileged", "true"),
        flag("service-account-issuer", "https://kubernetes.default.svc"),
        // A certificate is taken for its public key.
        flag("service-account-key-file", certificates.server_cert()),
        flag(
            "service-account-signing-key-file",
            certificates.server_key(),
        ),
        flag("service-cluster-ip-range", "10.96.0.0/12"),
    ];
    if options.node.is_some() {
        flags.push(flag("kubelet-preferred-address-types", "InternalIP"));
    } else {
        // Addresses of loopback cannot be endpoints of the Service `kubernetes`.
        flags.push(flag("endpoint-reconciler-type", "none"));
    }
    let range = options.node_port_range.as_ref();
    flags.extend(range.map(|range| flag("service-node-port-range", range)));
    flags.extend(options.apiserver_flags.iter().map(OsString::from));
    flags
}

pub(super) fn controllers(
    options: &Options,
    directory: &Path,
    certificates: &Certificates,
) -> Vec<OsString> {
    let mut flags = vec![
        flag("kubeconfig", directory.join("admin.kubeconfig")),
        flag("leader-elect", "false"),
        flag("secure-port", "0"),
        flag("root-ca-file", certificates.authority()),
        flag(
            "service-account-private-key-file",
            certificates.server_key(),
        ),
        // The defaults of 20 and 30 would be what tests wait for.
        flag("kube-api-qps", "500"),
        flag("kube-api-burst", "1000"),
    ];
    if options.node.is_none() {
        // The node of the kubelets' stand-in has no heartbeat.
        flags.push(flag("controllers", "*,-node-lifecycle-controller"));
    }
    flags
}

fn flag(name: &str, value: impl AsRef<std::ffi::OsStr>) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value.as_ref());
    flag
}
