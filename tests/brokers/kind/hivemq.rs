//! HiveMQ CE, from Maven.

use std::ffi::OsString;

use super::{Kind, Omitted};
use crate::VERSIONS;
use crate::broker::Launch;
use crate::scenario::Scenario;

pub(crate) const HIVEMQ: Kind = Kind {
    name: "HiveMQ CE",
    script_name: "hivemq",
    versions: &VERSIONS,
    omitted: &[Omitted {
        scenarios: &[Scenario::SharedEnded],
        why: "After one of two clients on `$share` had ended, HiveMQ CE sometimes gave the other nothing any more, although that was subscribed and connected and had acknowledged everything. Plain clients without code of ours see the same, in 3 of 7 tries.",
    }],
    limits: &[],
    configure: |place| {
        for folder in ["conf", "data", "extensions"] {
            std::fs::create_dir(place.folder.join(folder))?;
        }
        // A broker for tests has nobody to report to.
        let text = format!(
            "<hivemq>
  <listeners>
    <tcp-listener><port>{}</port><bind-address>127.0.0.1</bind-address></tcp-listener>
  </listeners>
  <mqtt>
    <queued-messages><max-queue-size>100000</max-queue-size></queued-messages>
  </mqtt>
  <persistence><mode>file</mode></persistence>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
",
            place.port
        );
        Ok(std::fs::write(place.folder.join("conf/config.xml"), text)?)
    },
    programs: |place| {
        // Our settings of the log before those in HiveMQ's own file.
        let mut path = OsString::from(&place.files);
        path.push(":");
        path.push(place.files.join("lib/*"));
        // Starting takes most of its time.
        let mut arguments: Vec<OsString> =
            ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
                .map(Into::into)
                .into();
        // As HiveMQ's own script does.
        for package in [
            "java.base/java.lang",
            "java.base/java.nio",
            "java.base/sun.nio.ch",
            "jdk.management/com.sun.management.internal",
        ] {
            arguments.push("--add-opens".into());
            arguments.push(format!("{package}=ALL-UNNAMED").into());
        }
        arguments.extend([
            "-cp".into(),
            path,
            "Broker".into(),
            place.folder.clone().into(),
        ]);
        Ok(vec![Launch::found("java", arguments)])
    },
};
