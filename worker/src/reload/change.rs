//! What a new configuration changes, and whether that is possible while the worker runs.

use crds::ValidatedRuntime;
use crds::validated::ValidatedFunc;

/// What changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    Nothing,
    /// The settings of these models, by index; all others continue as they are.
    Models(Vec<usize>),
    /// What is at these paths, which takes a restart.
    Restart(Vec<String>),
}

/// What changes from one configuration to another.
pub(super) fn of(known: &ValidatedRuntime, next: &ValidatedRuntime) -> Change {
    // Destructured without `..`, so that a new part is not forgotten here.
    let ValidatedRuntime {
        mqtts,
        rules,
        funcs,
        databases,
        expose,
    } = next;
    let mut restart = Vec::new();
    restart.extend(differences("mqtts", &known.mqtts, mqtts));
    restart.extend(differences("rules", &known.rules, rules));
    restart.extend(differences("databases", &known.databases, databases));
    restart.extend(differences("expose", &known.expose, expose));
    let mut models = Vec::new();
    if names(&known.funcs) == names(funcs) {
        for (index, (known, next)) in known.funcs.iter().zip(funcs).enumerate() {
            // The models that continue could read files that were not hidden from them when they started.
            if known.credentials != next.credentials {
                restart.push(format!("funcs[{index}].modelCredentials"));
            } else if known != next {
                models.push(index);
            }
        }
    } else {
        restart.push("funcs (models added, removed, renamed or reordered)".to_owned());
    }
    if !restart.is_empty() {
        Change::Restart(restart)
    } else if models.is_empty() {
        Change::Nothing
    } else {
        Change::Models(models)
    }
}

fn names(funcs: &[ValidatedFunc]) -> Vec<&str> {
    funcs.iter().map(|func| func.name.as_str()).collect()
}

/// Paths of the entries that differ; of the list, if its length does.
fn differences<T: PartialEq>(name: &str, known: &[T], next: &[T]) -> Vec<String> {
    if known.len() != next.len() {
        return vec![name.to_owned()];
    }
    let pairs = known.iter().zip(next).enumerate();
    let differ = pairs.filter(|(_, (known, next))| known != next);
    differ
        .map(|(index, _)| format!("{name}[{index}]"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
mqtts:
- {name: a, broker: 'tcp://h', auth: {username: u, password: secret}}
rules:
- {sub: {name: a, topic: in}, pub: {name: a, topic: out}}
funcs:
- {modelName: one, modelAddress: 'http://h/1.zip', modelMd5: 00000000000000000000000000000001, devices: [{deviceName: d}]}
- {modelName: two, modelAddress: 'http://h/2.zip', modelMd5: 00000000000000000000000000000002}
databases: [{name: d, url: 'sqlite:///d'}]
expose: [{name: p, protocolPort: 'tcp://:2901', outPort: 32901}]
";

    /// What changes when `from` becomes `to` in the configuration.
    #[track_caller]
    fn check(from: &str, to: &str, expected: &Change) {
        assert!(CONFIG.contains(from), "{from}");
        let load = |text: &str| crds::load(text, "c").unwrap();
        let next = load(&CONFIG.replace(from, to));
        assert_eq!(of(&load(CONFIG), &next), *expected, "{from} -> {to}");
    }

    #[test]
    fn settings_of_a_model_change_that_model_alone() {
        for (from, to) in [
            (
                "00000000000000000000000000000002",
                "00000000000000000000000000000003",
            ),
            ("00000000000000000000000000000002", "none"),
            ("http://h/2.zip", "http://other/2.zip"),
            ("modelName: two,", "modelName: two, timeout: 7s,"),
            ("modelName: two,", "modelName: two, hosts: 2,"),
            ("modelName: two,", "modelName: two, databases: [d],"),
        ] {
            check(from, to, &Change::Models(vec![1]));
        }
        check("deviceName: d", "deviceName: e", &Change::Models(vec![0]));
        check("h/", "i/", &Change::Models(vec![0, 1]));
    }

    #[test]
    fn what_means_the_same_changes_nothing() {
        check("h/2.zip", "h/2.zip", &Change::Nothing);
        check(
            "modelName: two,",
            "modelName: two, hosts: 1,",
            &Change::Nothing,
        );
        check("mqtts:", "# a comment\nmqtts:", &Change::Nothing);
    }

    #[test]
    fn everything_else_takes_a_restart_and_is_named() {
        let models = "funcs (models added, removed, renamed or reordered)";
        for (from, to, path) in [
            ("tcp://h", "tcp://i", "mqtts[0]"),
            ("secret", "another", "mqtts[0]"),
            ("topic: in", "topic: other", "rules[0]"),
            ("sqlite:///d", "sqlite:///e", "databases[0]"),
            ("32901", "32902", "expose[0]"),
            ("modelName: two", "modelName: three", models),
            (
                "- {modelName: two, modelAddress: 'http://h/2.zip', modelMd5: 00000000000000000000000000000002}\n",
                "",
                models,
            ),
            (
                "modelName: two,",
                "modelName: two, modelCredentials: {tokenFile: /t},",
                "funcs[1].modelCredentials",
            ),
        ] {
            check(from, to, &Change::Restart(vec![path.to_owned()]));
        }
        let rule = "- {sub: {name: a, topic: in}, pub: {name: a, topic: out}}";
        let two =
            format!("{rule}\n- {{sub: {{name: a, topic: in2}}, pub: {{name: a, topic: out2}}}}");
        check(rule, &two, &Change::Restart(vec!["rules".to_owned()]));
    }
}
