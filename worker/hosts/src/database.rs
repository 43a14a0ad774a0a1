//! The databases that a model may use, with their credentials, which only its hosts get: in their first frame, never by
//! environment or command line.

use std::path::Path;
use std::sync::Arc;

use crds::ValidatedRuntime;
use crds::validated::ValidatedDatabase;
use serde::Serialize;

/// A database with its credentials.
#[derive(Clone, Serialize)]
pub struct Database {
    /// The name that models use.
    pub name: String,
    /// Its address as SQLAlchemy writes it.
    pub url: String,
    /// The user's name.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
}

impl Database {
    /// The file of a database that is one: SQLite's.
    pub(crate) fn file(&self) -> Option<&Path> {
        let rest = self.url.strip_prefix("sqlite")?;
        let (_, path) = rest.split_once(":///")?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Some(Path::new(path)).filter(|path| path.is_absolute())
    }
}

impl std::fmt::Debug for Database {
    /// Never shows the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A database of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A file with credentials.
    #[error(
        "databases[{index}].{field}: failed to read {path:?}: {error}; give the path of a readable file"
    )]
    Credential {
        /// Index in `databases`.
        index: usize,
        /// The field that names the file.
        field: &'static str,
        /// The file.
        path: String,
        /// The system's error.
        error: std::io::Error,
    },
    /// A Secret, which only a cluster has.
    #[error(
        "databases[{0}].credentialsSecretRef: there are no Secrets on this machine; give usernameFile and passwordFile \
         instead"
    )]
    Secret(usize),
}

/// The databases of each model, in the order of the models. Files of databases that no model uses are not read.
///
/// # Errors
/// The first database with credentials that cannot be read.
pub fn databases(runtime: &ValidatedRuntime) -> Result<Vec<Arc<[Database]>>, DatabaseError> {
    let of_model = |indices: &[usize]| {
        let databases = indices.iter().filter_map(|index| {
            let database = runtime.databases.get(*index)?;
            Some(read(*index, database))
        });
        databases.collect()
    };
    let funcs = runtime.funcs.iter();
    funcs.map(|func| of_model(&func.databases)).collect()
}

fn read(index: usize, database: &ValidatedDatabase) -> Result<Database, DatabaseError> {
    if database.credentials_secret.is_some() {
        return Err(DatabaseError::Secret(index));
    }
    let content = |field, path: &Option<String>| {
        let Some(path) = path else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path).map_err(|error| DatabaseError::Credential {
            index,
            field,
            path: path.clone(),
            error,
        })?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned()))
    };
    Ok(Database {
        name: database.name.clone(),
        url: database.url.clone(),
        username: content("usernameFile", &database.username_file)?,
        password: content("passwordFile", &database.password_file)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_a_file_names_it() {
        for (url, expected) in [
            ("sqlite:////var/lib/plant.db", Some("/var/lib/plant.db")),
            (
                "sqlite+pysqlite:////data/a.db?timeout=5",
                Some("/data/a.db"),
            ),
            ("sqlite:///relative.db", None),
            ("sqlite://", None),
            ("postgresql://h/d", None),
        ] {
            let database = Database {
                name: "plant".to_owned(),
                url: url.to_owned(),
                username: None,
                password: None,
            };
            assert_eq!(database.file(), expected.map(Path::new), "{url}");
        }
    }

    const CONFIG: &str = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs:
- {modelName: m, modelAddress: file:///m.zip, databases: [plant]}
- {modelName: n, modelAddress: file:///n.zip}
databases:
- {name: other, url: 'mysql://h/d', passwordFile: /missing, usernameFile: /missing}
- {name: plant, url: 'mysql+pymysql://h/d', usernameFile: FOLDER/user, passwordFile: FOLDER/password}
";

    #[test]
    fn files_are_read_for_the_models_that_use_them_and_debug_shows_no_password() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("user"), "plant\r\n").unwrap();
        std::fs::write(folder.path().join("password"), "canary \n\n").unwrap();
        let config = CONFIG.replace("FOLDER", &folder.path().display().to_string());
        let runtime = crds::load(&config, "c").unwrap();
        let databases = super::databases(&runtime).unwrap();
        assert_eq!((databases[0].len(), databases[1].len()), (1, 0));
        let plant = &databases[0][0];
        assert_eq!(plant.username.as_deref(), Some("plant"));
        // One line end is the editor's; another one is the password's.
        assert_eq!(plant.password.as_deref(), Some("canary \n"));
        let shown = format!("{databases:?}");
        assert!(
            shown.contains("plant") && !shown.contains("canary"),
            "{shown}"
        );
        let runtime = crds::load(&config.replace("[plant]", "[other]"), "c").unwrap();
        let error = super::databases(&runtime).unwrap_err().to_string();
        assert!(
            error.starts_with("databases[0].usernameFile: failed to read \"/missing\": "),
            "{error}"
        );
    }
}
