//! Changes that the API takes and that cannot work, one row each.

use crds::termination::Termination;
use serde_json::{Value, json};
use tests::control_plane::PodState;

/// One of them. It concerns the second model, `beta`, which the first is not to suffer from.
#[derive(Clone)]
pub(super) struct Misoperation {
    pub(super) name: &'static str,
    /// What is wrong with the spec; the new pods of `beta` come by a change of its digest.
    pub(super) spec: fn(&mut Value),
    /// What the node says of the new pods.
    pub(super) pods: Option<PodState>,
    /// What is said of `beta`, and a part of the message.
    pub(super) reason: &'static str,
    pub(super) words: &'static str,
    /// Whether it concerns all models of the runtime; what they have goes on all the same.
    pub(super) all: bool,
}

/// Another zip.
fn digest(spec: &mut Value) {
    spec["funcs"][1]["modelMd5"] = "ffffffffffffffffffffffffffffffff".into();
}

fn credentials(spec: &mut Value, secret: &str) {
    spec["mqtts"][0]["credentialsSecretRef"] = json!({ "name": secret });
}

/// The worker says so in its termination message.
fn said(name: &'static str, reason: &'static str, words: &'static str) -> Misoperation {
    let termination = Termination {
        reason: reason.into(),
        message: words.to_owned(),
    };
    let pods = PodState::CrashLoop {
        exit_code: 1,
        message: termination.to_json(),
        restarts: 2,
    };
    node(name, pods, reason, words)
}

/// The node says so.
fn node(
    name: &'static str,
    pods: PodState,
    reason: &'static str,
    words: &'static str,
) -> Misoperation {
    Misoperation {
        name,
        spec: digest,
        pods: Some(pods),
        reason,
        words,
        all: false,
    }
}

/// The API server says so.
fn refused(
    name: &'static str,
    spec: fn(&mut Value),
    reason: &'static str,
    words: &'static str,
) -> Misoperation {
    Misoperation {
        name,
        spec,
        pods: None,
        reason,
        words,
        all: false,
    }
}

fn waiting(reason: &str, message: &str) -> PodState {
    PodState::Waiting {
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

pub(super) fn all() -> Vec<Misoperation> {
    [of_specs(), of_models(), of_nodes()].concat()
}

fn of_specs() -> Vec<Misoperation> {
    vec![
        Misoperation {
            all: true,
            ..refused(
                "OP-60 no Secret",
                |spec| credentials(spec, "missing"),
                "SecretNotFound",
                "Secret \"missing\" is not in namespace",
            )
        },
        Misoperation {
            all: true,
            ..refused(
                "OP-60 no key",
                |spec| credentials(spec, "half"),
                "SecretKeyMissing",
                "Secret \"half\" has no key \"password\"",
            )
        },
        refused(
            "OP-44 a digest that is none",
            |spec| spec["funcs"][1]["modelMd5"] = "pZ4DJ+YhYM9ppHD+VhLi+A=1".into(),
            "InvalidDigest",
            "modelMd5",
        ),
        refused(
            "OP-70 no KEDA",
            |spec| {
                spec["funcs"][1]["autoscaling"] =
                    json!({ "class": "keda", "prometheusAddress": "http://prometheus:9090" });
            },
            "ApiAbsent",
            "ScaledObject",
        ),
    ]
}

fn of_models() -> Vec<Misoperation> {
    vec![
        said(
            "OP-61 404",
            "ModelNotFound",
            "http://models.example/beta.zip: the server answered 404 Not Found",
        ),
        said("OP-61 too large", "DownloadFailed", "more than 1 GiB"),
        said(
            "OP-62",
            "ChecksumMismatch",
            "the zip has the MD5 0123, not ffff",
        ),
        said(
            "OP-63 no index.py",
            "IndexMissing",
            "there is no index.py in the zip",
        ),
        said(
            "OP-63 import",
            "ImportFailed",
            "SyntaxError: invalid syntax (index.py, line 3)",
        ),
        said(
            "OP-63 start",
            "StartTimeout",
            "the model did not start within 60 s",
        ),
        said(
            "OP-64 zip slip",
            "ArchiveUnsafe",
            "../../etc/passwd leaves the folder",
        ),
        said(
            "OP-64 bomb",
            "ArchiveTooLarge",
            "it unpacks to more than 4 GiB",
        ),
        said("OP-64 no zip", "ArchiveInvalid", "it is an HTML page"),
        said(
            "OP-65 certificate",
            "InvalidConfiguration",
            "ca.crt holds no certificate",
        ),
    ]
}

fn of_nodes() -> Vec<Misoperation> {
    let no_message = |exit_code| PodState::CrashLoop {
        exit_code,
        message: String::new(),
        restarts: 3,
    };
    let unschedulable = |message: &str| PodState::Unschedulable {
        message: message.to_owned(),
    };
    vec![
        node(
            "OP-65 no broker",
            PodState::LongRunning,
            "NotReady",
            "connecting to its broker",
        ),
        Misoperation {
            spec: |spec| {
                digest(spec);
                spec["funcs"][1]["python"] = "/no/python3".into();
            },
            ..said(
                "OP-63 no Python",
                "PythonMissing",
                "/no/python3 is not there",
            )
        },
        node(
            "OP-67",
            waiting("ImagePullBackOff", "manifest for no/such:1 not found"),
            "ImagePullBackOff",
            "no/such:1 not found",
        ),
        node(
            "OP-67 name",
            waiting("InvalidImageName", "couldn't parse image name"),
            "InvalidImageName",
            "couldn't parse",
        ),
        node(
            "OP-68",
            unschedulable("0/3 nodes are available: 3 node(s) had untolerated taint"),
            "Unschedulable",
            "untolerated taint",
        ),
        node("OP-69", no_message(139), "Error", "code 139"),
        node(
            "OP-69 killed",
            no_message(137),
            "Error",
            "restarted 3 times",
        ),
        Misoperation {
            spec: |spec| {
                spec["funcs"][1]["resources"] = json!({ "requests": { "memory": "512Gi" } });
            },
            ..node(
                "OP-71",
                unschedulable("0/3 nodes are available: 3 Insufficient memory"),
                "Unschedulable",
                "Insufficient memory",
            )
        },
        node(
            "OP-71 a volume",
            waiting(
                "CreateContainerConfigError",
                "configmap references non-existent key",
            ),
            "CreateContainerConfigError",
            "non-existent key",
        ),
    ]
}
