//! Files of a model that are named like modules of the standard library.

use message::Outcome;
use tests::python::interpreters;

/// Modules that may be imported late, by the host or by what it uses; the model imports none of them.
const NAMES: &str = "__future__ _colorize _py_warnings _pydatetime _strptime _weakrefset abc annotationlib ast asyncio \
    base64 bisect bz2 calendar codecs codeop collections contextlib contextvars copy copyreg csv dataclasses datetime \
    decimal dis email encodings enum errno functools genericpath glob hashlib heapq html http importlib inspect io json \
    keyword linecache locale logging math mmap multiprocessing numbers opcode operator os pathlib pickle pkgutil platform \
    posixpath pprint queue random re reprlib select selectors shutil signal socket sre_compile sre_constants sre_parse \
    ssl stat string struct subprocess symtable sysconfig tempfile textwrap threading time timeit token tokenize traceback \
    types typing unicodedata urllib uuid warnings weakref zipfile zipimport zlib";

const MODEL: &str = "
def handler(event, context):
    if event == 'raise':
        value = {'a': None}
        return value['a']['b'] + 1
    if event == 'log':
        try:
            1 / 0
        except ZeroDivisionError:
            context.logger.exception('divided')
    if event == 'unserializable':
        return [object()]
    return [{3, 1, 2}, float('nan'), context.received_at, '\\ud800']
";

/// A6: they are not imported, so they must not matter.
#[tokio::test]
async fn a6_files_named_like_the_standard_library_do_not_affect_the_host() -> anyhow::Result<()> {
    let (settings, directory) = tests::pool::options(MODEL)?;
    for name in NAMES.split_whitespace() {
        let file = settings.directory.join(format!("{name}.py"));
        std::fs::write(
            file,
            format!("raise SystemExit('{name} of the model is imported')\n"),
        )?;
    }
    for python in interpreters() {
        let pool = super::with("", |other| {
            other.directory.clone_from(&settings.directory);
            other.python.clone_from(&python);
        })
        .await;
        let mut pool = match pool {
            Err(error) if error.to_string().contains("does not load the native host") => continue,
            pool => pool?,
        };
        let name = python.display();
        for (event, expected) in [
            (
                "1",
                "[[1,2,3],null,\"1970-01-01T00:00:01.500000+00:00\",\"\\ud800\"]",
            ),
            (
                "\"log\"",
                "[[1,2,3],null,\"1970-01-01T00:00:01.500000+00:00\",\"\\ud800\"]",
            ),
            (
                "\"unserializable\"",
                "unserializable: TypeError: a object is not JSON; convert it to dict, list, str or a number",
            ),
        ] {
            assert_eq!(pool.call(event).await?, expected, "{name}: {event}");
        }
        let failure = pool.call("{").await?;
        assert!(
            failure.starts_with("invalid_json: ") && failure.contains("line 1 column 2"),
            "{name}: {failure}"
        );
        pool.send("d", "\"raise\"")?;
        let Outcome::Failed(failure) = pool.next().await?.1 else {
            anyhow::bail!("{name}: no failure");
        };
        assert!(
            failure
                .message
                .starts_with("TypeError: 'NoneType' object is not subscriptable")
                || failure
                    .message
                    .starts_with("TypeError: 'NoneType' object has no attribute"),
            "{name}: {}",
            failure.message
        );
        let traceback = failure.traceback.unwrap_or_default();
        assert!(
            traceback.contains("return value['a']['b'] + 1"),
            "{name}: {traceback}"
        );
    }
    drop(directory);
    Ok(())
}
