//! The pipeline of one model: its hosts, and for each rule a source with an intake, and sinks.

use std::sync::Arc;

use crds::client_id::Role;
use hosts::{HostStatus, Lanes, Monitor, Pool, StartError};
use matching::Matcher;
use message::Observer;
use mqtt::Session;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::dispatch::Dispatcher;
use crate::handover::{SessionPolicy, take_over};
use crate::intake::Intake;
use crate::results::{Accounts, Results};
use crate::route::{PipelineContext, Route};
use crate::session_state::SessionState;
use crate::shutdown::Phase;
use crate::sink::{self, SharedSinks};
use crate::source::MqttSource;
use crate::status::{Probe, Queues};

/// A model that serves.
#[derive(Debug)]
pub struct Pipeline {
    pool: Pool,
    results: Arc<Results>,
    phase: watch::Sender<Phase>,
    intakes: Intakes,
    /// The tasks of the sinks.
    sinks: JoinSet<()>,
}

/// What is read from a running model at scrape.
#[derive(Debug)]
struct PipelineProbe {
    monitor: Monitor,
    results: Arc<Results>,
}

impl Probe for PipelineProbe {
    fn hosts(&self) -> Vec<HostStatus> {
        self.monitor.hosts()
    }

    fn runs(&self) -> bool {
        self.monitor.runs()
    }

    fn queues(&self) -> Queues {
        Queues {
            pre: self.monitor.queue(),
            host: self.monitor.waiting_in_hosts(),
            post: self.results.sinks().map(|sink| sink.level()).sum(),
        }
    }

    fn utilization(&self) -> f64 {
        self.monitor.utilization()
    }
}

impl Pipeline {
    /// Starts the model's hosts and, once they have imported it, connects its sessions: a session
    /// that an older worker still serves is taken over only when this one can serve it.
    ///
    /// # Errors
    /// The hosts do not start.
    pub async fn start(
        ctx: &PipelineContext,
        sinks: &SharedSinks,
        func: usize,
        hosts: hosts::Options,
    ) -> Result<Self, StartError> {
        let phase = watch::Sender::new(Phase::Serving);
        let claims: Vec<_> = ctx
            .runtime
            .rules
            .iter()
            .map(|_| watch::Sender::default())
            .collect();
        let routes = claims.iter().enumerate().map(|(rule, claim)| Route {
            ctx,
            phase: &phase,
            claim,
            func,
            rule,
        });
        let view = &ctx.shared.models()[func];
        let metrics = ctx.shared.metrics.model(&ctx.runtime.funcs[func].name);
        let results = Arc::new(Results::new(
            Accounts::new(
                view.clone(),
                metrics.clone(),
                ctx.runtime
                    .rules
                    .iter()
                    .map(|rule| rule.dead_letter_topic.is_some())
                    .collect(),
            ),
            routes
                .clone()
                .map(|route| sink::open(route, sinks))
                .collect(),
        ));
        let pool = Pool::start(hosts, results.clone(), metrics.hosts).await?;
        view.set_probe(Box::new(PipelineProbe {
            monitor: pool.monitor(),
            results: results.clone(),
        }));
        let mut intakes = Intakes::default();
        let mut sinks = JoinSet::new();
        for route in routes {
            for sink in results.sinks_of(route.rule) {
                sink.start(route, &mut sinks);
            }
            intakes.add(route, &pool.lanes(), &results);
        }
        Ok(Self {
            pool,
            results,
            phase,
            intakes,
            sinks,
        })
    }

    /// Stops reading messages, finishes those that were read, acknowledges them and disconnects.
    ///
    /// Dropped before it is done (a deadline), what is not finished stays unacknowledged, and its source delivers it
    /// again.
    pub async fn stop(mut self) {
        self.phase.send_replace(Phase::Draining);
        self.intakes.queued().await;
        self.pool.drain().await;
        for sink in self.results.sinks() {
            sink.close();
        }
        while self.sinks.join_next().await.is_some() {}
        self.phase.send_replace(Phase::Finishing);
        while self.intakes.tasks.join_next().await.is_some() {}
    }
}

/// The intakes of one model.
#[derive(Debug, Default)]
struct Intakes {
    tasks: JoinSet<()>,
    /// Closed when each of them has queued everything that it read.
    queued: Vec<oneshot::Receiver<()>>,
}

impl Intakes {
    /// Starts the intake of one rule, and one for the session of its predecessor, if there may be one.
    fn add(&mut self, route: Route<'_>, lanes: &Lanes, results: &Arc<Results>) {
        let rule = route.rule();
        let broker = route.broker(rule.sub_mqtt);
        let intake = |mut options: mqtt::Options, policy, state| {
            options.ignore_retained = rule.ignore_retained;
            let ledger = route.view().ledger.clone();
            let discarded = route.metrics().discarded;
            let session = Session::new(options);
            let dispatcher = Dispatcher {
                matcher: Matcher::of(route.model()),
                model: route.func,
                view: route.view().clone(),
                devices: Observer::new(route.view().devices.clone()),
                undecodable: route.ctx.shared.rules()[route.rule].clone(),
                max_message_bytes: broker.settings().max_message_bytes as usize,
                set_aside: route.ctx.set_aside(),
                on_full: route.model().on_full,
                lanes: lanes.clone(),
                results: results.clone(),
                metrics: route.metrics(),
            };
            let mut source = MqttSource::new(session, route.rule, policy, ledger, discarded, state);
            if rule.ignore_retained {
                source.ignore_retained();
            }
            Intake::new(source, dispatcher, route.phase())
        };
        let id = route.client_id(Role::Sub).to_owned();
        let mut own = intake(
            broker.options(id, &rule.sub_topics),
            SessionPolicy::own(route.ctx.predecessor.is_none()),
            route.session_state(Role::Sub, broker, &rule.sub_topics.join(", ")),
        );
        own.source().lead(route.claim.clone());
        let address = broker.settings().broker.address();
        own.source()
            .with_strikes(route.ctx.strikes(route.client_id(Role::Sub), &address));
        if let Some(id) = route.predecessor() {
            let predecessor = intake(
                broker.inherited(id.to_owned(), &rule.sub_topics),
                SessionPolicy::TakeOver,
                SessionState::unlisted(route.view(), route.rule, address),
            );
            let (subscribed, ready) = oneshot::channel();
            own.source().on_subscribed(subscribed);
            self.spawn(|queued| take_over(predecessor, ready, queued));
        }
        self.spawn(|queued| own.run(queued));
    }

    fn spawn<F>(&mut self, intake: impl FnOnce(oneshot::Sender<()>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (queued, receiver) = oneshot::channel();
        self.queued.push(receiver);
        self.tasks.spawn(intake(queued));
    }

    /// Waits until everything that was read is queued.
    async fn queued(&mut self) {
        for queued in self.queued.drain(..) {
            // Fails only when the intake has ended, and then holds nothing.
            let _ = queued.await;
        }
    }
}
