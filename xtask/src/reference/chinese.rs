//! The reference page of the configuration in Chinese. Descriptions are translated one by one in `zh-CN.txt`, by their
//! English text, so that a changed one is missing there. What is missing stands in English on the page, and
//! `cargo xtask translations` fails.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crds::schema::alternative;
use serde_json::Value;

use super::language::{Kinds, Language};
use super::{english, page};

const TEXTS: &str = include_str!("zh-CN.txt");

/// English and Chinese.
static PAIRS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| pairs(TEXTS));

const CHINESE: Language = Language {
    head: "\
<!-- Written by `cargo xtask gen` from crds/src/runtime and xtask/src/reference/zh-CN.txt; edit these. -->

# 配置参考

[English](../../reference/config.md) | 中文

配置文件（YAML 或 JSON）的全部字段。不在此列的字段会被拒绝。`edgemodel check --config 文件` 一次列出文件中的所有问题。
",
    top_level: "顶层",
    columns: ["字段", "类型", "默认值", "范围", "说明"],
    kinds: Kinds {
        text: "文本",
        integer: "整数",
        number: "数字",
        boolean: "true 或 false",
        list: "列表",
        map: "映射",
    },
    required: "必填",
    none: "无",
    empty: "空",
    or: "或",
    comma: "、",
    default: "默认",
    between: |low, high| format!("大于 {low}，小于 {high}"),
    range: |low, high| format!("{low}～{high}"),
    length: |least, most| match least {
        Some(least) => format!("{least}～{most} 个字符"),
        None => format!("最多 {most} 个字符"),
    },
    entries: |most| format!("最多 {most} 项"),
    translate: |text| PAIRS.get(text).copied().unwrap_or(text).to_owned(),
};

/// The page.
pub(crate) fn chinese(schema: &Value) -> String {
    page(schema, &CHINESE)
}

/// The descriptions that have no Chinese, or one that does not say the same; empty if all is well.
pub(crate) fn untranslated(schema: &Value) -> Vec<String> {
    let faults = faults(schema, &PAIRS).into_iter();
    let named = |fault| format!("xtask/src/reference/zh-CN.txt: {fault}");
    faults.map(named).collect()
}

/// Two lines each, with an empty line between.
fn pairs(text: &str) -> BTreeMap<&str, &str> {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let pairs = lines.split(|line| line.is_empty());
    pairs
        .filter_map(|pair| match pair {
            [english, chinese] => Some((*english, *chinese)),
            [english] => Some((*english, "")),
            _ => None,
        })
        .collect()
}

/// What is missing or does not say the same. A translation that is left over does no harm.
fn faults(schema: &Value, pairs: &BTreeMap<&str, &str>) -> Vec<String> {
    let mut described = BTreeMap::new();
    descriptions(schema, "", &mut described);
    let missing = described.iter().filter_map(|(text, field)| {
        let chinese = pairs.get(text.as_str()).copied().unwrap_or_default();
        if chinese.is_empty() {
            return Some(format!(
                "add these lines for `{field}`, the second in Chinese:\n{text}\n"
            ));
        }
        let default = text.contains(" Default") != chinese.contains(CHINESE.default);
        (default || code(text) != code(chinese)).then(|| {
            format!("`{field}`: the Chinese must have the same code and the default: {chinese}")
        })
    });
    missing.collect()
}

/// Every description that a page shows, with the first field that has it.
fn descriptions(field: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    let inner = alternative(field);
    let fields = inner["properties"].as_object();
    for one in [Some(field), fields.map(|_| inner)].into_iter().flatten() {
        found.entry(english(one)).or_insert_with(|| path.to_owned());
    }
    for (name, field) in fields.into_iter().flatten() {
        descriptions(field, &format!("{path}.{name}"), found);
    }
    let items = &inner["items"];
    if items.get("properties").is_some() {
        descriptions(items, &format!("{path}[]"), found);
    }
}

/// What stands between backticks, in order of the alphabet.
fn code(text: &str) -> Vec<&str> {
    let mut code: Vec<_> = text.split('`').skip(1).step_by(2).collect();
    code.sort_unstable();
    code.dedup();
    code
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "description": "A thing.",
            "properties": {
                "size": { "description": "Its size\nin `mm`. Default 1." },
                "parts": { "items": { "description": "A part.", "properties": {} }, "description": "Parts." },
            },
        })
    }

    const WHOLE: &str = "# Head.\n\nA thing.\n物。\n\nIts size in `mm`. Default 1.\n大小（`mm`）。默认 1。\n\nA part.\n部件。\n\nParts.\n各部件。\n";

    #[track_caller]
    fn check(texts: &str, expected: &[&str]) {
        assert_eq!(faults(&schema(), &pairs(texts)), expected);
    }

    #[test]
    fn a_field_without_chinese_is_named() {
        check(WHOLE, &[]);
        check(
            &WHOLE.replace("A part.\n部件。", "A piece.\n块。"),
            &["add these lines for `.parts[]`, the second in Chinese:\nA part.\n"],
        );
        check(
            &WHOLE.replace("Parts.\n各部件。", "Parts."),
            &["add these lines for `.parts`, the second in Chinese:\nParts.\n"],
        );
    }

    #[test]
    fn code_and_defaults_are_the_same_in_both() {
        let other = "`.size`: the Chinese must have the same code and the default: ";
        for chinese in ["大小（mm）。默认 1。", "大小（`mm`）。"] {
            let texts = WHOLE.replace("大小（`mm`）。默认 1。", chinese);
            check(&texts, &[&format!("{other}{chinese}")]);
        }
    }

    #[test]
    fn rows_are_in_chinese_or_else_in_english() {
        let page = chinese(&crds::schema::config());
        for row in [
            "| `outPort` | 整数 | 必填 | 大于 30000，小于 60000 | 集群节点上的端口，大于 30000 且小于 60000。 |",
            "| `onFull` | `block`、`dropOldest`、`dropNewest` | `block` |  | 模型的队列已满时如何处理消息。 |",
        ] {
            assert!(page.contains(row), "{row} is not in\n{page}");
        }
        let new = json!({ "description": "New.", "properties": {} });
        assert!(chinese(&new).contains("\nNew.\n"));
    }
}
