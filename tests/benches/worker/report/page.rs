//! The page and its picture.

use std::fmt::Write as _;

use super::{Report, median, medians};
use crate::chart;
use crate::contender::Kind;
use crate::goals;
use crate::lineup::Lineup;
use crate::losses::{HELD, MESSAGES, RATE};
use crate::overload::Overload;

impl Report {
    /// The whole page.
    pub(crate) fn render(&self, rounds: usize, messages: u64, lineup: &Lineup) -> String {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let head = format!(
            "# Performance\n\nWritten by `make bench`: medians of {rounds} rounds in turns, {messages} messages \
             each (a quarter for the slower contenders), everything (broker, load, contender) on one machine with {processors} processors and mosquitto \
             with the limits of the README. Only ratios within this table mean something elsewhere.\n\n\
             ![Messages a second](performance.svg)\n"
        );
        [
            head,
            lineup.text(),
            goals::table(self),
            self.throughput_table(),
            self.latency_table(),
            self.losses_table(),
            self.start_table(),
            self.stage_table(),
            self.overload_text(),
            self.hosts_text(),
        ]
        .join("\n")
    }

    /// The picture that goes with it.
    pub(crate) fn chart(&self) -> String {
        let colour = |kind| match kind {
            Kind::Broker => "#b0b0b0",
            Kind::Worker => "#1f77b4",
            Kind::Plain | Kind::Tuned => "#e0a030",
            Kind::Ekuiper | Kind::Bento => "#8a6fb0",
        };
        let group = |qos: u8| {
            let rates = self.rates.iter();
            let rates = rates.filter(|((of, devices, _), _)| *of == qos && *devices == 1);
            let bars =
                rates.map(|((_, _, kind), rates)| (kind.name(), median(rates), colour(*kind)));
            let title = format!("Messages a second at QoS {qos}");
            (title, bars.collect())
        };
        chart::svg("/s", &[group(0), group(1)])
    }

    fn throughput_table(&self) -> String {
        let mut text = "## Throughput\n\n\
             | QoS | devices | contender | messages/s | of the broker alone | broker busy | processor time, µs each | of tuned Python | lost | repeated | out of order |\n\
             |---|---|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
        for (&(qos, devices, kind), rates) in &self.rates {
            let rate = median(rates);
            let broker = self.rate(qos, 1, Kind::Broker);
            let busy = 100.0 * self.broker_busy(qos, devices, kind);
            let (cpu, share) = if kind == Kind::Broker {
                (String::new(), String::new())
            } else {
                let cpu = self.processor_time(qos, devices, kind);
                let tuned = self.processor_time(qos, 1, Kind::Tuned);
                (format!("{cpu:.1}"), format!("{:.2}", cpu / tuned))
            };
            let check = self.checks[&(qos, devices, kind)];
            let order = if devices == 1 {
                check.steps_back.to_string()
            } else {
                String::new()
            };
            let _ = writeln!(
                text,
                "| {qos} | {devices} | {} | {rate:.0} | {:.2} | {busy:.0} % | {cpu} | {share} | {} | {} | {order} |",
                kind.name(),
                rate / broker,
                check.lost,
                check.repeated,
            );
        }
        text + "\nEach message passes the broker twice on its way through a worker, so half of the broker's own \
                rate is the most that any worker can reach. edgemodel acknowledges a message at QoS 1 after its \
                result was acknowledged; the others acknowledge on receipt. Broker busy is mosquitto's share of a \
                processor: it has one thread, so 100 % is all that it can do. Out of order are results of a \
                device that came behind one of a later message, in all rounds together.\n"
    }

    fn latency_table(&self) -> String {
        let mut text = "## Time from publishing to the result, QoS 1\n\n\
                 | messages/s | contender | p50, ms | p99, ms | p999, ms |\n|---|---|---|---|---|\n"
            .to_owned();
        for ((rate, kind), figures) in &self.latencies {
            let [p50, p99, p999] = medians(figures);
            let _ = writeln!(
                text,
                "| {rate} | {} | {p50:.2} | {p99:.2} | {p999:.2} |",
                kind.name()
            );
        }
        text
    }

    fn stage_table(&self) -> String {
        let mut text = "## Where the time goes, edgemodel, QoS 1\n\n\
             | messages/s | match, µs | call of the model, µs | from outcome to acknowledgement, µs | queues and the way to the host, µs | receipt to acknowledgement, µs |\n\
             |---|---|---|---|---|---|\n"
            .to_owned();
        for (rate, figures) in &self.stages {
            let [matching, call, publish, total] = medians(figures);
            let rate = rate.map_or("as fast as it goes".to_owned(), |rate| rate.to_string());
            let _ = writeln!(
                text,
                "| {rate} | {matching:.1} | {call:.1} | {publish:.0} | {:.0} | {total:.0} |",
                (total - matching - call - publish).max(0.0)
            );
        }
        let (worker, host): (Vec<_>, Vec<_>) = self.processes.iter().copied().unzip();
        let _ = write!(
            text,
            "\nMeans of the worker's own `edgemodel_stage_duration_seconds`. Acknowledgements wait for the \
             broker's answer; as fast as it goes, messages wait for each other. Of the processor time for each \
             message, the worker takes {:.1} µs and the host with its interpreter and the model {:.1} µs.\n",
            median(&worker),
            median(&host)
        );
        text
    }

    fn overload_text(&self) -> String {
        let of = |figure: fn(&Overload) -> f64| {
            median(&self.overload.iter().map(figure).collect::<Vec<_>>())
        };
        let sum = |figure: fn(&Overload) -> u64| self.overload.iter().map(figure).sum::<u64>();
        format!(
            "## Overload\n\nA model that takes half a millisecond gets {:.0} messages/s, twice the {:.0} that it can \
             take. Its queue holds {:.0} of {:.0}, the rest waits at the broker; the worker's memory with its \
             host's is {:.1} MiB when the queue is full first and at most {:.1} MiB from then on. Of {} messages in \
             all rounds, {} were lost, {} repeated and {} out of order.\n",
            of(|overload| overload.got),
            of(|overload| overload.takes),
            of(|overload| overload.depth),
            of(|overload| overload.capacity),
            of(|overload| overload.full),
            of(|overload| overload.most),
            sum(|overload| overload.sent),
            sum(|overload| overload.check.lost),
            sum(|overload| overload.check.repeated),
            sum(|overload| overload.check.steps_back),
        )
    }

    fn losses_table(&self) -> String {
        let mut text = format!(
            "## What a fault costs\n\nOf {MESSAGES} numbered messages at QoS 1, in one run, with the fault when the results of half \
             of them have come. {HELD} messages are on their way at once; where they don't come back, further ones follow at \
             {RATE} a second.\n\n\
             | fault | contender | lost | repeated | out of order |\n|---|---|---|---|---|\n"
        );
        for ((fault, kind), check) in &self.losses {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                fault.name(),
                kind.name(),
                check.lost,
                check.repeated,
                check.steps_back,
            );
        }
        text + "\n`kill -9` ends all processes of the contender at once, as the end of its container does. The broker keeps \
                its sessions over the restart, and publisher and reader keep theirs. Repeated are results beyond the first of a \
                message.\n"
    }

    fn start_table(&self) -> String {
        let mut text = "## Start and idle memory\n\n\
                 | contender | first result after, ms | idle memory (PSS) with its model's process, MiB |\n|---|---|---|\n"
            .to_owned();
        for (kind, starts) in &self.starts {
            let memory = median(&self.memory[kind]);
            let _ = writeln!(
                text,
                "| {} | {:.0} | {memory:.1} |",
                kind.name(),
                median(starts)
            );
        }
        text
    }

    fn hosts_text(&self) -> String {
        format!(
            "## Hosts\n\nTwo hosts do {:.2} times the work of one on a model that needs a processor for \
             itself (broker, load and worker need theirs too). A host whose call takes too long is \
             replaced, and serves again, {:.0} ms after the timeout. While one of 100 devices ends the model's \
             process with each message, throughput is {:.2} of what it is without, from the first message on; \
             its messages become dead letters.\n",
            self.two_hosts(),
            self.back_after_hang(),
            self.poisoned(),
        )
    }
}
