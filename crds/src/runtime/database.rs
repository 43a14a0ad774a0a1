//! A database that models may use: address and credentials.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Func;
use crate::cluster::SecretReference;
use crate::constraint::rule::{CelRule, rule, visible};
use crate::constraint::{name, path, text};

/// A database that models may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = no_user_of_sqlite(), transform = rule(
    "!has(self.usernameFile) && !has(self.passwordFile)",
    "usernameFile and passwordFile are for a worker outside a cluster; put username and password into a Secret and name it in credentialsSecretRef",
))]
pub struct Database {
    /// The name that models use for this database; unique.
    #[schemars(transform = name, transform = visible)]
    pub name: String,
    /// The database's address as SQLAlchemy writes it, without user and password: `postgresql+pg8000://host:5432/plant`,
    /// `mysql+pymysql://host/plant`, `sqlite:////var/lib/plant.db`.
    #[schemars(
        transform = text(1, 1024),
        transform = database_url(),
        transform = no_credentials(),
        transform = known_dialect()
    )]
    pub url: String,
    /// In a cluster: the Secret whose keys `username` and `password` the database asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretReference>,
    /// File that holds the user name (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub username_file: Option<String>,
    /// File that holds the password (a trailing newline is ignored; needs `usernameFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub password_file: Option<String>,
}

impl Func {
    /// Whether the model may use the database of this name.
    pub fn uses(&self, database: &str) -> bool {
        self.databases.iter().any(|name| name == database)
    }
}

/// The URL is not repeated where it may hold a password.
fn database_url() -> CelRule {
    rule(
        r"self.matches('^[a-z][a-z0-9_]*([+][a-z][a-z0-9_]*)?://[^\\s/?#@]*([/?][^\\s]*)?$')",
        "write it as postgresql+pg8000://host:5432/database or sqlite:////path/file.db, without user and password",
    )
    .saying(
        r#"(self.matches('[@?]') ? 'the URL' : '"' + self + '"') + ' is not one that a database has; write it as postgresql+pg8000://host:5432/database or sqlite:////path/file.db, without user and password'"#,
    )
}

fn no_credentials() -> CelRule {
    rule(
        "!self.matches('(?i)[?&](user|username|uid|password|passwd|pwd|sslpassword|odbc_connect)=')",
        "the URL holds credentials in its query; put username and password into a Secret and name it in credentialsSecretRef",
    )
}

fn no_user_of_sqlite() -> CelRule {
    rule(
        "!has(self.credentialsSecretRef) || !self.url.matches('^sqlite[:+]')",
        "SQLite has no users; leave credentialsSecretRef out",
    )
}

fn known_dialect() -> CelRule {
    rule(
        "!self.matches('^(postgres|sqlserver)(:|[+])')",
        "SQLAlchemy has other names; write postgresql+pg8000://... for PostgreSQL or mssql+pymssql://... for SQL Server",
    )
}

/// Every model names databases that there are.
pub(super) fn known_database() -> CelRule {
    rule(
        "!has(self.funcs) || self.funcs.all(f, !has(f.databases) || f.databases.all(n, has(self.databases) && self.databases.exists(d, d.name == n)))",
        "an entry of funcs[].databases is not the name of an entry in databases; use one that is, or add that database to databases",
    )
    .about(".funcs")
}

/// A model names a database once.
pub(super) fn once() -> CelRule {
    rule(
        "self.all(n, self.exists_one(o, o == n))",
        "a database is named twice; name each once",
    )
}
