//! The reasons. Each entry: who gives it and about what, what happens next, its meaning, its remedy.

use super::{Facts, Origin, Outlook, Subject};

macro_rules! reasons {
    ($($name:ident: $origin:ident [$($subject:ident)*] $outlook:ident, $meaning:literal, $remedy:literal;)*) => {
        /// Why a runtime, a model or a port is as it is, in one word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $name,)*
        }

        impl Reason {
            /// All of them, in the order of the docs' tables.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its word, as in statuses, logs and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What there is to know about it.
            pub const fn facts(self) -> Facts {
                match self {
                    $(Self::$name => Facts {
                        origin: Origin::$origin,
                        subjects: &[$(Subject::$subject,)*],
                        outlook: Outlook::$outlook,
                        meaning: $meaning,
                        remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

reasons! {
    // Everything is as it should be.
    Valid: Operator [Runtime] Good,
        "the spec is valid", "";
    AllReady: Operator [Runtime] Good,
        "all models serve", "";
    NothingExposed: Operator [Runtime] Good,
        "the spec exposes no ports", "";
    Exposed: Operator [Runtime Port] Good,
        "the port is in effect; of a runtime, all ports are", "";
    Ready: Operator [Runtime Model] Good,
        "all workers serve with this spec; of a runtime, all ports are in effect too", "";
    ScaledToZero: Operator [Model] Good,
        "the model has no workers, because `replicas` is 0", "";
    Settled: Operator [Runtime] Good,
        "there is nothing left to do", "";

    // The spec.
    InvalidSpec: Operator [Runtime Model] Permanent,
        "the spec has problems; what was applied before keeps running",
        "correct the spec: the message lists every problem with its remedy";
    Paused: Operator [Runtime Model] Permanent,
        "the runtime has the annotation `edgemodel.io/paused`; what was applied before keeps running",
        "remove the annotation to apply the spec";
    InvalidDigest: Operator [Model] Permanent,
        "`modelMd5` or `modelSha256` is not a valid digest",
        "run `edgemodel pack FOLDER` to print the digests; in base64 an MD5 has 24 characters and ends with `==`";
    DigestMissing: Operator [Model] Permanent,
        "a model from the network has neither `modelMd5` nor `modelSha256`",
        "run `edgemodel pack FOLDER` to print the digests";

    // What a model needs besides.
    SecretNotFound: Operator [Model] Retried,
        "a Secret that the spec refers to doesn't exist",
        "create the Secret that the message names; the operator notices it within seconds";
    SecretKeyMissing: Operator [Model] Retried,
        "a Secret lacks a key",
        "add the key that the message names; the operator notices it within seconds";
    SecretKeyConflict: Operator [Model] Retried,
        "a Secret has keys that exclude each other",
        "remove one of the keys that the message names; the operator notices it within seconds";
    ApiAbsent: Operator [Model] Retried,
        "the cluster doesn't have the autoscaler's kind; the workers run meanwhile",
        "install KEDA, or use another `autoscaling.class`";

    // The rollout.
    Progressing: Operator [Runtime Model] Retried,
        "the operator and the cluster are at work",
        "";
    RollingOut: Operator [Model] Retried,
        "workers with the new spec are starting; the previous ones serve until then, unless they had to stop first (`hostNetwork`, `HostPort`)",
        "";
    NotReady: Operator [Model] Retried,
        "the worker has run for a minute without a broker or its model",
        "see its log and `/status`; check address, port, password and certificate of the broker";
    NodeLost: Operator [Model] Retried,
        "the worker's node doesn't report to the cluster; the worker may be running there",
        "check the node's power and network; the worker isn't replaced, and its status returns with the node";
    NodePortOnEdge: Operator [Runtime] Good,
        "a warning: ports are exposed by NodePort, which KubeEdge's nodes lack unless kube-proxy or EdgeMesh runs there",
        "set `exposeMode: HostPort`";

    // Children.
    NameConflict: Operator [Model Port] Permanent,
        "an object of that name belongs to someone else",
        "delete it, or rename the model or port";
    WaitingForDeletion: Operator [Model Port] Retried,
        "children of a deleted runtime of the same name are still being deleted",
        "if they stay, check their finalizers";
    Replaced: Operator [Model Port] Retried,
        "someone recreated the object with fields that cannot be changed, such as another selector; the operator \
         deleted it and recreates it",
        "";
    PortOutOfRange: Operator [Port] Permanent,
        "`outPort` is outside the API server's range for Services, which is 30000 to 32767 by default",
        "start kube-apiserver with `--service-node-port-range=30000-60000`, choose an `outPort` in the range, or set \
         `exposeMode: HostPort`";
    PortTaken: Operator [Port] Retried,
        "the API server has given the port to another Service; the message names it",
        "choose another `outPort`, or delete that Service; the operator retries every few seconds";
    Forbidden: Operator [Runtime Model Port] Retried,
        "the operator lacks a right",
        "compare its role with that in `deploy/install.yaml`";
    Refused: Operator [Model Port] Permanent,
        "the API server or a rule of the cluster, such as a quota or a policy, refuses the object",
        "the message is the API server's own; change the spec or the rule";
    ApiError: Operator [Runtime Model Port] Retried,
        "a call to the API server failed twice",
        "";
    NamespaceTerminating: Operator [Runtime] Permanent,
        "the namespace is being deleted; nothing can be created in it",
        "if the namespace stays, check what holds it, mostly pods of a lost node";

    // The model's zip.
    DownloadFailed: Worker [Model] Retried,
        "the model server didn't answer, or answered with an error",
        "the message has the address and the answer";
    AccessDenied: Worker [Model] Permanent,
        "the model server asks for credentials, or refuses those that it got (401, 403)",
        "correct the files of `modelCredentials`, or the Secret of `modelCredentialsSecretRef`; the worker downloads \
         again when a file changes, and once an hour";
    ModelNotFound: Worker [Model] Permanent,
        "the model server has nothing at `modelAddress` (404, 410), or the S3 bucket is in another region",
        "correct `modelAddress` or `modelS3`, or upload the zip and restart the worker; some servers answer so if credentials are \
         missing. The worker downloads again when a file of `modelCredentials` changes, and once an hour";
    CredentialsInvalid: Worker [Model] Permanent,
        "a file of `modelCredentials` cannot be read, or cannot be what its field says",
        "the message names the field and the file; the worker downloads again when a file changes, and once an hour";
    DownloadDisabled: Worker [Model] Retried,
        "downloads are off and the model isn't installed",
        "use `--download`, or put the folder where the message says";
    FileUnreadable: Worker [Model] Retried,
        "a `file://` address cannot be read",
        "check the path and its permissions";
    ChecksumMismatch: Worker [Model] Retried,
        "the zip at `modelAddress` has another digest",
        "correct the digest, or put the right file there; a proxy's error page is another file, too";
    ArchiveInvalid: Worker [Model] Permanent,
        "the zip is damaged",
        "pack it again with `edgemodel pack`";
    ArchiveTooLarge: Worker [Model] Permanent,
        "the zip exceeds the limits",
        "leave out what the model doesn't need";
    ArchiveUnsafe: Worker [Model] Permanent,
        "the zip has names with `..`, absolute paths, links, devices, encrypted or overlapping entries",
        "pack it again with `edgemodel pack`";
    UnsupportedArchive: Worker [Model] Permanent,
        "the zip uses a compression method that can't be read",
        "pack it again with `edgemodel pack`, or with Deflate, Deflate64, bzip2, LZMA or Zstandard";
    IndexMissing: Worker [Model] Permanent,
        "there is no `index.py` at the root of the zip or in its only top folder",
        "pack the folder that holds `index.py`";
    WheelsFailed: Worker [Model] Retried,
        "the wheels in the zip don't fit the interpreter",
        "bring wheels for the worker's Python version and processor, with everything they need";
    StoreFailed: Worker [Model] Permanent,
        "the zip cannot be unpacked into the models directory",
        "free space; with `modelCache.hostPath` the directory must belong to user 65532";
    StoreUnavailable: Worker [Model] Retried,
        "the models directory is full or cannot be written",
        "free space; with `modelCache.hostPath` the directory must belong to user 65532";

    // The model's start.
    PythonMissing: Worker [Model] Retried,
        "the interpreter doesn't exist",
        "install Python 3.6 or later, or correct `funcs[].python`";
    PythonUnsupported: Worker [Model] Retried,
        "the interpreter cannot run a model: it is older than Python 3.6, not Python, not executable, or built for another \
         machine; or it doesn't load the host that `funcs[].host` asks for",
        "the message says what was found; name Python 3.6 or later with `funcs[].python` or `EDGEMODEL_PYTHON`, or set \
         `funcs[].host: auto`";
    HostLibraryMissing: Worker [Model] Permanent,
        "the worker's own library is missing, or from another release",
        "install program and library from one release, or set `EDGEMODEL_HOST_LIB`";
    HostStartFailed: Worker [Model] Retried,
        "the system cannot start a process",
        "check the limits of processes and memory";
    SandboxIncomplete: Worker [Model] Permanent,
        "the kernel or the container engine lacks a part of the sandbox, and `sandbox.required` is true",
        "use Linux 6.12 or later with Landlock, and a container engine that allows its calls, or leave `required` out";
    ImportFailed: Worker [Model] Retried,
        "`index.py` raises when it is imported, or has no `handler` of two arguments",
        "the message has the last line, the log the traceback; a missing module comes with a wheel, an image of your \
         own or `funcs[].python`";
    StartTimeout: Worker [Model] Retried,
        "the import took longer than `startTimeout` (60 s)",
        "load large files once, at the top of `index.py`, or raise `startTimeout`";
    HostCrashed: Worker [Model] Retried,
        "the process ended during the import",
        "the log has what it printed; often memory: check `resources.limits`";
    SampleFailed: Worker [Model] Retried,
        "the model gave another result for one of its samples than the file in `samples/` expects, raised, or ended \
         its process",
        "the message has file, path, expected and actual value; `edgemodel test FOLDER` shows all of them";
    SampleTimeout: Worker [Model] Retried,
        "a sample took longer than `timeout`, or those of a file together longer than `startTimeout` (60 s)",
        "use fewer or faster samples, or longer times";
    SampleInvalid: Worker [Model] Permanent,
        "a file in `samples/` isn't a sample, or there are too many",
        "the message says what is wrong; keep other files in another folder";
    InvalidConfiguration: Worker [Model] Permanent,
        "the worker's configuration is invalid",
        "the message lists the problems";
    StartFailed: Worker [Model] Retried,
        "the worker cannot start: a port is in use, a certificate cannot be read",
        "the message names the port or file";
    SubscriptionRefused: Worker [Model] Retried,
        "the broker refused a subscription; the worker subscribes again with its next connection",
        "the message has the filter and the broker's answer; check what the broker allows this user";

    // Kubernetes'.
    ErrImagePull: Kubernetes [Model] Retried,
        "the node cannot pull the image",
        "load it on the node (`docs/images.md`), or name `imagePullSecrets`";
    ImagePullBackOff: Kubernetes [Model] Retried,
        "the node cannot pull the image and waits before the next attempt",
        "load it on the node (`docs/images.md`), or name `imagePullSecrets`";
    ErrImageNeverPull: Kubernetes [Model] Retried,
        "the image isn't on the node, and its pull policy is `Never`",
        "load it on the node (`docs/images.md`)";
    InvalidImageName: Kubernetes [Model] Retried,
        "the image's name is invalid",
        "correct `image`";
    Unschedulable: Kubernetes [Model] Retried,
        "no node takes the pod",
        "the message says what is missing: labels, processor, memory";
    FailedCreate: Kubernetes [Model] Permanent,
        "a quota or Pod Security refuses the pods",
        "the message has the rule; `hostPath` and `hostNetwork` need a namespace that allows them";
    ProgressDeadlineExceeded: Kubernetes [Model] Permanent,
        "the rollout made no progress for ten minutes",
        "see the pods: `kubectl describe pod`";
    CreateContainerConfigError: Kubernetes [Model] Retried,
        "the container's configuration refers to something that doesn't exist",
        "see the pod: `kubectl describe pod`";
    CreateContainerError: Kubernetes [Model] Retried,
        "the node cannot create the container",
        "see the pod: `kubectl describe pod`";
    RunContainerError: Kubernetes [Model] Retried,
        "the node cannot start the container",
        "see the pod: `kubectl describe pod`";
    CrashLoopBackOff: Kubernetes [Model] Retried,
        "the worker keeps ending; the kubelet delays each start longer, from 10 s to 5 minutes",
        "see `kubectl logs --previous`";
    OOMKilled: Kubernetes [Model] Retried,
        "the worker exceeded its memory limit",
        "raise `resources.limits.memory`";
    Error: Kubernetes [Model] Retried,
        "the worker ended with an error and without a reason of its own",
        "see `kubectl logs --previous`";
    Completed: Kubernetes [Model] Retried,
        "the worker ended without an error",
        "see `kubectl logs --previous`";
}
