//! Which of the worker's environment variables a model gets: those that Python and its libraries are set up with. All others
//! may hold what a model has no business with, such as a password that another program of the machine was given.

use std::ffi::{OsStr, OsString};
use std::sync::Once;

use crds::contract::env::PASS_ENV;
use tokio::process::Command;

/// Passed by their full names.
const NAMES: &[&str] = &[
    // The user and the machine.
    "HOME",
    "HOSTNAME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "USER",
    // What native code needs to load and to read text.
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOCALE_ARCHIVE",
    "LOCPATH",
    "NIX_LD",
    "NIX_LD_LIBRARY_PATH",
    // Certificates, and how to reach the network.
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    // Database drivers and Java, which some of them start.
    "JAVA_HOME",
    "NLS_LANG",
    "ODBCINI",
    "ODBCINSTINI",
    "ODBCSYSINI",
    "ORACLE_HOME",
    "TNS_ADMIN",
    // Python and its libraries.
    "DOWNLOAD_MODEL",
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "VIRTUAL_ENV",
];

/// Passed whatever follows.
const PREFIXES: &[&str] = &[
    "LC_",
    "MALLOC_",
    "XDG_",
    "CONDA_",
    "PYBOOT_",
    "PYENV_",
    "PYPY",
    "PYTHON",
    "BLIS_",
    "GOMP_",
    "GOTO_",
    "JOBLIB_",
    "KMP_",
    "LOKY_",
    "MKL_",
    "NUMBA_",
    "NUMEXPR_",
    "OMP_",
    "OPENBLAS_",
    "TBB_",
    "VECLIB_",
    "ARROW_",
    "ASCEND_",
    "CUDA_",
    "CUDNN_",
    "GPU_",
    "HIP_",
    "KERAS_",
    "NCCL_",
    "NVIDIA_",
    "OPENVINO_",
    "ORT_",
    "POLARS_",
    "PYTORCH_",
    "ROCR_",
    "TF_",
    "TORCH_",
    "XLA_",
];

/// Never passed by a prefix.
const SECRET: &[&str] = &[
    "KEY",
    "PASSWD",
    "PASSWORD",
    "SECRET",
    "TOKEN",
    "CREDENTIALS",
];

/// Edgemodel's own.
const OWN: &str = "EDGEMODEL_";

/// The variables that models get.
pub(crate) fn passed() -> impl Iterator<Item = (OsString, OsString)> {
    let more = std::env::var(PASS_ENV).unwrap_or_default();
    std::env::vars_os().filter(move |(name, _)| passes(name, &more))
}

/// Gives a process these variables alone, and logs once which it does not get.
pub(crate) fn clear(command: &mut Command) {
    static SAID: Once = Once::new();
    command.env_clear().envs(passed());
    SAID.call_once(|| {
        let more = std::env::var(PASS_ENV).unwrap_or_default();
        let withheld = |name: &OsString| !passes(name, &more) && !is_own(&name.to_string_lossy());
        let names = std::env::vars_os().map(|(name, _)| name).filter(withheld);
        let mut names: Vec<_> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        if !names.is_empty() {
            let names = names.join(",");
            tracing::debug!(
                names,
                "Environment variables withheld from models, EDGEMODEL_PASS_ENV passes them"
            );
        }
    });
}

fn is_own(name: &str) -> bool {
    name.starts_with(OWN)
}

/// Whether a model gets a variable; `more` is the list of `EDGEMODEL_PASS_ENV`.
fn passes(name: &OsStr, more: &str) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    if is_own(name) {
        return false;
    }
    let secret = SECRET
        .iter()
        .any(|end| name.to_ascii_uppercase().ends_with(end));
    let prefixed = || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let listed = |entry: &str| match entry.trim().strip_suffix('*') {
        Some(prefix) => !prefix.is_empty() && name.starts_with(prefix),
        // The list may end with a comma, and a variable without a name is of no use.
        None => !name.is_empty() && name == entry.trim(),
    };
    NAMES.contains(&name) || (!secret && prefixed()) || more.split(',').any(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_1_a_model_gets_what_python_is_set_up_with_and_what_is_listed() {
        let more = " SITE , PLANT_* ,*,";
        for (name, expected) in [
            ("PATH", true),
            ("HOME", true),
            ("LC_ALL", true),
            ("PYTHONFAULTHANDLER", true),
            ("OMP_NUM_THREADS", true),
            ("CUDA_VISIBLE_DEVICES", true),
            ("https_proxy", true),
            ("SITE", true),
            ("PLANT_LINE", true),
            // As listed, also what looks like a secret.
            ("PLANT_TOKEN", true),
            ("SITES", false),
            ("DATABASE_PASSWORD", false),
            ("AWS_SECRET_ACCESS_KEY", false),
            ("PGPASSWORD", false),
            ("TORCH_HUB_TOKEN", false),
            ("XDG_SECRET", false),
            ("KUBERNETES_SERVICE_HOST", false),
            ("SSH_AUTH_SOCK", false),
            ("EDGEMODEL_HTTP_TOKEN_FILE", false),
            ("", false),
        ] {
            assert_eq!(passes(name.as_ref(), more), expected, "{name}");
        }
        assert!(!passes("EDGEMODEL_X".as_ref(), "EDGEMODEL_*"));
    }
}
