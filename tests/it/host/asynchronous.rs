//! Handlers that are more than plain functions.

use hosts::StartError;

/// A7: it is awaited, in one loop: what it opened for one message serves the next.
#[tokio::test]
async fn a7_an_async_handler_is_awaited() -> anyhow::Result<()> {
    for handler in [
        "async def handler(event, context):\n    return await work(event, context)",
        "class Handler:\n    async def __call__(self, event, context):\n        return await work(event, context)\nhandler = Handler()",
        "class Handler:\n    async def method(self, event, context):\n        return await work(event, context)\n\
         handler = Handler().method",
        "import functools\nasync def plain(event, context, more):\n    return await work(event, context)\n\
         handler = functools.partial(plain, more=1)",
        "def handler(event, context):\n    return work(event, context)",
    ] {
        let model = format!(
            "
import asyncio
loops = set()
async def work(event, context):
    await asyncio.sleep(0)
    loop = asyncio.get_event_loop()
    loops.add(id(loop))
    if event == 'raise':
        raise ValueError('awaited')
    return [event, context.device, loop.is_running(), len(loops)]
{handler}
"
        );
        let mut pool = super::start(&model).await?;
        for event in ["1", "2"] {
            let expected = format!("[{event},\"d\",true,1]");
            assert_eq!(pool.call(event).await?, expected, "{handler}");
        }
        let failure = pool.call("\"raise\"").await?;
        assert_eq!(failure, "exception: ValueError: awaited", "{handler}");
        assert_eq!(pool.monitor().hosts()[0].restarts, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a7_an_async_handler_batch_is_awaited() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    return 'alone'
async def handler_batch(events, contexts):
    return [[event, 'together'] for event in events]
";
    let mut pool = super::start(model).await?;
    assert_eq!(pool.call("1").await?, "[1,\"together\"]");
    Ok(())
}

/// A7: its result would never be one.
#[tokio::test]
async fn a7_a_generator_is_refused_with_the_remedy() -> anyhow::Result<()> {
    for handler in [
        "def handler(event, context):\n    yield event",
        "async def handler(event, context):\n    yield event",
        "class Handler:\n    def __call__(self, event, context):\n        yield event\nhandler = Handler()",
        "import functools\ndef plain(event, context, more):\n    yield event\nhandler = functools.partial(plain, more=1)",
    ] {
        let error = super::start(handler).await.err();
        let error = error.and_then(|error| error.downcast::<StartError>().ok());
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            text.contains("handler is a generator") && text.contains("in a list and return that"),
            "{handler}: {text}"
        );
    }
    Ok(())
}
