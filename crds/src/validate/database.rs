//! Databases, and which of them a model uses.

use std::collections::HashSet;

use super::Report;
use super::mqtt::secret;
use super::value::Field;
use crate::validated::ValidatedDatabase;

const USE_URL: &str =
    "write it as postgresql+pg8000://host:5432/database or sqlite:////path/file.db";

/// What stands in a query where drivers expect credentials, or a connection string that holds them.
const CREDENTIALS: [&str; 8] = [
    "user",
    "username",
    "uid",
    "password",
    "passwd",
    "pwd",
    "sslpassword",
    "odbc_connect",
];

/// The databases that models may name.
pub(super) struct Known<'a> {
    /// Those that could be read.
    pub(super) databases: &'a [ValidatedDatabase],
    /// The names of all.
    pub(super) names: &'a HashSet<String>,
}

pub(super) fn database(
    field: &Field,
    names: &mut HashSet<String>,
    report: &mut Report,
) -> Option<ValidatedDatabase> {
    let name = field.unique_name("name", names, report);
    let url = field.get("url").and_then(|url| self::url(&url, report));
    let username_file = field.text("usernameFile");
    let password_file = field.text("passwordFile");
    let credentials_secret = secret(field, "credentialsSecretRef", report);
    let files = username_file.is_some() || password_file.is_some();
    if credentials_secret.is_some() && files {
        let remedy = "leave out the files: the Secret holds user and password";
        let message = "both credentialsSecretRef and usernameFile or passwordFile are given";
        field.report(report, message, remedy);
    } else if (files || credentials_secret.is_some())
        && url.as_deref().is_some_and(|url| url.starts_with("sqlite"))
    {
        let remedy = "leave the credentials out";
        field.report(report, "SQLite has no users", remedy);
    } else if password_file.is_some() && username_file.is_none() {
        field.report(
            report,
            "passwordFile is given without usernameFile",
            "give usernameFile, too",
        );
    }
    Some(ValidatedDatabase {
        name: name?,
        url: url?,
        username_file,
        password_file,
        credentials_secret,
    })
}

fn url(field: &Field, report: &mut Report) -> Option<String> {
    let text = field.as_text()?;
    let Some((message, remedy)) = fault(text) else {
        return Some(text.to_owned());
    };
    // The URL is not repeated where it may hold a password.
    let shown = if text.contains(['@', '?']) {
        "the URL".to_owned()
    } else {
        format!("{text:?}")
    };
    field.report(report, format!("{shown} {message}"), remedy);
    None
}

/// What is wrong with a URL, and the remedy.
fn fault(text: &str) -> Option<(&'static str, &'static str)> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some(("has a blank", "write it as %20"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some(("is not a database's URL", USE_URL));
    };
    let (dialect, driver) = match scheme.split_once('+') {
        Some((dialect, driver)) => (dialect, Some(driver)),
        None => (scheme, None),
    };
    match dialect {
        "postgres" => {
            return Some((
                "has a dialect that SQLAlchemy does not know",
                "write postgresql+pg8000://, or postgresql:// with another driver",
            ));
        }
        "sqlserver" => {
            return Some((
                "has a dialect that SQLAlchemy does not know",
                "write mssql+pymssql://, or mssql+ with another driver",
            ));
        }
        _ if !is_word(dialect) || driver.is_some_and(|driver| !is_word(driver)) => {
            return Some(("is not a database's URL", USE_URL));
        }
        _ => {}
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').filter_map(|pair| pair.split_once('='));
    if authority.contains('@') || names.any(|(name, _)| is_credential(name)) {
        return Some((
            "holds credentials",
            "put them into files and name these in usernameFile and passwordFile, or into a Secret and name it in \
             credentialsSecretRef",
        ));
    }
    rest[authority.len()..]
        .starts_with('#')
        .then_some(("has a #", USE_URL))
}

fn is_word(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(inner)
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// The indices of the databases that a model names.
pub(super) fn used(func: &Field, known: &Known<'_>, report: &mut Report) -> Vec<usize> {
    let mut used = Vec::new();
    let mut named = HashSet::new();
    for field in func.items("databases") {
        let Some(name) = field.as_text() else {
            continue;
        };
        if !named.insert(name) {
            field.report(report, format!("{name:?} is named twice"), "name it once");
        } else if !known.names.contains(name) {
            let message = format!("there is no database {name:?}");
            field.report(report, message, remedy(name, known.names));
        } else if let Some(index) = known.databases.iter().position(|one| one.name == name) {
            used.push(index);
        }
    }
    used
}

fn remedy(name: &str, names: &HashSet<String>) -> String {
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    if names.is_empty() {
        return "add it to databases, with name and url".to_owned();
    }
    crate::nearest(name, names.iter().copied()).map_or_else(
        || format!("use one of the names in databases: {}", names.join(", ")),
        |nearest| format!("did you mean {nearest:?}?"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<&str>) {
        assert_eq!(fault(url).map(|(message, _)| message), expected, "{url}");
    }

    #[test]
    fn urls_are_those_of_sqlalchemy_without_credentials() {
        for url in [
            "sqlite://",
            "sqlite:////var/lib/plant.db",
            "sqlite:///plant.db",
            "postgresql://h/d",
            "postgresql+pg8000://[::1]:5432/d?application_name=a",
            "mysql+pymysql://h:3306/d?charset=utf8mb4",
            "mssql+pyodbc://h/d?driver=ODBC+Driver+18+for+SQL+Server",
            "oracle+oracledb://h:1521/?service_name=s",
            "taos://h/d@x",
        ] {
            check(url, None);
        }
        let other = "is not a database's URL";
        for url in [
            "",
            "plant.db",
            "h:5432",
            "jdbc:mysql://h/d",
            "MySQL://h",
            "a+://h",
            "+b://h",
            "://h",
        ] {
            check(url, Some(other));
        }
        let dialect = "has a dialect that SQLAlchemy does not know";
        check("postgres://h/d", Some(dialect));
        check("sqlserver+pymssql://h/d", Some(dialect));
        let credentials = "holds credentials";
        for url in [
            "mysql://u:p@h/d",
            "mysql://u@h",
            "mysql://h/d?charset=utf8&PASSWORD=p",
            "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dp",
        ] {
            check(url, Some(credentials));
        }
        check("mysql://h /d", Some("has a blank"));
        check("mysql://h#d", Some("has a #"));
    }
}
