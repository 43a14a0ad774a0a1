//! What models may do besides computing.

use crate::validate::load;
use crate::validated::{SandboxMode, SandboxNetwork, ValidatedSandbox};

const CONFIG: &str = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: file:///m.zip, sandbox: {}}]
";

fn sandbox(text: &str) -> Result<ValidatedSandbox, String> {
    let config = CONFIG.replace("sandbox: {}", &format!("sandbox: {text}"));
    match load(&config, "c") {
        Ok(mut runtime) => Ok(runtime.funcs.remove(0).sandbox),
        Err(problems) => Err(problems.to_string()),
    }
}

#[test]
fn a_model_is_confined_unless_the_configuration_says_otherwise() {
    let default = load(&CONFIG.replace(", sandbox: {}", ""), "c").unwrap();
    assert_eq!(default.funcs[0].sandbox, ValidatedSandbox::default());
    assert_eq!(sandbox("{}"), Ok(ValidatedSandbox::default()));
    assert_eq!(sandbox("{mode: 'off'}"), Ok(ValidatedSandbox::off()));
    let all = "{mode: enforce, network: none, read: [/data], write: [/var/lib/plant], processes: 20, memory: 500Mi, required: true}";
    let expected = ValidatedSandbox {
        mode: SandboxMode::Enforce,
        network: SandboxNetwork::None,
        read: vec!["/data".to_owned()],
        write: vec!["/var/lib/plant".to_owned()],
        processes: 20,
        memory: Some(500 << 20),
        required: true,
    };
    assert_eq!(sandbox(all), Ok(expected));
}

/// A list of hosts could not be kept: names are resolved by the model itself.
#[test]
fn a_network_is_all_or_none_and_paths_are_absolute() {
    for (text, expected) in [
        ("{network: [10.0.0.1]}", "funcs[0].sandbox.network"),
        ("{network: some}", "funcs[0].sandbox.network"),
        ("{mode: warn}", "funcs[0].sandbox.mode"),
        ("{memory: []}", "funcs[0].sandbox.memory"),
        ("{processes: 0}", "funcs[0].sandbox.processes"),
        (
            "{memory: 1.5G}",
            "funcs[0].sandbox.memory: \"1.5G\" is not an amount of memory; write it as 500Mi or 2Gi",
        ),
        ("{memory: 0Mi}", "is not an amount of memory"),
        ("{memory: +1Mi}", "is not an amount of memory"),
        (
            "{write: [data]}",
            "funcs[0].sandbox.write[0]: \"data\" is not an absolute path; write it from the root on, as /var/lib/plant",
        ),
        (
            "{read: ['~/x']}",
            "funcs[0].sandbox.read[0]: \"~/x\" is not an absolute path",
        ),
    ] {
        let problems = sandbox(text).unwrap_err();
        assert!(problems.contains(expected), "{problems}");
    }
}
