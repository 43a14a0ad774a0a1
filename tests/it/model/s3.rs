//! Models from an S3 store: a real server that verifies signatures.

use crds::Reason;
use crds::validated::ValidatedFunc;
use packages::{Error, Origin, Packed, Store};
use tests::certificates::Certificates;
use tests::s3_server::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use tests::scripted_server::{ScriptedServer, response};
use tests::site::Models;

use super::{INDEX, options};

/// A key that a URL writes otherwise.
const KEY: &str = "line 1/m+ä.zip";

/// The same in an address.
const ADDRESS: &str = "s3://models/line%201/m+%C3%A4.zip";

const KEYS: &str = "accessKeyFile: @access, secretKeyFile: @secret";

struct Shop {
    server: S3Server,
    models: Models,
    packed: Packed,
}

impl Shop {
    async fn open(server: S3Server) -> anyhow::Result<Self> {
        let models = Models::new()?;
        let packed = models.pack("m", INDEX)?;
        server.create_bucket("models").await?;
        server
            .put("models", KEY, std::fs::read(&packed.path)?)
            .await?;
        let file = |name: &str, text: &str| std::fs::write(models.path().join(name), text);
        file("access", &format!("{ACCESS_KEY}\n"))?;
        file("secret", &format!("{SECRET_KEY}\r\n"))?;
        file("wrong", &format!("{SECRET_KEY}-wrong"))?;
        Ok(Self {
            server,
            models,
            packed,
        })
    }

    /// A model at `address`, with `s3` as its store and the credentials of `files`, in which `@` is the folder.
    fn func(&self, address: &str, s3: &str, files: &str) -> anyhow::Result<ValidatedFunc> {
        let folder = format!("{}/", self.models.path().display());
        let credentials = if files.is_empty() {
            String::new()
        } else {
            format!("modelCredentials: {{{}}},", files.replace('@', &folder))
        };
        let config = format!(
            "mqtts: [{{name: a, broker: tcp://h}}]\nrules: [{{sub: {{name: a, topic: in}}, pub: {{name: a, topic: out}}}}]\n\
             funcs: [{{modelName: m, modelAddress: '{address}', modelMd5: '{}', {credentials} modelS3: {{{s3}}}}}]\n",
            self.packed.md5
        );
        let runtime = crds::load(&config, "c").map_err(|problems| anyhow::anyhow!("{problems}"))?;
        Ok(runtime.funcs[0].clone())
    }

    fn store(&self) -> String {
        format!("endpoint: '{}', region: {REGION}", self.server.url())
    }

    async fn refusal(&self, address: &str, s3: &str, files: &str) -> anyhow::Result<Error> {
        let directory = tempfile::tempdir()?;
        let func = self.func(address, s3, files)?;
        let installed = Store::open(directory.path())?
            .install(&func, &options())
            .await;
        installed
            .err()
            .ok_or_else(|| anyhow::anyhow!("{address} {s3} {files} was installed"))
    }
}

#[tokio::test]
async fn e1_a_model_comes_from_an_s3_store() -> anyhow::Result<()> {
    let shop = Shop::open(S3Server::start().await?).await?;
    let store = Store::open(&shop.models.installed())?;
    let func = shop.func(ADDRESS, &shop.store(), KEYS)?;
    let installed = store.install(&func, &options()).await?;
    assert_eq!(
        (installed.origin, installed.sha256),
        (Origin::Downloaded, Some(shop.packed.sha256))
    );
    Ok(())
}

/// MinIO in a plant mostly has a certificate of the plant's own authority.
#[tokio::test]
async fn e1_an_s3_store_may_have_a_certificate_of_its_own_authority() -> anyhow::Result<()> {
    let certificates = Certificates::make()?;
    let shop = Shop::open(S3Server::secure(&certificates).await?).await?;
    let authority = certificates.authority().display();
    let keys = format!("{KEYS}, caFile: {authority}");
    let store = Store::open(&shop.models.installed())?;
    let func = shop.func(ADDRESS, &shop.store(), &keys)?;
    let installed = store.install(&func, &options()).await?;
    assert_eq!(installed.origin, Origin::Downloaded);
    let error = shop.refusal(ADDRESS, &shop.store(), KEYS).await?;
    let text = error.to_string();
    assert!(
        text.contains("UnknownIssuer; name its authority's"),
        "{text}"
    );
    assert!(!text.contains("X-Amz"), "{text}");
    Ok(())
}

#[tokio::test]
async fn e1_what_an_s3_store_refuses_has_a_remedy_is_asked_for_once_and_shows_no_key()
-> anyhow::Result<()> {
    let shop = Shop::open(S3Server::start().await?).await?;
    let here = shop.store();
    let elsewhere = here.replace(REGION, "eu-north-9");
    let wrong = KEYS.replace("@secret", "@wrong");
    let unknown = KEYS.replace("@access", "@wrong");
    for (address, s3, files, reason, part) in [
        (
            ADDRESS,
            &here,
            wrong.as_str(),
            Reason::AccessDenied,
            "403 Forbidden (SignatureDoesNotMatch); check secretKeyFile of modelCredentials",
        ),
        (
            ADDRESS,
            &here,
            &unknown,
            Reason::AccessDenied,
            "403 Forbidden (InvalidAccessKeyId); check accessKeyFile of modelCredentials",
        ),
        (
            ADDRESS,
            &here,
            "",
            Reason::AccessDenied,
            "403 Forbidden (AccessDenied); check that modelAddress may be read without credentials",
        ),
        (
            "s3://models/none.zip",
            &here,
            KEYS,
            Reason::ModelNotFound,
            "404 Not Found (NoSuchKey); check modelAddress, that the zip is uploaded there",
        ),
        (
            "s3://none/m.zip",
            &here,
            KEYS,
            Reason::ModelNotFound,
            "404 Not Found (NoSuchBucket); check the bucket in modelAddress",
        ),
        (
            ADDRESS,
            &elsewhere,
            KEYS,
            Reason::ModelNotFound,
            "400 Bad Request (AuthorizationQueryParametersError); check modelS3.region",
        ),
    ] {
        let before = shop.server.requests().len();
        let error = shop.refusal(address, s3, files).await?;
        let text = error.to_string();
        assert!(text.contains(part), "{text}");
        assert_eq!(error.reason(), reason, "{text}");
        assert!(!error.is_transient(), "{text}");
        assert!(
            !text.contains(SECRET_KEY) && !text.contains("X-Amz"),
            "{text}"
        );
        // A request is logged a moment after its answer.
        let requests = tests::eventually(async || {
            Ok(Some(shop.server.requests()).filter(|requests| requests.len() > before))
        })
        .await?;
        assert_eq!(requests.len() - before, 1, "{requests:#?}");
    }
    Ok(())
}

/// A signature holds for one region and host, so a redirect, which Amazon sends for a bucket in another region, is no way to
/// the model; a server may send anything else with it.
#[tokio::test]
async fn e1_a_redirect_of_an_s3_store_is_not_followed() -> anyhow::Result<()> {
    let shop = Shop::open(S3Server::start().await?).await?;
    let other = ScriptedServer::start(|_, _| response("200 OK", "", b"")).await?;
    let target = other.url("m.zip?X-Amz-Signature=canary");
    let body = b"<Error><Code>TemporaryRedirect</Code></Error>";
    let first = ScriptedServer::start(move |_, _| {
        let location = format!("Location: {target}\r\n");
        response("307 Temporary Redirect", &location, body)
    })
    .await?;
    let endpoint = first.url("");
    let error = shop
        .refusal(ADDRESS, &format!("endpoint: '{endpoint}'"), KEYS)
        .await?;
    let text = error.to_string();
    assert!(
        text.contains("307 Temporary Redirect (TemporaryRedirect); check modelS3.region"),
        "{text}"
    );
    assert!(
        !text.contains("X-Amz") && !text.contains("canary"),
        "{text}"
    );
    assert_eq!(error.reason(), Reason::ModelNotFound);
    assert_eq!((first.requests().len(), other.requests().len()), (1, 0));
    let request = &first.requests()[0];
    assert!(
        request.contains("X-Amz-Credential=edge-access%2F"),
        "{request}"
    );
    assert!(!request.contains(SECRET_KEY), "{request}");
    Ok(())
}
