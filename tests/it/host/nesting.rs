//! How deep messages and results may be nested: 200 levels, whatever is innermost.

/// A message of so many levels.
fn nested(levels: usize, [open, close]: [&str; 2], innermost: &str) -> String {
    format!("{}{innermost}{}", open.repeat(levels), close.repeat(levels))
}

const LIST: [&str; 2] = ["[", "]"];
const OBJECT: [&str; 2] = ["{\"k\":", "}"];

#[tokio::test]
async fn a_message_has_at_most_200_levels() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    levels = 0
    while isinstance(event, (list, dict)):
        levels += 1
        event = next(iter(event if isinstance(event, list) else event.values()), None)
    return levels
";
    let mut pool = super::start(model).await?;
    for (message, expected) in [
        (nested(200, LIST, "1"), "200"),
        (nested(200, LIST, ""), "200"),
        (nested(200, OBJECT, "null"), "200"),
        (nested(199, OBJECT, "{}"), "200"),
        (nested(199, OBJECT, "[]"), "200"),
        (nested(201, LIST, "1"), ""),
        (nested(201, LIST, ""), ""),
        (nested(201, LIST, " "), ""),
        (nested(200, OBJECT, "{}"), ""),
        (nested(200, OBJECT, "[ ]"), ""),
        (nested(100_000, LIST, ""), ""),
        // Brackets beside each other and in texts are not levels.
        (format!("[{}{{}}]", "[],".repeat(300)), "2"),
        (
            format!("[\"{}\\\"{}\"]", "[".repeat(300), "{".repeat(300)),
            "1",
        ),
        (format!("{{\"{}\":[0]}}", "[{".repeat(300)), "2"),
    ] {
        let result = pool.call(&message).await?;
        let too_deep = "invalid_json: it has more than 200 levels of lists and objects";
        let expected = if expected.is_empty() {
            too_deep
        } else {
            expected
        };
        assert_eq!(result, expected, "{message:.300}");
    }
    Ok(())
}

#[tokio::test]
async fn a_result_has_at_most_200_levels() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    levels, kind, value = event
    for _ in range(levels):
        value = [value] if kind == 'list' else (value,) if kind == 'tuple' else {'k': value}
    return value
";
    let mut pool = super::start(model).await?;
    for (kind, brackets) in [("list", LIST), ("tuple", LIST), ("dict", OBJECT)] {
        for (levels, innermost, fits) in [
            (200, "1", true),
            (199, "[]", true),
            (199, "{}", true),
            (201, "1", false),
            (200, "[]", false),
            (200, "{}", false),
        ] {
            let result = pool
                .call(&format!("[{levels},\"{kind}\",{innermost}]"))
                .await?;
            let expected = if fits {
                nested(levels, brackets, innermost)
            } else {
                "unserializable: the result is nested deeper than 200; does it contain itself?"
                    .to_owned()
            };
            assert_eq!(
                result, expected,
                "{levels} levels of {kind} round {innermost}"
            );
        }
    }
    Ok(())
}
