//! What a model's server asks for, in a cluster: keys of a Secret, and the files that stand for them in a pod.
//!
//! Which keys a Secret has is seen only when the operator reads it, so here is also what is wrong with them.

use std::collections::BTreeSet;

use super::{CA_KEY, CERT_KEY, KEY_KEY, PASSWORD_KEY, SecretKeys, USERNAME_KEY, file};
use crate::Reason;
use crate::runtime::{Func, ModelCredentials};

/// Key of a Secret with a bearer token.
pub const TOKEN_KEY: &str = "token";
/// Key of a Secret with a header and its name.
pub const HEADER_KEY: &str = "header";

/// Keys of a Secret with keys of an S3 store.
pub const ACCESS_KEY: &str = "accessKey";
/// See [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "secretKey";
/// See [`ACCESS_KEY`].
pub const SESSION_KEY: &str = "sessionToken";

/// What stands in a request, by the key that says so.
const LOGINS: [&str; 3] = [USERNAME_KEY, TOKEN_KEY, HEADER_KEY];

/// Keys that need another one.
const PAIRS: [(&str, &str); 6] = [
    (PASSWORD_KEY, USERNAME_KEY),
    (CERT_KEY, KEY_KEY),
    (KEY_KEY, CERT_KEY),
    (ACCESS_KEY, SECRET_KEY),
    (SECRET_KEY, ACCESS_KEY),
    (SESSION_KEY, ACCESS_KEY),
];

/// What is wrong with the keys of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It has none that is read.
    #[error("Secret {secret:?} has none of the keys {}; add what the model's server asks for", .known.join(", "))]
    None {
        /// The Secret.
        secret: String,
        /// Those that are read.
        known: Vec<&'static str>,
    },
    /// It has one without the other.
    #[error("Secret {secret:?} has the key {has:?} without {needs:?}; add {needs:?} to the Secret")]
    Alone {
        /// The Secret.
        secret: String,
        /// The key that is there.
        has: &'static str,
        /// The key that is not.
        needs: &'static str,
    },
    /// It has two that exclude each other.
    #[error(
        "Secret {secret:?} has the keys {one:?} and {other:?}; remove one of them: a request carries one kind of \
         credentials"
    )]
    Both {
        /// The Secret.
        secret: String,
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
}

impl KeyFault {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::None { .. } | Self::Alone { .. } => Reason::SecretKeyMissing,
            Self::Both { .. } => Reason::SecretKeyConflict,
        }
    }
}

/// The keys that a worker reads of the Secret of a model's server.
pub(super) fn keys(func: &Func) -> Vec<&'static str> {
    let mut keys = if scheme(&func.model_address) == "s3" {
        vec![ACCESS_KEY, SECRET_KEY, SESSION_KEY]
    } else {
        vec![USERNAME_KEY, PASSWORD_KEY, TOKEN_KEY, HEADER_KEY]
    };
    if !is_plain(func) {
        keys.extend([CA_KEY, CERT_KEY, KEY_KEY]);
    }
    keys
}

/// What is wrong with the Secret of `func`'s server, if it is there.
pub fn fault_of_keys(func: &Func, secrets: &SecretKeys) -> Option<KeyFault> {
    let secret = &func.model_credentials_secret_ref.as_ref()?.name;
    let present = present(func, secrets.get(secret)?);
    if present.is_empty() {
        let (secret, known) = (secret.clone(), keys(func));
        return Some(KeyFault::None { secret, known });
    }
    let alone = PAIRS
        .iter()
        .find(|(has, needs)| present.contains(has) && !present.contains(needs));
    if let Some(&(has, needs)) = alone {
        let secret = secret.clone();
        return Some(KeyFault::Alone { secret, has, needs });
    }
    let mut logins = LOGINS.into_iter().filter(|key| present.contains(key));
    let (one, other) = (logins.next()?, logins.next()?);
    let secret = secret.clone();
    Some(KeyFault::Both { secret, one, other })
}

/// Names files in place of the Secret.
pub(super) fn name_files(func: &mut Func, secrets: &SecretKeys) {
    let Some(secret) = func.model_credentials_secret_ref.take() else {
        return;
    };
    let keys = secrets.get(&secret.name).cloned().unwrap_or_default();
    let present = present(func, &keys);
    let path = |key| present.contains(key).then(|| file(&secret.name, key));
    func.model_credentials = Some(ModelCredentials {
        username_file: path(USERNAME_KEY),
        password_file: path(PASSWORD_KEY),
        token_file: path(TOKEN_KEY),
        header_file: path(HEADER_KEY),
        access_key_file: path(ACCESS_KEY),
        secret_key_file: path(SECRET_KEY),
        session_token_file: path(SESSION_KEY),
        ca_file: path(CA_KEY),
        cert_file: path(CERT_KEY),
        key_file: path(KEY_KEY),
    });
}

fn present(func: &Func, keys: &BTreeSet<String>) -> BTreeSet<&'static str> {
    let read = self::keys(func).into_iter();
    read.filter(|key| keys.contains(*key)).collect()
}

/// Whether the model's server is reached without TLS.
fn is_plain(func: &Func) -> bool {
    let endpoint = func.model_s3.as_ref().and_then(|s3| s3.endpoint.as_ref());
    match scheme(&func.model_address).as_str() {
        "s3" => endpoint.is_some_and(|endpoint| scheme(endpoint) == "http"),
        scheme => scheme == "http",
    }
}

fn scheme(address: &str) -> String {
    let scheme = address.split("://").next().unwrap_or_default();
    scheme.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::SecretReference;

    fn func(address: &str) -> Func {
        Func {
            model_address: address.to_owned(),
            model_credentials_secret_ref: Some(SecretReference {
                name: "store".to_owned(),
            }),
            ..Func::default()
        }
    }

    fn secrets(keys: &[&str]) -> SecretKeys {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        SecretKeys::from([("store".to_owned(), keys)])
    }

    #[test]
    fn e1_the_keys_of_a_secret_belong_together() {
        let said = |address: &str, keys: &[&str]| {
            let fault = fault_of_keys(&func(address), &secrets(keys));
            fault.map(|fault| (fault.reason(), fault.to_string()))
        };
        for keys in [
            &["username", "password", "other"][..],
            &["username"],
            &["token"],
            &["header", "ca.crt"],
            &["ca.crt"],
            &["tls.crt", "tls.key", "token"],
        ] {
            assert_eq!(said("https://h/m.zip", keys), None, "{keys:?}");
        }
        for (address, keys, reason, expected) in [
            (
                "https://h/m.zip",
                &["Token"][..],
                Reason::SecretKeyMissing,
                "Secret \"store\" has none of the keys username, password, token, header, ca.crt, tls.crt, tls.key; add",
            ),
            (
                "HTTP://h/m.zip",
                &["ca.crt"],
                Reason::SecretKeyMissing,
                "Secret \"store\" has none of the keys username, password, token, header; add what",
            ),
            (
                "https://h/m.zip",
                &["password", "token"],
                Reason::SecretKeyMissing,
                "Secret \"store\" has the key \"password\" without \"username\"; add \"username\" to the Secret",
            ),
            (
                "https://h/m.zip",
                &["tls.key", "token"],
                Reason::SecretKeyMissing,
                "Secret \"store\" has the key \"tls.key\" without \"tls.crt\"",
            ),
            (
                "s3://models/m.zip",
                &["accessKey", "token"],
                Reason::SecretKeyMissing,
                "Secret \"store\" has the key \"accessKey\" without \"secretKey\"",
            ),
            (
                "s3://models/m.zip",
                &["token"],
                Reason::SecretKeyMissing,
                "Secret \"store\" has none of the keys accessKey, secretKey, sessionToken, ca.crt,",
            ),
            (
                "https://h/m.zip",
                &["username", "password", "token"],
                Reason::SecretKeyConflict,
                "Secret \"store\" has the keys \"username\" and \"token\"; remove one of them",
            ),
        ] {
            let (found, text) = said(address, keys).unwrap();
            assert_eq!(found, reason, "{text}");
            assert!(text.starts_with(expected), "{text}");
        }
    }

    #[test]
    fn e1_keys_become_files_and_certificates_only_with_tls() {
        let files = |address: &str| {
            let mut func = func(address);
            name_files(&mut func, &secrets(&["token", "ca.crt", "unread"]));
            assert_eq!(func.model_credentials_secret_ref, None);
            func.model_credentials.unwrap()
        };
        let plain = ModelCredentials {
            token_file: Some("/etc/edgemodel/secrets/store/token".to_owned()),
            ..ModelCredentials::default()
        };
        assert_eq!(files("http://h/m.zip"), plain);
        let secure = ModelCredentials {
            ca_file: Some("/etc/edgemodel/secrets/store/ca.crt".to_owned()),
            ..plain
        };
        assert_eq!(files("https://h/m.zip"), secure);
    }
}
