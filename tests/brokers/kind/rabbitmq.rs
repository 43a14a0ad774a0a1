//! RabbitMQ with its MQTT plugin, from Debian.

use std::ffi::OsString;

use crds::validated::MqttVersion;
use tests::mosquitto::free_port;

use super::{Fault, Kind, Limit, Omitted};
use crate::broker::{Launch, Place};
use crate::scenario::Scenario;

pub(crate) const RABBITMQ: Kind = Kind {
    name: "RabbitMQ",
    script_name: "rabbitmq",
    versions: &[MqttVersion::V3_1_1],
    omitted: &[Omitted {
        scenarios: &[Scenario::Shared, Scenario::SharedEnded],
        why: "RabbitMQ 3.10 has neither MQTT 5, which came with 3.13, nor shared subscriptions. It answers QoS 2 as QoS 1.",
    }],
    limits: &[Limit {
        scenarios: &[Scenario::Takeover],
        what: Fault::Disordered,
        why: "While another worker takes over, RabbitMQ may give it the next messages before those that the old one had not acknowledged.",
    }],
    configure: |place| {
        // Free ports change while it is away, so they are written down.
        for name in ["epmd", "distribution", "amqp"] {
            std::fs::write(place.folder.join(name), free_port()?.to_string())?;
        }
        let text = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\n\
             mqtt.listeners.tcp.1 = 127.0.0.1:{}\n\
             mqtt.allow_anonymous = true\n\
             log.console = true\nlog.console.level = warning\nlog.file = false\n",
            port(place, "amqp")?,
            place.port,
        );
        std::fs::write(place.folder.join("rabbitmq.conf"), text)?;
        std::fs::write(place.folder.join("enabled_plugins"), "[rabbitmq_mqtt].\n")?;
        Ok(std::fs::write(place.folder.join("environment"), "")?)
    },
    programs: |place| {
        let epmd = port(place, "epmd")?;
        let folder = |name: &str| place.folder.join(name).into_os_string();
        let variables: [(&str, OsString); 12] = [
            ("HOME", place.folder.clone().into()),
            ("ERL_EPMD_PORT", epmd.clone().into()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
            ("RABBITMQ_DIST_PORT", port(place, "distribution")?.into()),
            (
                "RABBITMQ_NODENAME",
                format!("edgemodel{}@localhost", place.port).into(),
            ),
            ("RABBITMQ_CONF_ENV_FILE", folder("environment")),
            ("RABBITMQ_CONFIG_FILE", folder("rabbitmq.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", folder("enabled_plugins")),
            ("RABBITMQ_MNESIA_BASE", folder("data")),
            ("RABBITMQ_LOG_BASE", folder("log")),
            ("RABBITMQ_PID_FILE", folder("pid")),
            // Then the script becomes the broker instead of waiting for it.
            ("RABBITMQ_ALLOW_INPUT", "true".into()),
        ];
        let mut arguments: Vec<OsString> = Vec::new();
        for (name, value) in variables {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            arguments.push(variable);
        }
        arguments.extend([
            "/usr/lib/rabbitmq/bin/rabbitmq-server".into(),
            "-noinput".into(),
        ]);
        // Otherwise RabbitMQ starts it, as a daemon that stays.
        let names = ["-port", &epmd, "-address", "127.0.0.1"].map(Into::into);
        Ok(vec![
            Launch::found("epmd", names.into()),
            Launch::found("env", arguments),
        ])
    },
};

/// A port that was written down.
fn port(place: &Place, name: &str) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(place.folder.join(name))?)
}
