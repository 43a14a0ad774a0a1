//! PUBACK and PUBREC of MQTT 5 that refuse a message.
//!
//! The codec ends the connection over a reason that it does not know, such as mosquitto's "packet too
//! large", and the message would come again with the next connection, forever.

const PUBACK: u8 = 4;
const PUBREC: u8 = 5;

/// A publication that the broker does not take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) id: u16,
    /// Why.
    pub(super) reason: String,
    /// Whether it was published at QoS 2.
    pub(super) at_qos_2: bool,
}

/// What a whole packet refuses, if it is one of these.
pub(super) fn refusal(packet: &[u8]) -> Option<Refusal> {
    let (first, rest) = packet.split_first()?;
    let kind = first >> 4;
    if !matches!(kind, PUBACK | PUBREC) {
        return None;
    }
    // The length goes on while the upper bit is set.
    let body = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (id, rest) = rest.get(body..)?.split_first_chunk()?;
    let id = u16::from_be_bytes(*id);
    Some(Refusal {
        id,
        reason: reason(*rest.first()?)?,
        at_qos_2: kind == PUBREC,
    })
}

/// Codes from 0x80 on are refusals.
fn reason(code: u8) -> Option<String> {
    let known = match code {
        ..0x80 => return None,
        0x80 => "unspecified error",
        0x83 => "implementation specific error",
        0x87 => "not authorized",
        0x90 => "topic name invalid",
        0x91 => "packet identifier in use",
        0x95 => "packet too large",
        0x97 => "quota exceeded",
        0x99 => "payload format invalid",
        other => return Some(format!("reason code {other}")),
    };
    Some(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(packet: &[u8], expected: Option<(u16, &str, bool)>) {
        let found = refusal(packet);
        let found = found
            .as_ref()
            .map(|refusal| (refusal.id, refusal.reason.as_str(), refusal.at_qos_2));
        assert_eq!(found, expected);
    }

    #[test]
    fn every_code_of_a_refusal_is_one_and_nothing_else_is() {
        check(&[0x40, 3, 0, 1, 0x95], Some((1, "packet too large", false)));
        check(
            &[0x50, 4, 1, 0, 0x87, 0],
            Some((256, "not authorized", true)),
        );
        check(&[0x40, 3, 0, 1, 0xFE], Some((1, "reason code 254", false)));
        check(&[0x40, 2, 0, 1], None);
        check(&[0x40, 3, 0, 1, 0x10], None);
        check(&[0x62, 3, 0, 1, 0x92], None);
        check(&[0x40], None);
    }
}
