//! What files make of a request, and what is said of those that make nothing.

use std::path::Path;

use crds::validated::ValidatedFunc;

use super::*;

/// A model whose server asks for what the files of `fields` hold.
fn func(folder: &Path, fields: &str) -> ValidatedFunc {
    let folder = folder.display().to_string();
    let address = if fields.contains("accessKeyFile") {
        "s3://models/m.zip"
    } else {
        "https://h/m.zip"
    };
    let config = format!(
        "mqtts: [{{name: a, broker: tcp://h}}]\nrules: [{{sub: {{name: a, topic: in}}, pub: {{name: a, topic: out}}}}]\n\
         funcs: [{{modelName: m, modelAddress: '{address}', {fields}}}]\n"
    );
    let runtime = crds::load(&config.replace("DIR", &folder), "c");
    runtime.unwrap().funcs.remove(0)
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn e1_a_request_carries_what_the_files_hold_and_debug_shows_nothing() {
    let files: &[(&str, &[u8])] = &[
        ("user", b"edge\r\n"),
        ("password", b"canary:\xc3\xa4 \n"),
        ("token", b"canary-token"),
        ("header", b"Private-Token:  canary-header \n"),
    ];
    let folder = folder(files);
    for (fields, name, value) in [
        (
            "modelCredentials: {usernameFile: DIR/user, passwordFile: DIR/password}",
            "authorization",
            "Basic ZWRnZTpjYW5hcnk6w6Qg",
        ),
        (
            "modelCredentials: {usernameFile: DIR/user}",
            "authorization",
            "Basic ZWRnZTo=",
        ),
        (
            "modelCredentials: {tokenFile: DIR/token}",
            "authorization",
            "Bearer canary-token",
        ),
        (
            "modelCredentials: {headerFile: DIR/header}",
            "private-token",
            "canary-header",
        ),
    ] {
        let credentials = Credentials::read(&func(folder.path(), fields)).unwrap();
        let shown = format!("{credentials:?} {:?}", credentials.header);
        assert!(
            !shown.contains("canary") && !shown.contains("ZWRn"),
            "{shown}"
        );
        let (found, carried) = credentials.header.unwrap();
        assert_eq!((found.as_str(), carried.to_str().unwrap()), (name, value));
    }
}

#[test]
fn e1_keys_of_s3_sign_and_are_in_no_header() {
    let files: &[(&str, &[u8])] = &[
        ("access", b"edge\n"),
        ("secret", b"canary\r\n"),
        ("token", b"canary"),
    ];
    let folder = folder(files);
    let keys = "accessKeyFile: DIR/access, secretKeyFile: DIR/secret";
    for (more, token) in [
        ("", None),
        (", sessionTokenFile: DIR/token", Some("canary")),
    ] {
        let func = func(
            folder.path(),
            &format!("modelCredentials: {{{keys}{more}}}"),
        );
        let credentials = Credentials::read(&func).unwrap();
        assert!(credentials.header.is_none());
        let keys = credentials.keys.unwrap();
        assert_eq!(
            (keys.key(), keys.secret(), keys.token()),
            ("edge", "canary", token)
        );
        assert!(!format!("{keys:?}").contains("canary"), "{keys:?}");
    }
}

#[test]
fn e1_a_file_that_cannot_be_used_is_named_and_nothing_of_it_shown() {
    let key = private_key();
    let large = vec![b'a'; (1 << 20) + 1];
    let files: &[(&str, &[u8])] = &[
        ("empty", b"\n"),
        ("lines", b"canary\ncanary"),
        ("colon", b"can:ary"),
        ("latin", b"canary\xe4"),
        ("plain", b"canary"),
        ("blank", b"a name: canary"),
        ("range", b"Range: canary"),
        ("key", key.as_bytes()),
        ("large", &large),
    ];
    let folder = folder(files);
    for (fields, expected) in [
        (
            "tokenFile: DIR/none",
            "tokenFile: failed to read \"DIR/none\": No such file",
        ),
        (
            "tokenFile: DIR/empty",
            "tokenFile: \"DIR/empty\" is empty; write what",
        ),
        (
            "tokenFile: DIR/lines",
            "tokenFile: \"DIR/lines\" has a line break or control character; write it on one line",
        ),
        (
            "tokenFile: DIR/latin",
            "tokenFile: \"DIR/latin\" is not text in UTF-8; write",
        ),
        (
            "tokenFile: DIR/large",
            "tokenFile: \"DIR/large\" has more than 1 MiB; give",
        ),
        (
            "usernameFile: DIR/colon",
            "usernameFile: \"DIR/colon\" holds a user name with a colon",
        ),
        (
            "usernameFile: DIR/plain, passwordFile: DIR/none",
            "passwordFile: failed to read \"DIR/none\": No such file",
        ),
        (
            "headerFile: DIR/plain",
            "headerFile: \"DIR/plain\" has no colon after the header's name;",
        ),
        (
            "headerFile: DIR/blank",
            "headerFile: \"DIR/blank\" does not begin with the name of a header;",
        ),
        (
            "headerFile: DIR/range",
            "headerFile: \"DIR/range\" holds a header that the worker sets itself;",
        ),
        (
            "caFile: DIR/plain",
            "caFile: \"DIR/plain\" holds no certificate; use a PEM file",
        ),
        (
            "caFile: DIR/key",
            "caFile: \"DIR/key\" holds no certificate; use a PEM file",
        ),
        (
            "certFile: DIR/plain, keyFile: DIR/key",
            "certFile: \"DIR/plain\" holds no certificate; use a PEM file",
        ),
        (
            "accessKeyFile: DIR/plain, secretKeyFile: DIR/none",
            "secretKeyFile: failed to read \"DIR/none\": No such file",
        ),
        (
            "accessKeyFile: DIR/lines, secretKeyFile: DIR/plain",
            "accessKeyFile: \"DIR/lines\" has a blank, line break or control character; write nothing but",
        ),
        (
            "accessKeyFile: DIR/plain, secretKeyFile: DIR/blank",
            "secretKeyFile: \"DIR/blank\" has a blank, line break or control character; write nothing but",
        ),
    ] {
        let func = func(folder.path(), &format!("modelCredentials: {{{fields}}}"));
        let text = Credentials::read(&func).unwrap_err().to_string();
        let shown = folder.path().display().to_string();
        let expected = format!("modelCredentials.{}", expected.replace("DIR", &shown));
        assert!(text.starts_with(&expected), "{text}\n{expected}");
        assert!(!text.contains("canary"), "{text}");
    }
}

/// A private key; it is in no certificate.
fn private_key() -> String {
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n"
        .to_owned()
}

#[test]
fn e1_a_secret_is_only_for_a_cluster() {
    let func = func(Path::new("/"), "modelCredentialsSecretRef: {name: s}");
    let text = Credentials::read(&func).unwrap_err().to_string();
    assert!(
        text.starts_with("modelCredentialsSecretRef: there are no Secrets"),
        "{text}"
    );
}
