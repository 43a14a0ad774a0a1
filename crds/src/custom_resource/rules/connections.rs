//! Brokers, rules and exposed ports.

use super::{Rule, name, quoting, rule, saying, time_span, under};

/// A broker's address. Only WebSockets have a path.
const BROKER: &str =
    r"self.matches('^(?i)((tcp|mqtt|ssl|tls|mqtts)://HOST/?|wss?://HOST([/?][^\\s#]*)?)$')";
const HOST: &str = r"([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?";
const FILTER: &str =
    r"self.matches('^([$]share/[^/+#]+/)?(#|([^+#/]*|[+])(/([^+#/]*|[+]))*(/#)?)$')";

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = brokers();
    rules.extend(between());
    rules.extend(topics());
    rules.extend(ports());
    rules
}

fn brokers() -> Vec<Rule> {
    vec![
        name("spec.mqtts[].name"),
        saying(
            "spec.mqtts[].broker",
            BROKER.replace("HOST", HOST),
            // The address is not repeated where it may hold a password.
            r#"(self.contains('@') ? 'the address' : '"' + self + '"') + ' is not the address of a broker; write it as tcp://host:1883, ssl://host:8883, ws://host/path or wss://host/path, without user and password'"#,
            "write it as tcp://host:1883, ssl://host:8883, ws://host/path or wss://host/path",
        ),
        rule(
            "spec.mqtts[]",
            "!has(self.auth)",
            "auth is for a worker outside a cluster; put username and password into a Secret and name it in credentialsSecretRef",
        ),
        rule(
            "spec.mqtts[]",
            "!has(self.tls) || self.broker.matches('^(?i)(ssl|tls|mqtts|wss)://')",
            "tls is given, but broker does not use it; write ssl:// or wss:// in broker, or leave tls out",
        ),
        rule(
            "spec.mqtts[].tls",
            "!has(self.caFile) && !has(self.certFile) && !has(self.keyFile)",
            "caFile, certFile and keyFile are for a worker outside a cluster; put ca.crt, tls.crt and tls.key into a Secret and name it in secretRef",
        ),
    ]
}

/// What rules say of brokers and of one another.
fn between() -> Vec<Rule> {
    let known = |end: &str, says| {
        let known = format!("self.mqtts.exists(m, m.name == r.{end}.name)");
        let all = format!("!has(self.rules) || self.rules.all(r, has(self.mqtts) && {known})");
        under(".rules", rule("spec", all, says))
    };
    let apart = |topic: &str, says| {
        let looped = format!("o.sub.topic == r.pub.{topic} && o.sub.name == r.pub.name");
        let none = format!("self.all(r, !has(r.pub.{topic}) || !self.exists(o, {looped}))");
        rule("spec.rules", none, says)
    };
    vec![
        known(
            "sub",
            "a sub.name is not the name of an entry in mqtts; use one that is, or add that broker to mqtts",
        ),
        known(
            "pub",
            "a pub.name is not the name of an entry in mqtts; use one that is, or add that broker to mqtts",
        ),
        apart(
            "topic",
            "a pub.topic is also a sub.topic on the same broker, so results would go round for ever; choose a topic that no rule subscribes to",
        ),
        apart(
            "deadLetterTopic",
            "a pub.deadLetterTopic is also a sub.topic on the same broker, so dead letters would go round for ever; choose a topic that no rule subscribes to",
        ),
        rule(
            "spec.rules[].pub",
            "!has(self.deadLetterTopic) || self.deadLetterTopic != self.topic",
            "deadLetterTopic is the topic of the results; choose a topic of its own for dead letters",
        ),
    ]
}

fn topics() -> Vec<Rule> {
    let plain = |path| {
        quoting(
            path,
            r"!self.matches('[+#\\p{Cc}]|^[$]')",
            "is not a topic to publish to; leave out wildcards (+ and #), control characters and a leading $",
        )
    };
    vec![
        quoting(
            "spec.rules[].sub.topic",
            format!(
                "{FILTER} && (!self.startsWith('$share/') || self.matches('^[$]share/[^/]+/.')) && !self.matches('\\\\p{{Cc}}')"
            ),
            "is not a topic filter; + must be a whole level, # the last one, and a shared subscription $share/group/filter",
        ),
        name("spec.rules[].sub.clientId"),
        name("spec.rules[].pub.clientId"),
        plain("spec.rules[].pub.topic"),
        plain("spec.rules[].pub.deadLetterTopic"),
        time_span("spec.rules[].pub.timeout"),
    ]
}

fn ports() -> Vec<Rule> {
    let port = |entry: &str| {
        format!("{entry}.protocolPort.substring({entry}.protocolPort.lastIndexOf(':') + 1)")
    };
    let twice = format!("self.exists_one(b, {} == {})", port("a"), port("b"));
    vec![
        name("spec.expose[].name"),
        quoting(
            "spec.expose[].protocolPort",
            r"self.matches('^(http|tcp)://(0[.]0[.]0[.]0)?:[0-9]{1,5}$') && int(self.substring(self.lastIndexOf(':') + 1)) >= 1 && int(self.substring(self.lastIndexOf(':') + 1)) <= 65535",
            "is not a protocol and port; write http://:8080 or tcp://:2901, with a port from 1 to 65535",
        ),
        rule(
            "spec.expose",
            format!("self.all(a, {twice})"),
            "two entries have the same port in protocolPort; give each its own",
        ),
        rule(
            "spec.expose",
            "self.all(a, self.exists_one(b, a.outPort == b.outPort))",
            "two entries have the same outPort; give each its own",
        ),
    ]
}
