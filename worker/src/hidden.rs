//! Files of the worker that no model may read: its configuration, its credentials, and other models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crds::ValidatedRuntime;
use crds::validated::Credential;

/// All of them, by absolute paths: `own` and those that the configuration names.
pub(crate) fn hidden(runtime: &ValidatedRuntime, own: &[&Path]) -> Arc<[PathBuf]> {
    let mut files: Vec<PathBuf> = own.iter().map(PathBuf::from).collect();
    for mqtt in &runtime.mqtts {
        let auth = mqtt.auth.iter();
        let credentials = auth.flat_map(|auth| [Some(&auth.username), auth.password.as_ref()]);
        files.extend(
            credentials
                .flatten()
                .filter_map(|credential| match credential {
                    Credential::File(path) => Some(path.into()),
                    Credential::Text(_) => None,
                }),
        );
        let key = mqtt.tls.iter().filter_map(|tls| tls.key_file.as_ref());
        files.extend(key.map(PathBuf::from));
    }
    for database in &runtime.databases {
        let of_database = [&database.username_file, &database.password_file];
        files.extend(of_database.into_iter().flatten().map(PathBuf::from));
    }
    for func in &runtime.funcs {
        let credentials = func.credentials.iter();
        files.extend(credentials.flat_map(|files| files.paths().map(PathBuf::from)));
    }
    files.iter().map(|file| absolute(file)).collect()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_1_configuration_credentials_and_models_are_hidden() {
        let config = "
mqtts:
- {name: a, broker: 'ssl://h', auth: {usernameFile: /run/user, passwordFile: /run/password}, tls: {certFile: /run/cert, keyFile: /run/key}}
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: 'http://h/m.zip', modelMd5: x, modelCredentials: {tokenFile: /run/token}}]
databases: [{name: d, url: 'mysql://h/d', usernameFile: /run/duser, passwordFile: /run/dpassword}]
";
        let runtime = crds::load(config, "c").unwrap();
        let own = ["/var/models", "/etc/config.yaml", "token"].map(Path::new);
        let hidden = hidden(&runtime, &own);
        let expected = [
            "/var/models",
            "/etc/config.yaml",
            "/run/user",
            "/run/password",
            "/run/key",
            "/run/duser",
            "/run/dpassword",
            "/run/token",
        ];
        for path in expected {
            assert!(hidden.contains(&PathBuf::from(path)), "{path}: {hidden:?}");
        }
        assert!(hidden.iter().all(|path| path.is_absolute()));
        assert_eq!(hidden.len(), expected.len() + 1);
    }
}
