use super::*;
use proptest::prelude::*;

/// Sends `bytes` through a decoder in pieces of `step` bytes; the bodies that come out.
fn bodies(bytes: &[u8], step: usize) -> Result<Vec<Vec<u8>>, TooLarge> {
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    for piece in bytes.chunks(step) {
        decoder.buffer().extend_from_slice(piece);
        while let Some(body) = decoder.next_body()? {
            bodies.push(body.to_vec());
        }
    }
    assert!(!decoder.is_mid_frame());
    Ok(bodies)
}

proptest! {
    #[test]
    fn requests_come_out_as_they_went_in(
        id: u64, received_at in -1e12_f64..1e12, texts in proptest::array::uniform3(".{0,20}"),
        payload: Vec<u8>, step in 1_usize..50,
    ) {
        let [first, second, third] = &texts;
        let databases = Secret(second);
        let mut writer = ExtraWriter::default();
        writer.load(LoadField::Version, third.as_bytes());
        let extra = writer.extra();
        let load = Request::Load { model: first, directory: second, wheels: third, databases, holds: id % 2 == 1, extra };
        let call = Request::Call { id, alone: id % 2 == 0, received_at, topic: first, device: second, payload: &payload, extra: Extra::default() };
        let mut buffer = Vec::new();
        for request in [load, call, call] {
            request.encode(&mut buffer).unwrap();
        }
        let bodies = bodies(&buffer, step).unwrap();
        let decoded: Vec<_> = bodies.iter().map(|body| Request::decode(body).unwrap()).collect();
        prop_assert_eq!(decoded, vec![load, call, call]);
    }

    #[test]
    fn responses_come_out_as_they_went_in(
        id: u64, message in ".{0,20}", traceback in ".{0,50}", result: Vec<u8>, step in 1_usize..50,
    ) {
        let (message, traceback) = (message.as_str(), traceback.as_str());
        let reply = |reply| Response::Reply { id, nanos: id, reply };
        let responses = [
            Response::Ready { python: message },
            Response::LoadFailed { message, traceback },
            Response::BatchFailed { message, traceback },
            reply(Reply::Result(&result)),
            reply(Reply::Empty),
            reply(Reply::InvalidJson(message)),
            reply(Reply::Exception { message, traceback }),
            reply(Reply::Unserializable(message)),
        ];
        let mut buffer = Vec::new();
        for response in responses {
            response.encode(&mut buffer).unwrap();
        }
        let bodies = bodies(&buffer, step).unwrap();
        let decoded: Vec<_> = bodies.iter().map(|body| Response::decode(body).unwrap()).collect();
        prop_assert_eq!(decoded, responses);
    }

    #[test]
    fn no_bytes_end_the_program(bytes: Vec<u8>) {
        let _ = Request::decode(&bytes);
        let _ = Response::decode(&bytes);
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&bytes);
        while let Ok(Some(_)) = decoder.next_body() {}
    }
}

#[test]
fn a_body_with_more_or_less_than_its_fields_is_refused() {
    let mut buffer = Vec::new();
    Response::Ready { python: "3.11" }
        .encode(&mut buffer)
        .unwrap();
    let body = &buffer[4..];
    assert_eq!(
        Response::decode(&body[..body.len() - 1]),
        Err(Malformed::Truncated)
    );
    assert_eq!(
        Response::decode(&[body, b"x"].concat()),
        Err(Malformed::TrailingBytes)
    );
    assert_eq!(Request::decode(body), Err(Malformed::UnknownKind(READY)));
    assert_eq!(
        Response::decode(&[READY, 1, 0, 0, 0, 0xff]),
        Err(Malformed::NotUtf8)
    );
    assert_eq!(Response::decode(&[]), Err(Malformed::Truncated));
}

/// Without the limit a broken host could make the worker reserve gigabytes.
#[test]
fn an_announced_body_over_the_limit_is_refused_at_its_header() {
    let mut decoder = Decoder::default();
    decoder.buffer().extend_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        decoder.next_body(),
        Err(TooLarge {
            size: u32::MAX as usize,
            limit: MAX_BODY,
        })
    );
}

/// A result of 270 MB took 559 MB in the worker.
#[test]
fn row_19_a_reply_over_its_limit_is_refused_by_both_sides() {
    let reply = |bytes| Response::Reply {
        id: 1,
        nanos: 0,
        reply: Reply::Result(bytes),
    };
    let names = 1 + 8 + 8 + 4;
    let mut buffer = Vec::new();
    let largest = vec![0; MAX_REPLY - names];
    reply(&largest).encode(&mut buffer).unwrap();
    let mut decoder = Decoder::with_limit(MAX_REPLY);
    decoder.buffer().extend_from_slice(&buffer);
    assert!(decoder.next_body().unwrap().is_some());
    assert!(
        decoder.buffer().capacity() <= 1 << 20,
        "memory is given back"
    );

    buffer.clear();
    let refused = TooLarge {
        size: MAX_REPLY + 1,
        limit: MAX_REPLY,
    };
    let larger = vec![0; MAX_REPLY - names + 1];
    assert_eq!(reply(&larger).encode(&mut buffer), Err(refused));
    assert!(buffer.is_empty());
    let header = u32::try_from(MAX_REPLY + 1).unwrap().to_le_bytes();
    decoder.buffer().extend_from_slice(&header);
    assert_eq!(decoder.next_body(), Err(refused));
}

#[test]
fn credentials_are_not_shown() {
    let databases = Secret("canary");
    let load = Request::Load {
        model: "m",
        directory: "d",
        wheels: "",
        databases,
        holds: false,
        extra: Extra::default(),
    };
    let shown = format!("{load:?}");
    assert!(
        shown.contains("Secret(..)") && !shown.contains("canary"),
        "{shown}"
    );
}
