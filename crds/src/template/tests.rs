use super::*;
use proptest::prelude::*;

fn rendered(template: &str, device: &str, topic: &str) -> String {
    let template: Template = template.parse().unwrap();
    let model = "industry";
    template
        .render(Values {
            device,
            model,
            topic,
        })
        .unwrap()
}

#[test]
fn placeholders_are_replaced_and_escaped() {
    for (template, device, topic, expected) in [
        ("out", "d", "in", "out"),
        ("out/{device}", "设备2", "in", "out/设备2"),
        (
            "{model}/{topic[1]}-{topic[-1]}/x",
            "d",
            "s/l3/p1",
            "industry/l3-p1/x",
        ),
        ("out/{device}", "a/b+c#d%", "in", "out/a%2Fb%2Bc%23d%25"),
        ("out/{device}", "", "in", "out/%"),
        ("out/{topic[9]}/x", "d", "in", "out/%/x"),
        ("out/{topic[-9]}", "d", "in", "out/%"),
        ("out/{topic[1]}", "d", "in//x", "out/%"),
        ("{device}/x", "$SYS", "in", "%24SYS/x"),
        ("out/{device}", "$SYS", "in", "out/$SYS"),
        (
            "out/{device}",
            "a\0\n\u{85}\u{fffe}",
            "in",
            "out/a%00%0A%C2%85%EF%BF%BE",
        ),
        ("{{{device}}}", "d", "in", "{d}"),
    ] {
        assert_eq!(rendered(template, device, topic), expected, "{template}");
    }
}

#[test]
fn what_is_no_placeholder_is_named() {
    let unknown = |name: &str| Err(InvalidTemplate::Unknown(name.to_owned()));
    for (text, expected) in [
        ("out/{devise}", unknown("devise")),
        ("out/{}", unknown("")),
        ("out/{topic}", unknown("topic")),
        ("out/{topic[x]}", unknown("topic[x]")),
        ("out/{device", Err(InvalidTemplate::Unbalanced)),
        ("out/device}", Err(InvalidTemplate::Unbalanced)),
    ] {
        assert_eq!(text.parse::<Template>(), expected, "{text}");
    }
}

#[test]
fn a_topic_that_is_too_long_is_refused() {
    let template: Template = "{device}".parse().unwrap();
    let device = "/".repeat(30_000);
    let values = Values {
        device: &device,
        model: "m",
        topic: "in",
    };
    assert_eq!(template.render(values), Err(TooLong(90_000)));
}

#[test]
fn a_template_reaches_what_every_topic_of_it_reaches() {
    for (template, filter, expected) in [
        ("out/{device}", "out/+", true),
        ("out/{device}", "#", true),
        ("out/{device}/x", "out/+/y", false),
        ("out/{device}", "out/d1", false),
        ("out", "out", true),
    ] {
        let template: Template = template.parse().unwrap();
        assert_eq!(
            template.always_reaches(filter),
            expected,
            "{template} {filter}"
        );
    }
    let filter = |text: &str| text.parse::<Template>().unwrap().filter().into_owned();
    assert_eq!(filter("a/x{device}y/{model}"), "a/+/+");
    assert_eq!(filter("a/b"), "a/b");
}

proptest! {
    /// Whatever a message says, the result has the template's levels, no wildcard and no empty level.
    #[test]
    fn inserted_text_is_one_level(device: String, topic: String, level in -3_i64..4) {
        let text = format!("a/{{device}}/{{topic[{level}]}}/b");
        let template: Template = text.parse().unwrap();
        prop_assert_eq!(template.to_string(), text);
        let values = Values { device: &device, model: "m", topic: &topic };
        let topic = template.render(values).unwrap();
        let levels: Vec<_> = topic.split('/').collect();
        prop_assert_eq!(levels.len(), 4);
        prop_assert!(levels.iter().all(|level| !level.is_empty()));
        prop_assert!(!topic.contains(['+', '#', '\0']));
        prop_assert!(!topic.chars().any(char::is_control));
    }
}
