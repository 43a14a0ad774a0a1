//! What a model's server asks for: which files there must be together, and which must not.

use url::Url;

use super::Report;
use super::mqtt::secret;
use super::value::Field;
use crate::node::Value;
use crate::validated::{LoginFiles, ModelServerFiles};

/// The Secret that `func` names for its server.
pub(super) fn credentials_secret(func: &Field, report: &mut Report) -> Option<String> {
    let secret = secret(func, "modelCredentialsSecretRef", report);
    if let (Some(files), true) = (func.get("modelCredentials"), secret.is_some()) {
        let message = "both modelCredentials and modelCredentialsSecretRef are given";
        files.report(
            report,
            message,
            "leave out modelCredentials: the Secret holds the same",
        );
    }
    secret
}

/// The files that `func` names for the server of `address`.
pub(super) fn credentials(
    func: &Field,
    address: Option<&Url>,
    report: &mut Report,
) -> Option<ModelServerFiles> {
    let field = func.get("modelCredentials")?;
    let Value::Map(entries) = &field.node.value else {
        return None;
    };
    if entries.is_empty() {
        let remedy = "name a file, such as tokenFile, or leave modelCredentials out";
        field.report(report, "has no files", remedy);
        return None;
    }
    let login = login(&field, report);
    let ca = field.text("caFile");
    let (cert, key) = (field.text("certFile"), field.text("keyFile"));
    if cert.is_some() != key.is_some() {
        let remedy = "give certFile and keyFile, or neither";
        field.report(report, "a client certificate needs its key", remedy);
    }
    match address.map(Url::scheme) {
        Some("file") => {
            let remedy = "leave modelCredentials out";
            field.report(
                report,
                "modelAddress is a file, which has no server",
                remedy,
            );
        }
        Some("http") if ca.is_some() || cert.is_some() || key.is_some() => {
            let remedy = "use https:// in modelAddress, or leave caFile, certFile and keyFile out";
            field.report(report, "modelAddress does not use TLS", remedy);
        }
        _ => {}
    }
    Some(ModelServerFiles {
        login,
        ca,
        identity: cert.zip(key),
    })
}

fn login(field: &Field, report: &mut Report) -> Option<LoginFiles> {
    let username = field.text("usernameFile");
    let password = field.text("passwordFile");
    if password.is_some() && username.is_none() {
        let message = "passwordFile is given without usernameFile";
        field.report(report, message, "give usernameFile, too");
    }
    let basic = username.map(|username| LoginFiles::Basic { username, password });
    let bearer = field.text("tokenFile").map(LoginFiles::Bearer);
    let header = field.text("headerFile").map(LoginFiles::Header);
    let given = [
        ("usernameFile", basic),
        ("tokenFile", bearer),
        ("headerFile", header),
    ];
    let given = given.into_iter();
    let mut given = given.filter_map(|(name, login)| Some((name, login?)));
    let (name, login) = given.next()?;
    if let Some((other, _)) = given.next() {
        let message = format!("both {name} and {other} are given");
        let remedy = "keep one of them: a request carries one kind of credentials";
        field.report(report, message, remedy);
    }
    Some(login)
}
