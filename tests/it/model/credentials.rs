//! Models from a store with a login: a real web server that asks for each kind of credentials.

use std::path::Path;

use crds::Reason;
use crds::validated::ValidatedFunc;
use packages::{Error, Installed, Origin, Packed, Store};
use tests::certificates::Certificates;
use tests::mosquitto::free_port;
use tests::nginx::Nginx;
use tests::scripted_server::{ScriptedServer, response};
use tests::site::Models;

use super::{INDEX, options};

/// In each secret: it must be seen nowhere.
const CANARY: &str = "canary-8e21";

/// Three servers: one over plain HTTP, one over TLS, and one over TLS that asks for a client certificate.
struct Shop {
    nginx: Nginx,
    plain: u16,
    secure: u16,
    mutual: u16,
    certificates: Certificates,
    models: Models,
    packed: Packed,
}

impl Shop {
    async fn open(elsewhere: &str) -> anyhow::Result<Self> {
        let (plain, secure, mutual) = (free_port()?, free_port()?, free_port()?);
        let certificates = Certificates::make()?;
        let show = |path: &Path| path.display().to_string();
        let tls = format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            show(certificates.server_cert()),
            show(certificates.server_key())
        );
        let places = format!(
            "root ROOT;
             location /open/ {{ alias ROOT/; }}
             location /basic/ {{ alias ROOT/; auth_basic shop; auth_basic_user_file ROOT/users; }}
             location /bearer/ {{ alias ROOT/; if ($http_authorization != 'Bearer {CANARY}') {{ return 401; }} }}
             location /header/ {{ alias ROOT/; if ($http_private_token != '{CANARY}') {{ return 403; }} }}
             location /moved/ {{ return 302 /basic/m.zip; }}
             location /elsewhere/ {{ return 307 {elsewhere}; }}"
        );
        let servers = format!(
            "server {{ listen 127.0.0.1:{plain}; {places} }}
             server {{ listen 127.0.0.1:{secure} ssl; {tls} {places}
               ssl_verify_client optional; ssl_client_certificate {authority};
               location /anonymous/ {{ alias ROOT/; if ($ssl_client_verify != NONE) {{ return 418; }} }} }}
             server {{ listen 127.0.0.1:{mutual} ssl; {tls} {places}
               ssl_verify_client on; ssl_client_certificate {authority};
               location /anonymous/ {{ return 302 https://127.0.0.1:{secure}/anonymous/m.zip; }} }}",
            authority = show(certificates.authority())
        );
        let nginx = Nginx::start(&servers, &[plain, secure, mutual]).await?;
        let models = Models::new()?;
        let packed = models.pack("m", INDEX)?;
        std::fs::copy(&packed.path, nginx.root().join("m.zip"))?;
        let shop = Self {
            nginx,
            plain,
            secure,
            mutual,
            certificates,
            models,
            packed,
        };
        shop.set_password(CANARY)?;
        let file = |name: &str, text: &str| std::fs::write(shop.models.path().join(name), text);
        file("user", "edge\n")?;
        file("password", &format!("{CANARY}\n"))?;
        file("wrong", &format!("{CANARY}-wrong"))?;
        file("token", CANARY)?;
        file("header", &format!("Private-Token: {CANARY}\r\n"))?;
        Ok(shop)
    }

    /// Sets the server's password of the user `edge`.
    fn set_password(&self, password: &str) -> anyhow::Result<()> {
        let users = format!("edge:{{PLAIN}}{password}\n");
        Ok(std::fs::write(self.nginx.root().join("users"), users)?)
    }

    /// A model at `address`, in which the names of the servers are their ports, with the credentials of `fields`.
    fn func(&self, address: &str, fields: &str) -> anyhow::Result<ValidatedFunc> {
        let show = |path: &Path| path.display().to_string();
        let address = address
            .replace("PLAIN", &format!("http://127.0.0.1:{}", self.plain))
            .replace("SECURE", &format!("https://127.0.0.1:{}", self.secure))
            .replace("MUTUAL", &format!("https://127.0.0.1:{}", self.mutual));
        let fields = fields
            .replace("@CA", &show(self.certificates.authority()))
            .replace("@CERT", &show(self.certificates.client_cert()))
            .replace("@KEY", &show(self.certificates.client_key()))
            .replace("@DIR", &show(self.models.path()));
        let func = super::func(&address, &self.packed)?;
        if fields.is_empty() {
            return Ok(func);
        }
        let config = format!(
            "mqtts: [{{name: a, broker: tcp://h}}]\nrules: [{{sub: {{name: a, topic: in}}, pub: {{name: a, topic: out}}}}]\n\
             funcs: [{{modelName: m, modelAddress: '{address}', modelMd5: '{}', modelCredentials: {{{fields}}}}}]\n",
            self.packed.md5
        );
        let runtime = crds::load(&config, "c").map_err(|problems| anyhow::anyhow!("{problems}"))?;
        Ok(runtime.funcs[0].clone())
    }

    /// Installs it into an empty directory.
    async fn install(
        &self,
        address: &str,
        fields: &str,
    ) -> anyhow::Result<Result<Installed, Error>> {
        let directory = tempfile::tempdir()?;
        let store = Store::open(directory.path())?;
        let func = self.func(address, fields)?;
        Ok(store.install(&func, &options()).await)
    }
}

const BASIC: &str = "usernameFile: @DIR/user, passwordFile: @DIR/password";

#[tokio::test]
async fn e1_a_server_gets_what_it_asks_for() -> anyhow::Result<()> {
    let shop = Shop::open("/").await?;
    for (address, fields) in [
        ("PLAIN/open/m.zip", ""),
        ("PLAIN/basic/m.zip", BASIC),
        ("PLAIN/bearer/m.zip", "tokenFile: @DIR/token"),
        ("PLAIN/header/m.zip", "headerFile: @DIR/header"),
        ("PLAIN/moved/m.zip", BASIC),
        ("SECURE/open/m.zip", "caFile: @CA"),
        ("SECURE/basic/m.zip", &format!("caFile: @CA, {BASIC}")),
        (
            "MUTUAL/open/m.zip",
            "caFile: @CA, certFile: @CERT, keyFile: @KEY",
        ),
        (
            "MUTUAL/bearer/m.zip",
            "caFile: @CA, certFile: @CERT, keyFile: @KEY, tokenFile: @DIR/token",
        ),
        // The other server would refuse a client that shows a certificate.
        (
            "MUTUAL/anonymous/m.zip",
            "caFile: @CA, certFile: @CERT, keyFile: @KEY",
        ),
    ] {
        let installed = shop.install(address, fields).await?;
        let installed =
            installed.map_err(|error| anyhow::anyhow!("{address} {fields}: {error}"))?;
        assert_eq!(installed.origin, Origin::Downloaded, "{address} {fields}");
    }
    Ok(())
}

#[tokio::test]
async fn e1_wrong_credentials_are_refused_with_a_remedy_and_never_shown() -> anyhow::Result<()> {
    let shop = Shop::open("/").await?;
    std::fs::write(
        shop.models.path().join("no-header"),
        format!("no header {CANARY}"),
    )?;
    for (address, fields, reason, part) in [
        (
            "PLAIN/basic/m.zip",
            "",
            Reason::AccessDenied,
            "401 Unauthorized; it asks for credentials: give modelCredentials",
        ),
        (
            "PLAIN/basic/m.zip",
            "usernameFile: @DIR/user, passwordFile: @DIR/wrong",
            Reason::AccessDenied,
            "401 Unauthorized; it does not take the credentials: check the files of modelCredentials",
        ),
        (
            "PLAIN/bearer/m.zip",
            "tokenFile: @DIR/wrong",
            Reason::AccessDenied,
            "401 Unauthorized; it does not take the credentials",
        ),
        (
            "PLAIN/header/m.zip",
            "tokenFile: @DIR/token",
            Reason::AccessDenied,
            "403 Forbidden; check that the user or token of modelCredentials",
        ),
        (
            "PLAIN/open/none.zip",
            BASIC,
            Reason::ModelNotFound,
            "404 Not Found; check modelAddress, that the zip is uploaded there, and that the credentials may read it",
        ),
        (
            "SECURE/open/m.zip",
            BASIC,
            Reason::DownloadFailed,
            "UnknownIssuer; name its authority's certificate in caFile of modelCredentials",
        ),
        (
            "MUTUAL/open/m.zip",
            "caFile: @CA",
            Reason::DownloadFailed,
            "400 Bad Request; some servers answer so if they want another client certificate",
        ),
        (
            "SECURE/open/m.zip",
            "caFile: @CA, certFile: @CERT, keyFile: @CERT",
            Reason::CredentialsInvalid,
            "holds no private key; use a PEM file",
        ),
        (
            "PLAIN/header/m.zip",
            "headerFile: @DIR/no-header",
            Reason::CredentialsInvalid,
            "has no colon after the header's name",
        ),
        (
            "PLAIN/bearer/m.zip",
            "tokenFile: @DIR/none",
            Reason::CredentialsInvalid,
            "modelCredentials.tokenFile: failed to read",
        ),
    ] {
        let Err(error) = shop.install(address, fields).await? else {
            anyhow::bail!("{address} {fields} was installed");
        };
        let text = error.to_string();
        assert_eq!(error.reason(), reason, "{text}");
        assert!(text.contains(part), "{text}");
        assert!(!text.contains(CANARY), "{text}");
        let transient = reason == Reason::DownloadFailed;
        assert_eq!(error.is_transient(), transient, "{text}");
    }
    Ok(())
}

/// An answer that only someone's change makes another is asked for once, where an outage gets three tries.
#[tokio::test]
async fn e1_a_refusal_is_asked_for_once() -> anyhow::Result<()> {
    let shop = Shop::open("/").await?;
    let before = shop.nginx.requests().len();
    let refused = shop.install("PLAIN/basic/m.zip", "").await?;
    assert_eq!(
        refused.err().map(|error| error.reason()),
        Some(Reason::AccessDenied)
    );
    // A request is logged a moment after its answer.
    let requests = tests::eventually(async || {
        Ok(Some(shop.nginx.requests()).filter(|requests| requests.len() > before))
    })
    .await?;
    assert_eq!(requests.len() - before, 1, "{requests:#?}");
    Ok(())
}

/// A model server that may choose where a redirect leads must not choose who gets the credentials.
#[tokio::test]
async fn e1_a_redirect_to_another_server_carries_no_credentials() -> anyhow::Result<()> {
    let other = ScriptedServer::start(|_, _| response("401 Unauthorized", "", b"")).await?;
    let shop = Shop::open(&other.url("m.zip")).await?;
    let cases = [BASIC, "tokenFile: @DIR/token", "headerFile: @DIR/header"];
    for fields in cases {
        let error = shop.install("PLAIN/elsewhere/m.zip", fields).await?.err();
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            text.contains("401 Unauthorized; it is not the server of modelAddress"),
            "{text}"
        );
    }
    let requests = other.requests();
    assert_eq!(requests.len(), cases.len());
    for request in requests {
        let request = request.to_lowercase();
        assert!(!request.contains(CANARY), "{request}");
        assert!(!request.contains("authorization"), "{request}");
    }
    Ok(())
}

#[tokio::test]
async fn e1_a_rotated_password_is_used_at_the_next_download() -> anyhow::Result<()> {
    let shop = Shop::open("/").await?;
    let func = shop.func("PLAIN/basic/m.zip", BASIC)?;
    let store = Store::open(&shop.models.installed())?;
    store.install(&func, &options()).await?;
    shop.set_password("another")?;
    std::fs::write(shop.models.path().join("password"), "another")?;
    let folder = shop
        .models
        .installed()
        .join(format!("sha256-{}", shop.packed.sha256));
    std::fs::remove_dir_all(folder)?;
    let installed = store.install(&func, &options()).await?;
    assert_eq!(installed.origin, Origin::Downloaded);
    // What is installed needs no server, and so no credentials.
    std::fs::remove_file(shop.models.path().join("password"))?;
    let again = store.install(&func, &options()).await?;
    assert_eq!(again.origin, Origin::Cached);
    Ok(())
}
