//! Databases and the models that name them.

use crate::validate::load;

const CONFIG: &str = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: file:///m.zip, databases: [plant]}]
databases: [{name: plant, url: 'mysql+pymysql://h/d'}]
";
const DATABASE: &str = "{name: plant, url: 'mysql+pymysql://h/d'}";
const NAMED: &str = "databases: [plant]}";

/// The one line of the only problem.
#[track_caller]
fn rejects(from: &str, to: &str, expected: &str) {
    assert!(CONFIG.contains(from), "{from}");
    let problems = load(&CONFIG.replacen(from, to, 1), "c").expect_err("it was accepted");
    let text = problems.to_string();
    assert!(text.ends_with(expected), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn a3_a_model_names_its_databases() {
    let runtime = load(CONFIG, "c").unwrap();
    assert_eq!(runtime.funcs[0].databases, [0]);
    assert_eq!(runtime.databases[0].url, "mysql+pymysql://h/d");
    rejects(
        NAMED,
        "databases: [plan]}",
        "funcs[0].databases[0]: there is no database \"plan\"; did you mean \"plant\"?",
    );
    rejects(
        NAMED,
        "databases: [xyz]}",
        "there is no database \"xyz\"; use one of the names in databases: plant",
    );
    rejects(
        NAMED,
        "databases: [plant, plant]}",
        "funcs[0].databases[1]: \"plant\" is named twice; name it once",
    );
    rejects(
        "databases: [{name: plant, url: 'mysql+pymysql://h/d'}]\n",
        "",
        "there is no database \"plant\"; add it to databases, with name and url",
    );
}

/// One mistake is one problem: a model that names a broken database is not to blame.
#[test]
fn a_database_is_refused_with_value_and_remedy() {
    for (to, expected) in [
        (
            "{name: plant, url: 'postgres://h/d'}",
            "databases[0].url: \"postgres://h/d\" has a dialect that SQLAlchemy does not know; write \
             postgresql+pg8000://, or postgresql:// with another driver",
        ),
        (
            "{name: plant, url: 'mysql://u:canary@h/d'}",
            "databases[0].url: the URL holds credentials; put them into files and name these in usernameFile and \
             passwordFile, or into a Secret and name it in credentialsSecretRef",
        ),
        (
            "{name: plant, url: 'mysql://h/d?passwd=canary'}",
            "credentialsSecretRef",
        ),
        (
            "{name: plant, url: 'sqlite://'}, {name: plant, url: 'sqlite://'}",
            "databases[1].name: \"plant\" is used twice; give each its own name",
        ),
        (
            "{name: plant, url: 'mysql://h/d', credentialsSecretRef: {name: s}, usernameFile: /f}",
            "databases[0]: both credentialsSecretRef and usernameFile or passwordFile are given; leave out the files: \
             the Secret holds user and password",
        ),
        (
            "{name: plant, url: 'mysql://h/d', passwordFile: /f}",
            "databases[0]: passwordFile is given without usernameFile; give usernameFile, too",
        ),
        (
            "{name: plant, url: 'sqlite://', usernameFile: /f}",
            "databases[0]: SQLite has no users; leave the credentials out",
        ),
        ("{name: plant}", "databases[0].url: is missing; add it"),
        (
            "{name: plant, url: 'mysql://h/d', password: canary}",
            "databases[0].password: there is no such field; did you mean \"passwordFile\"?",
        ),
    ] {
        rejects(DATABASE, to, expected);
        let text = load(&CONFIG.replacen(DATABASE, to, 1), "c").unwrap_err();
        assert!(!text.to_string().contains("canary"), "{text}");
    }
}
