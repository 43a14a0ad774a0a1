//! The stream between worker and hosts: the same bodies however it is cut, and the same bytes back.

use frame::{Decoder, Request, Response};

pub(crate) fn run(input: &[u8]) {
    let Some((step, stream)) = input.split_first() else {
        return;
    };
    let bodies = bodies(stream, stream.len().max(1));
    assert_eq!(
        self::bodies(stream, usize::from(*step).max(1)),
        bodies,
        "cut into pieces of {step}"
    );
    for body in &bodies {
        if let Ok(request) = Request::decode(body) {
            let written = encoded(|buffer| request.encode(buffer));
            let again = Request::decode(&written[4..]).map(|again| encoded(|b| again.encode(b)));
            assert_eq!(again, Ok(written), "{request:?}");
        }
        if let Ok(response) = Response::decode(body) {
            let written = encoded(|buffer| response.encode(buffer));
            assert_eq!(&written[4..], body, "{response:?}");
        }
    }
}

fn encoded(write: impl FnOnce(&mut Vec<u8>) -> Result<(), frame::TooLarge>) -> Vec<u8> {
    let mut buffer = Vec::new();
    write(&mut buffer).expect("what was decoded from a few bytes is under the limit");
    buffer
}

/// What comes out of a stream until it ends or is refused.
fn bodies(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    for piece in stream.chunks(step) {
        decoder.buffer().extend_from_slice(piece);
        loop {
            match decoder.next_body() {
                Ok(Some(body)) => bodies.push(body.to_vec()),
                Ok(None) => break,
                Err(_) => return bodies,
            }
        }
    }
    bodies
}
