//! The explanation as text.

use std::fmt;

use super::{DeviceExplanation, Explanation, ModelExplanation};

/// Devices that do not match and are shown in full; the rest is counted.
const SHOWN: usize = 10;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.rules {
            let answer = match rule.receives {
                None => "",
                Some(true) => ": receives the message",
                Some(false) => ": does not receive the message, its topic is another",
            };
            writeln!(f, "rule on {}{answer}", rule.subscription)?;
        }
        self.models
            .iter()
            .try_for_each(|model| write!(f, "{model}"))
    }
}

impl fmt::Display for ModelExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(device) => writeln!(
                f,
                "model {:?}: gets the message for device {device:?}",
                self.name
            )?,
            None => writeln!(f, "model {:?}: does not get the message", self.name)?,
        }
        if let Some(undecodable) = &self.undecodable {
            writeln!(f, "  {undecodable}")?;
        }
        if let Some(refused) = &self.refused {
            writeln!(f, "  but would not be served: {refused}")?;
        }
        let (matched, missed): (Vec<_>, Vec<_>) =
            self.devices.iter().partition(|device| device.matched);
        matched
            .iter()
            .chain(missed.iter().take(SHOWN))
            .try_for_each(|device| write!(f, "{device}"))?;
        if let Some(more @ 1..) = missed.len().checked_sub(SHOWN) {
            writeln!(
                f,
                "  and {more} more devices that do not match; --json shows all"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for DeviceExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = if self.matched {
            "matches"
        } else {
            "does not match"
        };
        writeln!(f, "  device {:?} {answer}", self.name)?;
        for attribute in &self.attributes {
            let answer = if attribute.matched { "yes" } else { "no " };
            writeln!(f, "    {answer} {}", attribute.condition)?;
            if let Some(why) = &attribute.why {
                writeln!(f, "        {why}")?;
            }
        }
        Ok(())
    }
}
