//! Databases, and the models that name them.

use serde_json::{Value, json};

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    let database = |name: &str| json!({ "name": name, "url": "sqlite://" });
    let with = |field: &str, value: Value| {
        let mut database = json!({ "name": "plant", "url": "mysql+pymysql://h/d" });
        database[field] = value;
        json!([database])
    };
    let urls =
        |urls: &[&str]| -> Vec<Value> { urls.iter().map(|url| with("url", json!(url))).collect() };
    let used = |names: Value| {
        let func = |databases: &Value| json!({ "modelName": "m", "modelAddress": "http://h/m.zip", "databases": databases });
        json!([func(&names)])
    };
    vec![
        case("/databases")
            .accepts(urls(&[
                "sqlite://",
                "sqlite:////var/lib/plant.db",
                "postgresql+pg8000://[::1]:5432/d?application_name=a",
                "mssql+pyodbc://h/d?driver=ODBC+Driver+18+for+SQL+Server",
                "oracle+oracledb://h:1521/?service_name=s",
            ]))
            .accepts([
                json!([database("plant"), database("archive")]),
                with("credentialsSecretRef", json!({ "name": "plant" })),
                with("name", json!("设备 1")),
            ])
            .refuses(
                urls(&[
                    "plant.db",
                    "jdbc:mysql://h/d",
                    "MySQL://h/d",
                    "mysql://u:p@h/d",
                    "mysql://h/a b",
                ]),
                &["spec.databases[0].url", "write it as postgresql+pg8000://"],
            )
            .refuses(
                urls(&[
                    "mysql://h/d?a=b&Password=p",
                    "mssql+pyodbc:///?odbc_connect=PWD",
                ]),
                &["spec.databases[0].url", "credentialsSecretRef"],
            )
            .refuses(
                urls(&["postgres://h/d", "sqlserver+pymssql://h/d"]),
                &["spec.databases[0].url", "write postgresql+pg8000://"],
            )
            .refuses(
                [json!([database("a"), database("a")])],
                &["spec.databases[1]", "Duplicate", "a"],
            )
            .refuses(
                [
                    with("usernameFile", json!("/run/user")),
                    with("passwordFile", json!("/run/password")),
                ],
                &["spec.databases[0]", "credentialsSecretRef"],
            )
            .refuses(
                [json!([{ "name": "a", "url": "sqlite://", "credentialsSecretRef": { "name": "s" } }])],
                &["spec.databases[0]", "leave credentialsSecretRef out"],
            )
            .refuses(
                [with("name", json!(" "))],
                &["spec.databases[0].name", "write some visible text"],
            )
            .refuses(
                [with("credentialsSecretRef", json!({ "name": "A" }))],
                &["credentialsSecretRef.name", "is not the name of an object"],
            )
            .refuses(
                [with("password", json!("p"))],
                &["unknown field", "spec.databases[0].password"],
            ),
        case("/funcs")
            .accepts([used(json!([]))])
            .refuses(
                [used(json!(["plant"]))],
                &["spec.funcs", "is not the name of an entry in databases"],
            )
            .refuses(
                [used(json!(["plant", "plant"]))],
                &["spec.funcs[0].databases", "name each once"],
            )
            .refuses(
                [used(json!(["a", "b", "c", "d", "e", "f", "g", "h", "i"]))],
                &["spec.funcs[0].databases", "at most 8 items"],
            ),
    ]
}

/// A runtime whose model uses a database.
pub(crate) fn used() -> Value {
    let mut spec: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/admission/spec.json"))
            .unwrap_or_default();
    spec["databases"] = json!([{ "name": "plant", "url": "sqlite://" }]);
    spec["funcs"][0]["databases"] = json!(["plant"]);
    spec
}
