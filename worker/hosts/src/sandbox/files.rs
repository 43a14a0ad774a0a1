//! A Landlock ruleset for a model's places, made before the fork.

use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access as _, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, Scope,
};

use super::kernel::Kernel;
use super::places::Places;

/// The newest version of Landlock that is used: later ones restrict more, and models would notice the kernel.
const NEWEST: i32 = 6;

/// A ruleset as far as the kernel has it; `None` without Landlock.
pub(super) fn ruleset(places: &Places, kernel: &Kernel) -> Result<Option<OwnedFd>, RulesetError> {
    if kernel.landlock == 0 {
        return Ok(None);
    }
    let abi = ABI::from(kernel.landlock.min(NEWEST));
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(abi))?;
    if kernel.has_scopes() {
        ruleset = ruleset.scope(Scope::from_all(abi))?;
    }
    let mut created = ruleset.create()?;
    let read = places
        .read
        .iter()
        .map(|path| (path, AccessFs::from_read(abi)));
    let write = places
        .write
        .iter()
        .map(|path| (path, AccessFs::from_all(abi)));
    for (path, access) in read.chain(write) {
        // It may have been removed since it was found, or belong to another user.
        let Ok(file) = PathFd::new(path) else {
            continue;
        };
        let access = if path.is_dir() {
            access
        } else {
            access & AccessFs::from_file(abi)
        };
        created = created.add_rule(PathBeneath::new(file, access))?;
    }
    Ok(created.into())
}
