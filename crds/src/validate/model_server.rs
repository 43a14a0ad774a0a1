//! What a model's server asks for: which files there must be together, and which must not.

use url::Url;

use super::Report;
use super::mqtt::secret;
use super::value::Field;
use crate::node::Value;
use crate::validated::{LoginFiles, ModelServerFiles, S3Object};

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
    s3: Option<&S3Object>,
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
    let tls = ca.is_some() || cert.is_some() || key.is_some();
    match address.map(Url::scheme) {
        Some("file") => {
            let remedy = "leave modelCredentials out";
            field.report(
                report,
                "modelAddress is a file, which has no server",
                remedy,
            );
        }
        Some("http") if tls => {
            let remedy = "use https:// in modelAddress, or leave caFile, certFile and keyFile out";
            field.report(report, "modelAddress does not use TLS", remedy);
        }
        Some("s3") if tls && s3.is_some_and(|s3| s3.endpoint.scheme() == "http") => {
            let remedy = "use https:// in it, or leave caFile, certFile and keyFile out";
            field.report(report, "modelS3.endpoint does not use TLS", remedy);
        }
        _ => {}
    }
    if let Some(scheme) = address.map(Url::scheme).filter(|scheme| *scheme != "file") {
        fits(&field, login.as_ref(), scheme == "s3", report);
    }
    Some(ModelServerFiles {
        login,
        ca,
        identity: cert.zip(key),
    })
}

/// Only S3 has keys, and it has nothing else.
fn fits(field: &Field, login: Option<&LoginFiles>, s3: bool, report: &mut Report) {
    let name = match login {
        None => return,
        Some(LoginFiles::S3 { .. }) => "accessKeyFile",
        Some(LoginFiles::Basic { .. }) => "usernameFile",
        Some(LoginFiles::Bearer(_)) => "tokenFile",
        Some(LoginFiles::Header(_)) => "headerFile",
    };
    if s3 && name != "accessKeyFile" {
        let message = format!("an s3:// address takes no {name}");
        field.report(report, message, "give accessKeyFile and secretKeyFile");
    } else if !s3 && name == "accessKeyFile" {
        let remedy = "write s3://bucket/key in modelAddress, or give other credentials";
        field.report(report, "accessKeyFile is for s3:// addresses", remedy);
    }
}

fn login(field: &Field, report: &mut Report) -> Option<LoginFiles> {
    let username = field.text("usernameFile");
    let password = field.text("passwordFile");
    let (access, secret) = (field.text("accessKeyFile"), field.text("secretKeyFile"));
    let session = field.text("sessionTokenFile");
    let pairs = [
        ("passwordFile", &password, "usernameFile", &username),
        ("accessKeyFile", &access, "secretKeyFile", &secret),
        ("secretKeyFile", &secret, "accessKeyFile", &access),
        ("sessionTokenFile", &session, "accessKeyFile", &access),
    ];
    for (name, file, needs, other) in pairs {
        if file.is_some() && other.is_none() {
            let message = format!("{name} is given without {needs}");
            field.report(report, message, format!("give {needs}, too"));
        }
    }
    let basic = username.map(|username| LoginFiles::Basic { username, password });
    let bearer = field.text("tokenFile").map(LoginFiles::Bearer);
    let header = field.text("headerFile").map(LoginFiles::Header);
    let s3 = access
        .zip(secret)
        .map(|(access_key, secret_key)| LoginFiles::S3 {
            access_key,
            secret_key,
            session_token: session,
        });
    let given = [
        ("accessKeyFile", s3),
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
