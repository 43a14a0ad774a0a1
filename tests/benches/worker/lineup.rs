//! Who takes part in this run: the contenders that this machine can have and that have not failed.

use std::fmt::Write as _;
use std::process::Command;
use std::rc::Rc;

use anyhow::Context as _;
use tests::contest::Contest;
use tests::mosquitto;

use crate::contender::{Entrant, Kind};

/// See the module's description.
pub(crate) struct Lineup {
    contest: Contest<Kind>,
    entrants: Vec<Rc<Entrant>>,
}

impl Lineup {
    /// Installs what the contenders need; with `only`, those that it names, as `ekuiper,bento`.
    pub(crate) fn new(only: Option<&str>) -> Self {
        let named = |kind: &Kind| {
            only.is_none_or(|only| {
                let mut names = only.split(',');
                names.any(|name| format!("{kind:?}").eq_ignore_ascii_case(name))
            })
        };
        let kinds: Vec<_> = Kind::ALL.into_iter().filter(named).collect();
        let mut lineup = Self {
            contest: Contest::new(&kinds),
            entrants: Vec::new(),
        };
        for kind in kinds {
            let entrant = lineup.came_of(kind, Entrant::new(kind));
            lineup.entrants.extend(entrant.map(Rc::new));
        }
        lineup
    }

    /// Those that take part, in the order of their turns.
    pub(crate) fn present(&self) -> Vec<Rc<Entrant>> {
        let kinds = self.contest.present();
        let entrants = self.entrants.iter();
        let present = entrants.filter(|entrant| kinds.contains(&entrant.kind));
        present.cloned().collect()
    }

    /// One of them.
    pub(crate) fn entrant(&self, kind: Kind) -> anyhow::Result<Rc<Entrant>> {
        let mut present = self.present().into_iter();
        let found = present.find(|entrant| entrant.kind == kind);
        found.with_context(|| format!("{} does not take part", kind.name()))
    }

    /// What was measured of a contender. If it failed, says so, and leaves it out from now on.
    pub(crate) fn came_of<T>(&mut self, kind: Kind, measured: anyhow::Result<T>) -> Option<T> {
        if let Err(error) = &measured {
            eprintln!("  {} is left out: {error:#}", kind.name());
        }
        self.contest.came_of(kind, measured)
    }

    /// The section of the page: versions, and who does not take part and why.
    pub(crate) fn text(&self) -> String {
        let mut text =
            "## Contenders\n\n| contender | versions | set up |\n|---|---|---|\n".to_owned();
        let version = broker_version().unwrap_or_else(|error| format!("{error:#}"));
        let broker = (Kind::Broker, version.as_str());
        let entrants = self.entrants.iter();
        let entrants = entrants.map(|entrant| (entrant.kind, entrant.version.as_str()));
        for (kind, version) in std::iter::once(broker).chain(entrants) {
            let (name, setup) = (kind.name(), kind.facts().setup);
            let _ = writeln!(text, "| {name} | {version} | {setup} |");
        }
        for (kind, why) in self.contest.absent() {
            let name = kind.name();
            let _ = write!(
                text,
                "\nNot measured, or not to the end: **{name}**. {why}\n"
            );
        }
        text
    }
}

fn broker_version() -> anyhow::Result<String> {
    let help = Command::new(mosquitto::program()).arg("-h").output()?;
    let help = String::from_utf8_lossy(&help.stdout);
    let first = help.lines().next().unwrap_or_default();
    Ok(first.replace("version ", ""))
}
