//! Decides which files of a folder are left out of its zip: by default, and by `.edgemodelignore`.
//!
//! The syntax is that of `.gitignore` without character classes and escapes: the last rule that matches decides.

/// The file with the rules of a folder.
pub(super) const FILE: &str = ".edgemodelignore";

/// Rules of every folder, before those of its file: secrets, version control, editors, caches and tests.
const DEFAULTS: &str = "\
.edgemodelignore
.env
.env.*
.git
.gitignore
.hg
.svn
.venv
venv
.idea
.vscode
.mypy_cache
.pytest_cache
.ruff_cache
.ipynb_checkpoints
/tests/
";

/// A line of [`FILE`] that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) pattern: String,
}

/// The rules of a folder.
#[derive(Debug)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// The pattern of each level of a path; `None` is `**`, any number of levels.
    levels: Vec<Option<Vec<char>>>,
    folders_only: bool,
    keep: bool,
}

impl Rules {
    /// The default rules and those of `text`.
    pub(super) fn read(text: &str) -> Result<Self, Invalid> {
        let mut rules: Vec<_> = DEFAULTS.lines().filter_map(Rule::read).collect();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.contains(['[', ']', '\\']) && !line.starts_with('#') {
                return Err(Invalid {
                    line: index + 1,
                    pattern: line.to_owned(),
                });
            }
            rules.extend(Rule::read(line));
        }
        Ok(Self(rules))
    }

    /// Whether the file or folder at `path`, from the root of the model, is left out.
    pub(super) fn leave_out(&self, path: &str, is_folder: bool) -> bool {
        let path: Vec<Vec<char>> = path.split('/').map(|name| name.chars().collect()).collect();
        let matching =
            |rule: &&Rule| (is_folder || !rule.folders_only) && levels_match(&rule.levels, &path);
        self.0
            .iter()
            .rev()
            .find(matching)
            .is_some_and(|rule| !rule.keep)
    }
}

impl Rule {
    /// The rule of a line; `None` for a comment or an empty line.
    fn read(line: &str) -> Option<Self> {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (keep, pattern) = match line.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, line),
        };
        let (folders_only, pattern) = match pattern.strip_suffix('/') {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        // A pattern of one level matches at any depth.
        let anchored = pattern.contains('/');
        let names = pattern.strip_prefix('/').unwrap_or(pattern).split('/');
        let mut levels: Vec<_> = names
            .map(|name| (name != "**").then(|| name.chars().collect()))
            .collect();
        if !anchored {
            levels.insert(0, None);
        }
        Some(Self {
            levels,
            folders_only,
            keep,
        })
    }
}

fn levels_match(pattern: &[Option<Vec<char>>], path: &[Vec<char>]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((None, rest)) => (0..=path.len()).any(|skipped| levels_match(rest, &path[skipped..])),
        Some((Some(name), rest)) => path
            .split_first()
            .is_some_and(|(first, path)| name_matches(name, first) && levels_match(rest, path)),
    }
}

/// Whether a name matches a pattern with `*` and `?`. Takes time in proportion to the product of their lengths at most.
fn name_matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to resume if what follows the last `*` does not match.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(one) if *one == '?' || *one == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (at, read) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `rules` in the file, what becomes of a path; one that ends with `/` is a folder.
    #[track_caller]
    fn check(rules: &str, path: &str, left_out: bool) {
        let rules = Rules::read(rules).unwrap();
        let (name, is_folder) = match path.strip_suffix('/') {
            Some(name) => (name, true),
            None => (path, false),
        };
        assert_eq!(rules.leave_out(name, is_folder), left_out, "{path}");
    }

    #[test]
    fn secrets_version_control_caches_and_tests_are_left_out_by_default() {
        for path in [
            ".env",
            "a/.env",
            ".env.production",
            ".git/",
            ".git",
            "notebooks/.ipynb_checkpoints/",
            "tests/",
            ".edgemodelignore",
        ] {
            check("", path, true);
        }
        for path in ["index.py", "env", "tests", "lib/tests/", "wheels/", "a.env"] {
            check("", path, false);
        }
    }

    #[test]
    fn rules_mean_what_they_mean_in_gitignore() {
        for (rules, path, left_out) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "data/a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("data/*.csv", "data/a.csv", true),
            ("data/*.csv", "x/data/a.csv", false),
            ("data/*.csv", "data/x/a.csv", false),
            ("/data", "data/", true),
            ("/data", "x/data/", false),
            ("data/", "data/", true),
            ("data/", "data", false),
            ("**/raw", "a/b/raw", true),
            ("raw/**", "raw/a/b", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("?.bin", "a.bin", true),
            ("?.bin", "ab.bin", false),
            ("*.csv\n!keep.csv", "keep.csv", false),
            ("!keep.csv\n*.csv", "keep.csv", true),
            ("!tests/", "tests/", false),
            ("# *.csv\n\n", "a.csv", false),
            ("设*", "设备.csv", true),
        ] {
            check(rules, path, left_out);
        }
    }

    #[test]
    fn what_the_syntax_leaves_out_is_refused_with_its_line() {
        let invalid = Rules::read("*.csv\nx[ab]").unwrap_err();
        assert_eq!((invalid.line, invalid.pattern.as_str()), (2, "x[ab]"));
        assert!(Rules::read("# [ab]").is_ok());
    }

    /// A pattern of many stars would take exponential time in a naive matcher.
    #[test]
    fn a_pattern_of_many_stars_ends() {
        check(&"*a".repeat(30), &"a".repeat(29).repeat(10), true);
        check(&format!("{}b", "*a".repeat(30)), &"a".repeat(200), false);
    }
}
