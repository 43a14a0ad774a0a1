//! How a packet breaks the standard, with the section that says so.

use crds::validated::MqttVersion;

/// A rule of the standard that a broker broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Violation {
    version: MqttVersion,
    packet: &'static str,
    what: &'static str,
    section: &'static str,
}

/// Where the two versions of the standard say the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sections {
    pub(crate) v3: &'static str,
    pub(crate) v5: &'static str,
}

impl Sections {
    /// The same section in both versions.
    pub(crate) const fn both(section: &'static str) -> Self {
        Self {
            v3: section,
            v5: section,
        }
    }
}

pub(crate) const TEXT: Sections = Sections {
    v3: "1.5.3",
    v5: "1.5.4",
};
pub(crate) const PACKET_TYPE: Sections = Sections {
    v3: "2.2.1",
    v5: "2.1.2",
};
pub(crate) const FLAGS: Sections = Sections {
    v3: "2.2.2",
    v5: "2.1.3",
};
pub(crate) const LENGTH: Sections = Sections {
    v3: "2.2.3",
    v5: "2.1.4",
};
pub(crate) const PACKET_ID: Sections = Sections {
    v3: "2.3.1",
    v5: "2.2.1",
};
pub(crate) const SESSION_PRESENT: Sections = Sections {
    v3: "3.2.2.2",
    v5: "3.2.2.1.1",
};
pub(crate) const PROPERTIES: Sections = Sections::both("2.2.2");

impl Violation {
    /// `what` follows the packet's name.
    pub(crate) fn new(
        version: MqttVersion,
        packet: &'static str,
        what: &'static str,
        sections: Sections,
    ) -> Self {
        Self {
            version,
            packet,
            what,
            section: match version {
                MqttVersion::V3_1_1 => sections.v3,
                MqttVersion::V5 => sections.v5,
            },
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            packet,
            what,
            section,
            ..
        } = self;
        let version = match self.version {
            MqttVersion::V3_1_1 => "3.1.1",
            MqttVersion::V5 => "5",
        };
        write!(f, "{packet} {what} (MQTT {version}, section {section})")
    }
}
