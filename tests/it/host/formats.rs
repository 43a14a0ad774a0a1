//! Payloads and results that are not JSON, and what a context tells of a message.

use crds::validated::Format;
use message::{Attributes, Properties};
use tests::pool::text;

use super::{start, with};

/// What a model gets, as Python writes it.
#[tokio::test]
async fn c8_payloads_of_every_format_are_decoded() -> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return ascii(event)\n";
    for (format, payload, expected) in [
        (Format::Text, &b"\xef\xbb\xbf23.5\n"[..], r"'23.5\n'"),
        (Format::Bytes, b"\xff\x00", r"b'\xff\x00'"),
        (Format::Csv, b"p1,23.5\r\n", "['p1', '23.5']"),
        (Format::Csv, b"a,1\nb,2\n", "[['a', '1'], ['b', '2']]"),
        (
            Format::Cbor,
            b"\xa3\x62id\x62p1\x01\xf9\x3c\x00\x61b\x42\xff\x00",
            r"{'id': 'p1', 1: 1.0, 'b': b'\xff\x00'}",
        ),
        (
            Format::Cbor,
            b"\xc2\x49\x01\0\0\0\0\0\0\0\0",
            "18446744073709551616",
        ),
        (
            Format::Msgpack,
            b"\x83\xa2id\xa2p1\x01\xca\x3f\x80\0\0\xa1b\xc4\x02\xff\x00",
            r"{'id': 'p1', 1: 1.0, 'b': b'\xff\x00'}",
        ),
    ] {
        let mut pool = with(model, |options| options.decode = format).await?;
        pool.send("d", payload.to_vec())?;
        let expected = serde_json::to_string(expected)?;
        assert_eq!(text(pool.next().await?.1), expected, "{format:?}");
    }
    for (format, payload, expected) in [
        (Format::Text, &b"\xff"[..], "it is not UTF-8"),
        (Format::Cbor, b"\x82\x01", "it ends within a value"),
        (
            Format::Msgpack,
            b"\xc1",
            "it has a byte that MessagePack does not use",
        ),
    ] {
        let mut pool = with(model, |options| options.decode = format).await?;
        pool.send("d", payload.to_vec())?;
        let outcome = text(pool.next().await?.1);
        assert_eq!(outcome, format!("undecodable: {expected}"), "{format:?}");
    }
    Ok(())
}

#[tokio::test]
async fn c8_results_are_written_in_every_format() -> anyhow::Result<()> {
    for (format, result, expected) in [
        (Format::Text, "'an'", &b"an"[..]),
        (Format::Text, "23.5", b"23.5"),
        (Format::Text, "b'\\xff'", b"\xff"),
        (Format::Bytes, "b'\\xff'", b"\xff"),
        (Format::Csv, "['a', 1, None, 'x,y']", b"a,1,,\"x,y\""),
        (Format::Csv, "1.5", b"1.5"),
        (Format::Csv, "[[1, 2], [3, 4]]", b"1,2\n3,4"),
        (
            Format::Cbor,
            "{'a': [1, b'\\xff', None, 1.5]}",
            b"\xa1\x61a\x84\x01\x41\xff\xf6\xfb\x3f\xf8\0\0\0\0\0\0",
        ),
        (Format::Cbor, "__import__('decimal').Decimal('2')", b"\x02"),
        (
            Format::Msgpack,
            "{'a': [1, -1, b'\\xff', True]}",
            b"\x81\xa1a\x94\x01\xff\xc4\x01\xff\xc3",
        ),
    ] {
        let model = format!("def handler(event, context):\n    return {result}\n");
        let mut pool = with(&model, |options| options.encode = format).await?;
        pool.send("d", "1")?;
        let hosts_result = pool.next().await?.1;
        let message::Outcome::Result(bytes) = hosts_result else {
            anyhow::bail!("{result}: {hosts_result:?}");
        };
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "{result}"
        );
    }
    for (format, result, expected) in [
        (
            Format::Text,
            "{}",
            "TypeError: a dict is not a text; return str, int, float or bytes",
        ),
        (
            Format::Bytes,
            "'a'",
            "TypeError: encode is bytes, and a str is not; return bytes",
        ),
        (
            Format::Csv,
            "[[1], 2]",
            "TypeError: lists and single values are mixed",
        ),
        (
            Format::Msgpack,
            "1 << 64",
            "ValueError: 18446744073709551616 is too large for MessagePack",
        ),
    ] {
        let model = format!("def handler(event, context):\n    return {result}\n");
        let mut pool = with(&model, |options| options.encode = format).await?;
        pool.send("d", "1")?;
        let outcome = text(pool.next().await?.1);
        assert!(outcome.starts_with("unserializable: "), "{outcome}");
        assert!(outcome.contains(expected), "{outcome}");
    }
    Ok(())
}

const CONTEXT: &str = "\
def handler(event, context):
    said = context.properties
    return [context.qos, context.retained, context.duplicate, context.version, ascii(context.payload),
            said.user, said.get('b'), said.get('none', 'no'), said.content_type, said.response_topic,
            ascii(said.correlation_data)]
";

/// Issue 16, point 6.
#[tokio::test]
async fn c6_the_context_tells_all_of_a_message() -> anyhow::Result<()> {
    let mut pool = start(CONTEXT).await?;
    let pairs = [("a", "1"), ("b", "设"), ("b", "3")];
    let user = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let attributes = Attributes {
        retained: true,
        duplicate: true,
        qos: 2,
        strikes: 0,
        hops: 0,
        properties: Some(Box::new(Properties {
            user: user.into(),
            content_type: Some("application/json".to_owned()),
            response_topic: Some("answers".to_owned()),
            correlation_data: Some(bytes::Bytes::from_static(b"\xff")),
        })),
    };
    pool.send_with("d", " 1", attributes)?;
    assert_eq!(
        text(pool.next().await?.1),
        r#"[2,true,true,"digest","b' 1'",[["a","1"],["b","设"],["b","3"]],"设","no","application/json","answers","b'\\xff'"]"#
    );
    // MQTT 3.1.1 says nothing of this, and models need not ask whether it does.
    pool.send("d", "1")?;
    assert_eq!(
        text(pool.next().await?.1),
        r#"[0,false,false,"digest","b'1'",[],null,"no",null,null,"None"]"#
    );
    Ok(())
}
