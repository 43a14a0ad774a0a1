//! Downloads from servers that misbehave.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use packages::Origin;
use tests::mosquitto::free_port;
use tests::scripted_server::response;
use tests::site::{Models, seed};

use super::{INDEX, install, left_behind};

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.path().join("big");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("index.py"), INDEX)?;
    let noise: String = (0..50_000).map(|number| format!("{number:x}")).collect();
    std::fs::write(folder.join("weights"), noise)?;
    let packed = models.pack_folder(&folder)?;
    let zip = std::fs::read(&packed.path)?;
    let total = zip.len();
    let (result, requests) = install(&models, &packed, move |number, request| {
        let length = format!("Content-Length: {total}\r\nETag: \"v1\"\r\n");
        if number == 0 {
            return response("200 OK", &length, &zip[..total / 2]);
        }
        let start: usize = request
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("range: bytes=")?
                    .strip_suffix('-')?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let headers = format!(
            "Content-Range: bytes {start}-{}/{total}\r\nContent-Length: {}\r\n",
            total - 1,
            total - start
        );
        response("206 Partial Content", &headers, &zip[start..])
    })
    .await?;
    assert_eq!(result?.origin, Origin::Downloaded);
    assert_eq!(requests.len(), 2);
    let second = requests[1].to_lowercase();
    assert!(second.contains("if-range: \"v1\""), "{second}");
    assert!(
        second.contains("range: bytes=") && !second.contains("range: bytes=0-"),
        "{second}"
    );
    Ok(())
}

/// A file that changed in between must not be put together from two halves.
#[tokio::test]
async fn a_file_that_changed_meanwhile_is_downloaded_from_its_start() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let (result, requests) = install(&models, &packed, move |number, _| {
        if number == 0 {
            let old = [b"PK\x03\x04".as_slice(), &[7; 100]].concat();
            return response("200 OK", "Content-Length: 5000\r\nETag: \"v1\"\r\n", &old);
        }
        response("200 OK", "ETag: \"v2\"\r\n", &zip)
    })
    .await?;
    assert_eq!(result?.md5, Some(packed.md5));
    assert_eq!(requests.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let (result, requests) = install(&models, &packed, move |number, _| match number {
        0 => response("503 Service Unavailable", "", b""),
        1 => Vec::new(),
        _ => response("200 OK", "", &zip),
    })
    .await?;
    assert_eq!(result?.origin, Origin::Downloaded);
    assert_eq!(requests.len(), 3);
    Ok(())
}

/// The address may hold a token, which is for its own server alone.
#[tokio::test]
async fn row_16_a_redirect_tells_nobody_the_address_before() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let (result, requests) = install(&models, &packed, move |number, _| match number {
        0 => response("302 Found", "Location: /elsewhere.zip\r\n", b""),
        _ => response("200 OK", "", &zip),
    })
    .await?;
    assert_eq!(result?.origin, Origin::Downloaded);
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].starts_with("GET /elsewhere.zip "),
        "{}",
        requests[1]
    );
    assert!(!requests[1].contains("secret"), "{}", requests[1]);
    Ok(())
}

#[tokio::test]
async fn e2_what_servers_say_about_a_zip_does_not_matter_if_it_is_one() -> anyhow::Result<()> {
    let zip_of = |models: &Models| anyhow::Ok(std::fs::read(models.pack("m", INDEX)?.path)?);
    let size = zip_of(&Models::new()?)?.len();
    let range = format!("Content-Range: bytes 0-{}/{size}\r\n", size - 1);
    for (status, headers, gzipped) in [
        ("200 OK", "Content-Encoding: gzip\r\n", true),
        ("203 Non-Authoritative Information", "", false),
        ("206 Partial Content", range.as_str(), false),
    ] {
        let models = Models::new()?;
        let packed = models.pack("m", INDEX)?;
        let mut body = zip_of(&models)?;
        if gzipped {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&body)?;
            body = encoder.finish()?;
        }
        let answer = response(status, headers, &body);
        let (result, _) = install(&models, &packed, move |_, _| answer.clone()).await?;
        assert_eq!(result?.md5, Some(packed.md5), "{status} {headers}");
    }
    Ok(())
}

/// The proxy comes from the environment, so it takes a process of its own to see it.
#[tokio::test]
async fn e3_a_dead_proxy_is_named() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let config = seed(
        "tcp://127.0.0.1:1",
        "http://models.example/m.zip?token=secret",
        &packed,
    )?;
    let proxy = format!("http://user:word@127.0.0.1:{}", free_port()?);
    let shown = proxy.replace("user:word@", "");
    let variables = [
        ("HTTP_PROXY", proxy.as_ref()),
        ("http_proxy", proxy.as_ref()),
    ];
    let worker =
        tests::running::Running::with_environment(&config, &models.installed(), &variables).await?;
    let refused = |status: &serde_json::Value| status["models"][0]["state"]["state"] == "refused";
    let status = worker.until(refused).await?;
    let text = status["models"][0]["state"]["message"].to_string();
    let expected = format!(
        "failed to download http://models.example/m.zip through the proxy {shown} (HTTP_PROXY"
    );
    assert!(text.contains(&expected), "{text}");
    assert!(!text.contains("secret") && !text.contains("word"), "{text}");
    worker.stop().await?;
    Ok(())
}

/// Makes an answer of a request's number and text.
type Answer = Box<dyn Fn(usize, &str) -> Vec<u8> + Send + Sync>;

#[tokio::test]
async fn whatever_a_server_answers_is_one_clear_error_without_secrets() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let other = std::fs::read(models.pack("other", "x = 1\n")?.path)?;
    let always = |bytes: Vec<u8>| -> Answer { Box::new(move |_, _| bytes.clone()) };
    let cases: Vec<(Answer, &str, &str, bool)> = vec![
        (
            always(response("404 Not Found", "", b"gone")),
            "ModelNotFound",
            "the server answered 404 Not Found; check modelAddress, that the zip is uploaded there",
            false,
        ),
        (
            always(response("401 Unauthorized", "", b"")),
            "AccessDenied",
            "401 Unauthorized; it asks for credentials: give modelCredentials",
            false,
        ),
        (
            always(response("403 Forbidden", "", b"")),
            "AccessDenied",
            "403 Forbidden; check that modelAddress may be read",
            false,
        ),
        (
            always(response("200 OK", "Content-Encoding: br\r\n", b"")),
            "DownloadFailed",
            "is sent with the Content-Encoding \"br\", which is not supported",
            true,
        ),
        (
            always(response("200 OK", "", b"<html>log in</html>")),
            "DownloadFailed",
            "is a page of HTML or XML, not a zip; check modelAddress",
            true,
        ),
        (
            always(response("200 OK", "", b"")),
            "DownloadFailed",
            "is empty, not a zip",
            true,
        ),
        (
            always(response(
                "200 OK",
                "Content-Length: 2000000\r\n",
                b"PK\x03\x04",
            )),
            "DownloadFailed",
            "has more than 1048576 bytes",
            false,
        ),
        (
            always(response(
                "200 OK",
                "",
                &[b"PK\x03\x04".as_slice(), &[0; 2_000_000]].concat(),
            )),
            "DownloadFailed",
            "has more than 1048576 bytes",
            false,
        ),
        (
            always(response("302 Found", "Location: /m.zip\r\n", b"")),
            "DownloadFailed",
            "too many redirects",
            true,
        ),
        (
            always(response("200 OK", "", &other)),
            "ChecksumMismatch",
            "correct modelMd5 or the file",
            true,
        ),
        (
            always(b"garbage\r\n\r\n".to_vec()),
            "DownloadFailed",
            "failed to download",
            true,
        ),
    ];
    for (answer, reason, part, transient) in cases {
        let (result, _) = install(&models, &packed, answer).await?;
        let Err(error) = result else {
            anyhow::bail!("{reason} was installed");
        };
        let text = error.to_string();
        assert_eq!(error.reason(), reason, "{text}");
        assert!(text.contains(part), "{text}");
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(error.is_transient(), transient, "{text}");
        assert!(
            left_behind(&models)?.is_empty(),
            "{:?}",
            left_behind(&models)?
        );
    }
    Ok(())
}
