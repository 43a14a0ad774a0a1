//! Topics of results, in which `{device}`, `{model}` and `{topic[n]}` stand for what a message is about.
//!
//! Inserted text is one level of the topic, whatever it is: [`Template::render`] escapes what MQTT gives a meaning.

use std::borrow::Cow;
use std::fmt;

/// Longest topic: its length has two bytes (MQTT 3.1.1, section 1.5.3).
pub const MAX_TOPIC: usize = 65_535;

/// A topic with placeholders, or without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Device,
    Model,
    Level(i64),
}

/// What placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The message's device.
    pub device: &'a str,
    /// The model.
    pub model: &'a str,
    /// The message's topic.
    pub topic: &'a str,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// Braces with something else in them.
    #[error("{{{0}}} is not a placeholder")]
    Unknown(String),
    /// A brace without the other one.
    #[error("a brace is not closed or not opened")]
    Unbalanced,
}

/// The rendered topic is longer than a topic may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its topic is {0} bytes long, and a topic has at most {MAX_TOPIC}")]
pub struct TooLong(pub usize);

impl std::str::FromStr for Template {
    type Err = InvalidTemplate;

    /// `{{` and `}}` are braces of the topic itself.
    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(InvalidTemplate::Unbalanced);
            }
            let (name, after) = rest.split_once('}').ok_or(InvalidTemplate::Unbalanced)?;
            rest = after;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(placeholder(name).ok_or_else(|| InvalidTemplate::Unknown(name.to_owned()))?);
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }
}

fn placeholder(name: &str) -> Option<Part> {
    Some(match name {
        "device" => Part::Device,
        "model" => Part::Model,
        _ => {
            let index = name.strip_prefix("topic[")?.strip_suffix(']')?;
            Part::Level(index.parse().ok()?)
        }
    })
}

impl Template {
    /// The topic, if it is always the same.
    pub fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The texts between the placeholders.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The topic for a message.
    ///
    /// # Errors
    /// It is too long.
    pub fn render(&self, values: Values<'_>) -> Result<String, TooLong> {
        let mut topic = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => topic.push_str(text),
                Part::Device => insert(values.device, &mut topic),
                Part::Model => insert(values.model, &mut topic),
                Part::Level(level) => insert(level_of(values.topic, *level), &mut topic),
            }
        }
        if topic.len() > MAX_TOPIC {
            return Err(TooLong(topic.len()));
        }
        Ok(topic)
    }

    /// Whether a subscription to `filter` gets this topic, whatever is inserted.
    pub fn always_reaches(&self, filter: &str) -> bool {
        crate::topic::reaches(&self.sample(), filter)
    }

    /// A filter that gets every topic of this template.
    pub fn filter(&self) -> Cow<'_, str> {
        if let Some(topic) = self.fixed() {
            return topic.into();
        }
        let sample = self.sample();
        let levels = sample
            .split('/')
            .map(|level| if level.contains(INSERTED) { "+" } else { level });
        levels.collect::<Vec<_>>().join("/").into()
    }

    /// With a character for each placeholder that no filter has.
    fn sample(&self) -> String {
        let mut sample = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => sample.push_str(text),
                _ => sample.push(INSERTED),
            }
        }
        sample
    }
}

/// No topic has it: MQTT forbids it.
const INSERTED: char = '\0';

fn level_of(topic: &str, level: i64) -> &str {
    let count = topic.split('/').count();
    let magnitude = usize::try_from(level.unsigned_abs()).unwrap_or(usize::MAX);
    let index = if level < 0 {
        count.checked_sub(magnitude)
    } else {
        Some(magnitude)
    };
    index
        .and_then(|index| topic.split('/').nth(index))
        .unwrap_or_default()
}

/// Appends a text as a part of one level: `%` and two hex digits for each byte of a character that MQTT gives a meaning or
/// that brokers refuse, and `%` alone for an empty text, since two separators would be a level of another meaning.
fn insert(text: &str, topic: &mut String) {
    if text.is_empty() {
        topic.push('%');
        return;
    }
    for character in text.chars() {
        let first = topic.is_empty();
        if is_plain(character) && !(first && character == '$') {
            topic.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            topic.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Whether a character means nothing to MQTT, and no broker refuses it (MQTT 5, section 1.5.4).
fn is_plain(character: char) -> bool {
    let code = u32::from(character);
    let noncharacter = code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code);
    !matches!(character, '/' | '+' | '#' | '%') && !character.is_control() && !noncharacter
}

impl fmt::Display for Template {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Device => f.write_str("{device}"),
            Part::Model => f.write_str("{model}"),
            Part::Level(level) => write!(f, "{{topic[{level}]}}"),
        })
    }
}

#[cfg(test)]
mod tests;
