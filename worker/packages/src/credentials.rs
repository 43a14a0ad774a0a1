//! What a model server asks for: read from its files at each download, so that rotated credentials are used without a
//! restart, and kept no longer than the download takes.

mod error;
mod tls;
mod watch;

use std::fs::File;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crds::validated::{LoginFiles, ModelServerFiles, ValidatedFunc};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue,
    IF_RANGE, PROXY_AUTHORIZATION, RANGE, TRANSFER_ENCODING,
};

pub use error::Error;
pub(crate) use tls::{Tls, system_authorities};
pub use watch::Watch;

/// The largest file that is read; certificates of many authorities have a few hundred KiB.
const MOST: u64 = 1 << 20;

/// Headers that a download sets itself.
const OWN: [HeaderName; 8] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    IF_RANGE,
    PROXY_AUTHORIZATION,
    RANGE,
    TRANSFER_ENCODING,
];

/// What the model server asks for.
#[derive(Default)]
pub(crate) struct Credentials {
    /// The header that its requests carry.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
    /// Keys to sign requests for an S3 store with.
    pub(crate) keys: Option<rusty_s3::Credentials>,
    /// How TLS to it differs from the system's.
    pub(crate) tls: Tls,
}

impl std::fmt::Debug for Credentials {
    /// Never shows them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads those of a model's server.
    ///
    /// # Errors
    /// A file cannot be read, or holds something else.
    pub(crate) fn read(func: &ValidatedFunc) -> Result<Self, Error> {
        if func.credentials_secret.is_some() {
            return Err(Error::Secret);
        }
        let Some(files) = &func.credentials else {
            return Ok(Self::default());
        };
        let login = files.login.as_ref();
        Ok(Self {
            header: login.map(header).transpose()?.flatten(),
            keys: login.map(keys).transpose()?.flatten(),
            tls: tls(files)?,
        })
    }
}

fn header(files: &LoginFiles) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
    let (name, value) = match files {
        LoginFiles::Basic { username, password } => {
            let user = line("usernameFile", username)?;
            if user.contains(':') {
                let fault =
                    "holds a user name with a colon, which basic authentication cannot carry";
                let remedy = "use a user without one";
                return Err(Error::unusable("usernameFile", username, fault, remedy));
            }
            let password = password.as_ref();
            let password = password
                .map(|path| line("passwordFile", path))
                .transpose()?;
            let both = format!("{user}:{}", password.unwrap_or_default());
            let value = value(
                "usernameFile",
                username,
                format!("Basic {}", STANDARD.encode(both)),
            )?;
            (AUTHORIZATION, value)
        }
        LoginFiles::Bearer(path) => {
            let token = line("tokenFile", path)?;
            (
                AUTHORIZATION,
                value("tokenFile", path, format!("Bearer {token}"))?,
            )
        }
        LoginFiles::Header(path) => {
            let text = line("headerFile", path)?;
            let unusable = |fault| {
                let remedy = "write it as PRIVATE-TOKEN: the token";
                Error::unusable("headerFile", path, fault, remedy)
            };
            let (name, text) = text
                .split_once(':')
                .ok_or_else(|| unusable("has no colon after the header's name"))?;
            let name = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| unusable("does not begin with the name of a header"))?;
            if OWN.contains(&name) {
                return Err(unusable("holds a header that the worker sets itself"));
            }
            (name, value("headerFile", path, text.trim().to_owned())?)
        }
        LoginFiles::S3 { .. } => return Ok(None),
    };
    Ok(Some((name, value)))
}

fn keys(files: &LoginFiles) -> Result<Option<rusty_s3::Credentials>, Error> {
    let LoginFiles::S3 {
        access_key,
        secret_key,
        session_token,
    } = files
    else {
        return Ok(None);
    };
    let access = key("accessKeyFile", access_key)?;
    let secret = key("secretKeyFile", secret_key)?;
    let session = session_token.as_ref();
    let session = session
        .map(|path| key("sessionTokenFile", path))
        .transpose()?;
    Ok(Some(match session {
        None => rusty_s3::Credentials::new(access, secret),
        Some(session) => rusty_s3::Credentials::new_with_token(access, secret, session),
    }))
}

/// One word: with a blank too many, the store would only say that a signature is wrong.
fn key(field: &'static str, path: &str) -> Result<String, Error> {
    let key = line(field, path)?;
    if key.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let fault = "has a blank, line break or control character";
        let remedy = "write nothing but the key into it";
        return Err(Error::unusable(field, path, fault, remedy));
    }
    Ok(key)
}

fn value(field: &'static str, path: &str, text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        let fault = "has a line break or control character";
        Error::unusable(field, path, fault, "write it on one line")
    })?;
    // It is left out of what the HTTP library logs.
    value.set_sensitive(true);
    Ok(value)
}

fn tls(files: &ModelServerFiles) -> Result<Tls, Error> {
    let authorities = files.ca.as_ref().map(|path| {
        let pem = content("caFile", path)?;
        tls::authorities("caFile", path, &pem)
    });
    let identity = files.identity.as_ref().map(|(cert, key)| {
        let (chain, private) = (content("certFile", cert)?, content("keyFile", key)?);
        tls::identity((cert, &chain), (key, &private))
    });
    Ok(Tls {
        authorities: authorities.transpose()?,
        identity: identity.transpose()?,
    })
}

/// A file's text without its last line end.
fn line(field: &'static str, path: &str) -> Result<String, Error> {
    let text = String::from_utf8(content(field, path)?).map_err(|_| {
        let remedy = "write the file in UTF-8, without a byte order mark";
        Error::unusable(field, path, "is not text in UTF-8", remedy)
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        let remedy = "write what the server asks for into it";
        return Err(Error::unusable(field, path, "is empty", remedy));
    }
    Ok(line.to_owned())
}

fn content(field: &'static str, path: &str) -> Result<Vec<u8>, Error> {
    let unreadable = |error| Error::Unreadable {
        field,
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut content = Vec::new();
    let read = file.take(MOST + 1).read_to_end(&mut content);
    if read.map_err(unreadable)? as u64 > MOST {
        let remedy = "give the file that holds what the server asks for";
        return Err(Error::unusable(field, path, "has more than 1 MiB", remedy));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
