//! Files with what the server of a model's zip asks for.

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
            None => [None, None],
            Some(LoginFiles::Basic { username, password }) => [Some(username), password.as_ref()],
            Some(LoginFiles::Bearer(file) | LoginFiles::Header(file)) => [Some(file), None],
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
}
