//! What we want the worker to reach, beside what it reached, and what holds it back where it did not.

use std::fmt::Write as _;

use crate::contender::Kind;
use crate::report::Report;

struct Goal {
    what: String,
    /// In the table's words, such as `at least 0.30`.
    wanted: String,
    is: f64,
    reached: bool,
    /// What holds it back, if something does.
    because: String,
}

fn at_least(what: String, goal: f64, is: f64, because: String) -> Goal {
    Goal {
        what,
        wanted: format!("at least {goal:.2}"),
        is,
        reached: is >= goal,
        because,
    }
}

fn at_most(what: String, goal: f64, is: f64, because: String) -> Goal {
    Goal {
        what,
        wanted: format!("at most {goal:.2}"),
        is,
        reached: is <= goal,
        because,
    }
}

/// The section of the page.
pub(crate) fn table(report: &Report) -> String {
    let mut text =
        "## Goals\n\n| what | goal | is | reached | what holds it back |\n|---|---|---|---|---|\n"
            .to_owned();
    for goal in goals(report) {
        let (reached, because) = if goal.reached {
            ("yes", "")
        } else {
            ("**no**", goal.because.as_str())
        };
        let Goal {
            what, wanted, is, ..
        } = &goal;
        let _ = writeln!(
            text,
            "| {what} | {wanted} | {is:.2} | {reached} | {because} |"
        );
    }
    text
}

fn goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (qos, of_broker, of_cpu) in [(0, 0.30, 0.60), (1, 0.36, 0.65)] {
        let rate = |kind| report.rate(qos, 1, kind);
        let cpu = |kind| report.processor_time(qos, 1, kind);
        let busy = 100.0 * report.broker_busy(qos, 1, Kind::Worker);
        let tuned = 100.0 * report.broker_busy(qos, 1, Kind::Tuned);
        goals.push(at_least(
            format!("throughput at QoS {qos}, of the broker's own"),
            of_broker,
            rate(Kind::Worker) / rate(Kind::Broker),
            format!("the broker is busy {busy:.0} % of the time"),
        ));
        goals.push(at_most(
            format!("processor time a message at QoS {qos}, of tuned Python's"),
            of_cpu,
            cpu(Kind::Worker) / cpu(Kind::Tuned),
            String::new(),
        ));
        goals.push(at_least(
            format!("throughput at QoS {qos}, of tuned Python's"),
            1.3,
            rate(Kind::Worker) / rate(Kind::Tuned),
            format!(
                "the broker, which has one thread and is busy {busy:.0} % of the time with edgemodel and {tuned:.0} % \
                 with tuned Python; the load and the contender share the other processor"
            ),
        ));
    }
    let devices = report.most_devices();
    goals.push(at_least(
        format!("throughput with {devices} devices, of that with one"),
        0.9,
        report.rate(1, devices, Kind::Worker) / report.rate(1, 1, Kind::Worker),
        String::new(),
    ));
    for rate in crate::RATES {
        let [ours, tuned] = [Kind::Worker, Kind::Tuned].map(|kind| report.times(rate, kind));
        for (index, share, goal) in [(0, "p50", 1.2), (1, "p99", 1.0)] {
            goals.push(at_most(
                format!("{share} at {rate} messages a second, of tuned Python's"),
                goal,
                ours[index] / tuned[index],
                "load, broker, worker and host take turns on the machine's processors; see where the time goes \
                 below"
                    .to_owned(),
            ));
        }
    }
    goals.push(at_least(
        "work of two hosts, of that of one".to_owned(),
        1.8,
        report.two_hosts(),
        "broker, load and worker need the processors, too".to_owned(),
    ));
    goals.push(at_most(
        "from a timeout to serving again, ms".to_owned(),
        100.0,
        report.back_after_hang(),
        "the start of the interpreter and the import".to_owned(),
    ));
    goals.push(at_least(
        "throughput while one of 100 devices ends the model's process, of that without".to_owned(),
        0.95,
        report.poisoned(),
        "the host restarts three times before the device is quarantined, and once for each probe"
            .to_owned(),
    ));
    goals
}
