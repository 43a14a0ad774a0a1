//! What a message costs in each stage of the worker's own process: `cargo bench -p worker`.

use std::hint::black_box;

use crds::validated::{Condition, Operand, ValidatedDevice};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use frame::{Decoder, Reply, Request, Response};
use matching::Matcher;

const MESSAGE: &str = include_str!("../../tests/fixtures/seed/sample-message.json");
const SEED: &str = include_str!("../../tests/fixtures/seed/config.yaml");

/// The seed's device under many names; the message is of the last.
fn devices(count: usize) -> Vec<ValidatedDevice> {
    let runtime = crds::load(SEED, "seed").unwrap_or_else(|problems| unreachable!("{problems}"));
    let device = &runtime.funcs[0].devices[0];
    let named = |number: usize| {
        let name = if number + 1 == count {
            "设备2".to_owned()
        } else {
            format!("d{number}")
        };
        let conditions = device.conditions.iter().map(|condition| {
            let value = if condition.value == Operand::Text("设备2".to_owned()) {
                Operand::Text(name.clone())
            } else {
                condition.value.clone()
            };
            Condition {
                value,
                ..condition.clone()
            }
        });
        ValidatedDevice {
            conditions: conditions.collect(),
            name: name.clone(),
        }
    };
    (0..count).map(named).collect()
}

fn matching(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("match");
    group.throughput(Throughput::Elements(1));
    for count in [1, 1_000, 100_000] {
        let mut matcher = Matcher::new(&devices(count));
        group.bench_function(format!("{count} devices"), |bencher| {
            bencher.iter(|| {
                matcher
                    .find("in", black_box(MESSAGE.as_bytes()))
                    .map(|found| found.is_some())
            });
        });
    }
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    let call = Request::Call {
        id: 7,
        alone: false,
        received_at: 1.5,
        topic: "cloud/edge",
        device: "设备2",
        payload: MESSAGE.as_bytes(),
        extra: frame::Extra::default(),
    };
    let mut buffer = Vec::new();
    criterion.bench_function("frame: write a call", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            black_box(&call).encode(&mut buffer)
        });
    });
    let reply = Response::Reply {
        id: 7,
        nanos: 1,
        reply: Reply::Result(b"{\"device\":\"x\",\"value\":1}"),
    };
    let mut bytes = Vec::new();
    // A frame of this size is far below the limit.
    let _ = reply.encode(&mut bytes);
    criterion.bench_function("frame: read a reply", |bencher| {
        let mut decoder = Decoder::default();
        bencher.iter(|| {
            decoder.buffer().extend_from_slice(black_box(&bytes));
            let body = decoder.next_body();
            matches!(body, Ok(Some(body)) if Response::decode(body).is_ok())
        });
    });
}

criterion_group!(stages, matching, frames);
criterion_main!(stages);
