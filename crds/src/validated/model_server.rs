//! The server of a model's zip: what it asks for, in files, and an object in an S3 store.

/// Files with what a model server asks for, read at each download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelServerFiles {
    /// What a request carries.
    pub login: Option<LoginFiles>,
    /// Authorities to trust instead of the system's.
    pub ca: Option<String>,
    /// The client's certificate chain and private key.
    pub identity: Option<(String, String)>,
}

impl ModelServerFiles {
    /// All files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let login = match &self.login {
            None => [None, None, None],
            Some(LoginFiles::Basic { username, password }) => {
                [Some(username), password.as_ref(), None]
            }
            Some(LoginFiles::Bearer(file) | LoginFiles::Header(file)) => [Some(file), None, None],
            Some(LoginFiles::S3 {
                access_key,
                secret_key,
                session_token,
            }) => [Some(access_key), Some(secret_key), session_token.as_ref()],
        };
        let identity = self.identity.iter().flat_map(|(cert, key)| [cert, key]);
        let files = login.into_iter().flatten().chain(&self.ca).chain(identity);
        files.map(String::as_str)
    }
}

/// Files of what a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginFiles {
    /// User name and password.
    Basic {
        /// File with the user name.
        username: String,
        /// File with the password.
        password: Option<String>,
    },
    /// A bearer token.
    Bearer(String),
    /// A header with its name.
    Header(String),
    /// Keys of an S3 store.
    S3 {
        /// File with the access key.
        access_key: String,
        /// File with the secret key.
        secret_key: String,
        /// File with the session token.
        session_token: Option<String>,
    },
}

/// An object in an S3 store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    /// The store's address.
    pub endpoint: url::Url,
    /// Its region.
    pub region: String,
    /// Whether the bucket stands in the path of a request and not before the host.
    pub path_style: bool,
    /// The bucket.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
}
