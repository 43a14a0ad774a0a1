//! Settings of the whole machine that a kubelet insists on; they are put back afterwards.

use std::fs;

use anyhow::Context as _;

/// What the kubelet sets unless it is so already.
const NAMES: [&str; 6] = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// The settings as they were.
#[derive(Debug)]
pub(super) struct Settings(Vec<(String, String)>);

impl Settings {
    /// Reads them.
    pub(super) fn read() -> Self {
        let paths = NAMES.iter().map(|name| format!("/proc/sys/{name}"));
        // One that this kernel lacks is not set either.
        let values = paths.filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)));
        Self(values.map(|(value, path)| (path, value)).collect())
    }

    /// Puts back what has changed.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(super) fn restore(&self) -> anyhow::Result<()> {
        for (path, before) in &self.0 {
            if fs::read_to_string(path)? != *before {
                fs::write(path, before)
                    .with_context(|| format!("failed to put {path} back to {before}"))?;
            }
        }
        Ok(())
    }
}
