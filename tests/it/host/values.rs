//! What goes into a model and what comes out of it: the tables of docs/models.md, row by row.

use tests::pool::{TestPool, text};
use tests::python::scientific;

/// A model whose message says what to return.
fn returning(imports: &str, rows: &[(&str, &str)]) -> String {
    let rows: String = rows
        .iter()
        .map(|(value, _)| format!("    lambda: ({value}),\n"))
        .collect();
    format!(
        "{imports}\nVALUES = [\n{rows}]\ndef handler(event, context):\n    return VALUES[event]()\n"
    )
}

async fn check(mut pool: TestPool, rows: &[(&str, &str)]) -> anyhow::Result<()> {
    for (index, (value, expected)) in rows.iter().enumerate() {
        let result = pool.call(&index.to_string()).await?;
        assert_eq!(result, *expected, "of {value}");
    }
    Ok(())
}

const BUILT_IN: &[(&str, &str)] = &[
    ("None", "None"),
    ("b'\\x01raw'", "\u{1}raw"),
    ("bytearray(b'raw')", "raw"),
    ("memoryview(b'raw')", "raw"),
    ("'text'", "\"text\""),
    ("{'设备': '温度'}", "{\"设备\":\"温度\"}"),
    (
        "'\"\\\\\\n\\t\\r\\x00\\x1f\\x7f'",
        "\"\\\"\\\\\\n\\t\\r\\u0000\\u001f\u{7f}\"",
    ),
    ("'\\ud800'", "\"\\ud800\""),
    ("True", "true"),
    (
        "[1, -2, 2**63, -2**200]",
        "[1,-2,9223372036854775808,-1606938044258990275541962092341162602522202993782792835301376]",
    ),
    (
        "[1.5, 86.0, 1e16, 1e22, 1e-5, 1.25e-5, 1e-7, 0.0001, -0.0]",
        "[1.5,86.0,1e+16,1e+22,1e-05,1.25e-05,1e-07,0.0001,-0.0]",
    ),
    ("'\\b\\f'", "\"\\b\\f\""),
    (
        "[float('nan'), float('inf'), -float('inf')]",
        "[null,null,null]",
    ),
    ("[None, (1, 2), []]", "[null,[1,2],[]]"),
    (
        "{1: 'a', 1.5: 'b', None: 'd', 2**70: 'e'}",
        "{\"1\":\"a\",\"1.5\":\"b\",\"null\":\"d\",\"1180591620717411303424\":\"e\"}",
    ),
    ("{True: 'c'}", "{\"true\":\"c\"}"),
    (
        "{(1, 2): 'tuple'}",
        "unserializable: TypeError: keys of an object must be str, int, float, bool or None, not tuple",
    ),
    (
        "datetime.datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=datetime.timezone.utc)",
        "\"2026-01-02T03:04:05.000600+00:00\"",
    ),
    (
        "[datetime.date(2026, 1, 2), datetime.time(3, 4)]",
        "[\"2026-01-02\",\"03:04:00\"]",
    ),
    ("datetime.timedelta(minutes=1.5)", "90.0"),
    (
        "[decimal.Decimal('1.50'), decimal.Decimal('3'), decimal.Decimal('NaN')]",
        "[1.5,3,null]",
    ),
    (
        "uuid.UUID(int=1)",
        "\"00000000-0000-0000-0000-000000000001\"",
    ),
    ("pathlib.PurePosixPath('a/b')", "\"a/b\""),
    ("[Color.RED, Level.HIGH]", "[\"red\",3]"),
    ("Point(1, [2.0])", "{\"x\":1,\"y\":[2.0]}"),
    ("collections.OrderedDict(a=1)", "{\"a\":1}"),
    ("collections.namedtuple('P', 'x y')(1, 2)", "[1,2]"),
    ("[{1}, frozenset()]", "[[1],[]]"),
    (
        "[{3, 1.5, -2}, {'b', 'a', 'c'}, {'b', 1, None, (2, 'x')}]",
        "[[-2,1.5,3],[\"a\",\"b\",\"c\"],[\"b\",1,[2,\"x\"],null]]",
    ),
    (
        "{'raw': b'x'}",
        "unserializable: TypeError: bytes within a result is not JSON; decode it, or return it alone to publish it as it is",
    ),
    (
        "object()",
        "unserializable: TypeError: a object is not JSON; convert it to dict, list, str or a number",
    ),
    (
        "(x for x in [1])",
        "unserializable: TypeError: a generator is not JSON; convert it to dict, list, str or a number",
    ),
    (
        "loop()",
        "unserializable: the result is nested deeper than 200; does it contain itself?",
    ),
];

#[tokio::test]
async fn built_in_values_become_json() -> anyhow::Result<()> {
    let imports = "
import collections, dataclasses, datetime, decimal, enum, pathlib, uuid
class Color(enum.Enum):
    RED = 'red'
class Level(enum.IntEnum):
    HIGH = 3
@dataclasses.dataclass
class Point:
    x: int
    y: list
def loop():
    value = []
    value.append(value)
    return value
";
    check(super::start(&returning(imports, BUILT_IN)).await?, BUILT_IN).await
}

const SCIENTIFIC: &[(&str, &str)] = &[
    (
        "[np.int8(-3), np.uint64(2**64 - 1), np.bool_(True)]",
        "[-3,18446744073709551615,true]",
    ),
    (
        "[np.float64(0.5), np.float32(0.5), np.float64('nan')]",
        "[0.5,0.5,null]",
    ),
    (
        "np.array([[1.0, np.nan], [np.inf, 4.0]])",
        "[[1.0,null],[null,4.0]]",
    ),
    ("np.array(5)", "5"),
    ("np.array(['设备', 'b'])", "[\"设备\",\"b\"]"),
    ("np.str_('text')", "\"text\""),
    ("{np.int64(7): np.arange(3)}", "{\"7\":[0,1,2]}"),
    (
        "np.datetime64('2026-01-02T03:04:05')",
        "\"2026-01-02T03:04:05\"",
    ),
    (
        "np.array(['2026-01-02', 'NaT'], dtype='datetime64[D]')",
        "[\"2026-01-02T00:00:00\",null]",
    ),
    ("np.timedelta64(1500, 'ms')", "1.5"),
    (
        "np.complex128(1j)",
        "unserializable: TypeError: complex numbers are not JSON; return their real and imaginary parts",
    ),
    ("pd.Series([1, 2])", "[1,2]"),
    (
        "pd.DataFrame({'a': [1, 2], 'b': [0.5, None]})",
        "[{\"a\":1,\"b\":0.5},{\"a\":2,\"b\":null}]",
    ),
    ("[pd.NA, pd.NaT]", "[null,null]"),
    (
        "pd.Timestamp('2026-01-02T03:04:05Z')",
        "\"2026-01-02T03:04:05+00:00\"",
    ),
    ("pd.Timedelta('1.5s')", "1.5"),
    ("pd.Index(['x'])", "[\"x\"]"),
    (
        "pd.date_range('2026-01-02', periods=1)",
        "[\"2026-01-02T00:00:00\"]",
    ),
];

#[tokio::test]
async fn values_of_numpy_and_pandas_become_json() -> anyhow::Result<()> {
    let python = scientific()?;
    let model = returning("import numpy as np\nimport pandas as pd", SCIENTIFIC);
    let pool = super::with(&model, |options| options.python = python).await?;
    check(pool, SCIENTIFIC).await
}

#[tokio::test]
async fn events_are_what_json_says() -> anyhow::Result<()> {
    let mut pool = super::start("def handler(event, context):\n    return repr(event)\n").await?;
    for (payload, expected) in [
        (
            "{\"设备\": [1, 2.5, true, null]}",
            "\"{'设备': [1, 2.5, True, None]}\"",
        ),
        (
            "123456789012345678901234567890",
            "\"123456789012345678901234567890\"",
        ),
        ("{\"a\": 1, \"a\": 2}", "\"{'a': 2}\""),
        ("[NaN, -Infinity]", "\"[nan, -inf]\""),
        ("1.0", "\"1.0\""),
        ("\u{feff}[1]", "\"[1]\""),
        ("\"\\ud83d\"", "\"'\\\\ud83d'\""),
    ] {
        assert_eq!(pool.call(payload).await?, expected, "of {payload}");
    }
    for payload in ["", "{", "{\"a\": 1} x", "\u{0}"] {
        let failure = pool.call(payload).await?;
        assert!(
            failure.starts_with("invalid_json: "),
            "{payload:?}: {failure}"
        );
    }
    Ok(())
}

/// CPython's own decoder says what is right.
#[tokio::test]
async fn c1_c2_marks_encodings_and_lone_surrogates_are_read_as_json_loads_reads_them()
-> anyhow::Result<()> {
    let model = "def handler(event, context):\n    return ascii(event)\n";
    let mut pool = super::start(model).await?;
    let utf16: Vec<u8> = "{\"a\": \"设\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf32: Vec<u8> = "[1]"
        .chars()
        .flat_map(|c| u32::from(c).to_be_bytes())
        .collect();
    let rows: [(&[u8], &str); 8] = [
        (b"\xef\xbb\xbf{\"a\": 1}", "{'a': 1}"),
        (&utf16, r"{'a': '\u8bbe'}"),
        (
            &[b"\xff\xfe", utf16.as_slice()].concat(),
            r"{'a': '\u8bbe'}",
        ),
        (&utf32, "[1]"),
        (br#"["\ud83d"]"#, r"['\ud83d']"),
        (
            br#"{"\ude00x": "\ud83d\ude00"}"#,
            r"{'\ude00x': '\U0001f600'}",
        ),
        (b"\"\xed\xa0\xbd\"", r"'\ud83d'"),
        (b"\xef\xbb\xbf\"\\ud83d\"", r"'\ud83d'"),
    ];
    for (event, expected) in rows {
        pool.send("d", event.to_vec())?;
        let outcome = text(pool.next().await?.1);
        let expected = serde_json::to_string(expected)?;
        assert_eq!(outcome, expected, "of {}", event.escape_ascii());
    }
    for event in [&b"\xef\xbb\xbf"[..], b"\xff\xfea\0b", b"\"\xff\""] {
        pool.send("d", event.to_vec())?;
        let outcome = text(pool.next().await?.1);
        assert!(outcome.starts_with("invalid_json: "), "{outcome}");
    }
    Ok(())
}

#[tokio::test]
async fn the_context_says_where_a_message_came_from() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    context.logger.info('seen')
    return [context.topic, context.device, context.model, context.received_at, repr(context)]
";
    let mut pool = super::start(model).await?;
    assert_eq!(
        pool.call("1").await?,
        "[\"in/设备\",\"d\",\"industry\",\"1970-01-01T00:00:01.500000+00:00\",\
         \"Context(topic=in/设备, device=d, model=industry)\"]"
    );
    Ok(())
}

#[tokio::test]
async fn an_exception_is_an_outcome_with_its_traceback() -> anyhow::Result<()> {
    let model = "
import sys
class Strange(Exception):
    def __str__(self):
        raise RuntimeError
def handler(event, context):
    if event == 'exit':
        sys.exit(3)
    if event == 'strange':
        raise Strange()
    if event == 'interrupt':
        raise KeyboardInterrupt
    raise ValueError('no such sensor: ' + event)
";
    let mut pool = super::start(model).await?;
    for (event, expected) in [
        ("\"x\"", "exception: ValueError: no such sensor: x"),
        ("\"exit\"", "exception: SystemExit: 3"),
        (
            "\"strange\"",
            "exception: index.Strange: <exception str() failed>",
        ),
        ("\"interrupt\"", "exception: KeyboardInterrupt"),
        (
            "\"\\ud800\"",
            "exception: ValueError: no such sensor: \\ud800",
        ),
    ] {
        let failure = pool.call(event).await?;
        let failure = failure.replace("pyboot.modules.gridsum.science.industry.", "");
        assert!(failure.starts_with(expected), "{failure}");
    }
    pool.send("d", "\"x\"")?;
    let message::Outcome::Failed(failure) = pool.next().await?.1 else {
        anyhow::bail!("no failure");
    };
    let traceback = failure.traceback.unwrap_or_default();
    assert!(
        traceback.contains("index.py\", line 13, in handler"),
        "{traceback}"
    );
    assert_eq!(pool.monitor().hosts()[0].restarts, 0);
    Ok(())
}
