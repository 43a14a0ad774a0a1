//! One model at work: its hosts, and for each rule an intake and a publisher with a session each.

use std::collections::HashMap;
use std::sync::Arc;

use crds::ValidatedRuntime;
use crds::client_id::{Role, SessionKey};
use hosts::{HostStatus, Monitor, Pool, StartError};
use matching::Matcher;
use message::{Level, Queue};
use mqtt::{Broker, Session};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::intake::{Fate, Intake, inherit, intake};
use crate::outlet::{Destination, ModelOutlet, Parcel};
use crate::publish::{Publisher, publish};
use crate::session_state::SessionState;
use crate::shutdown::Phase;
use crate::source::Acks;
use crate::status::{Probe, Queues, Shared};

/// Memory that the messages of one queue may hold, whatever their number.
pub const QUEUE_BYTES: usize = 64 << 20;

/// What all models of a worker share.
#[derive(Debug)]
pub struct Context {
    /// The configuration.
    pub runtime: ValidatedRuntime,
    /// The brokers, in the order of the configuration.
    pub brokers: Vec<Broker>,
    /// The sessions' client ids.
    pub client_ids: HashMap<SessionKey, String>,
    /// For one of several workers, which does not come back under its client ids: those of the worker that was
    /// alone before, if there was one. Its sessions are emptied and ended.
    pub alone: Option<HashMap<SessionKey, String>>,
    /// State and metrics.
    pub shared: Arc<Shared>,
}

/// A model that serves.
#[derive(Debug)]
pub struct Pipeline {
    pool: Pool,
    post_queues: Vec<Arc<Queue<Parcel>>>,
    phase: watch::Sender<Phase>,
    emptied: Vec<oneshot::Receiver<()>>,
    intakes: JoinSet<()>,
    publishers: JoinSet<()>,
}

/// What is read from a running model at scrape.
#[derive(Debug)]
struct PipelineProbe {
    monitor: Monitor,
    post_queues: Vec<Arc<Queue<Parcel>>>,
}

impl Probe for PipelineProbe {
    fn hosts(&self) -> Vec<HostStatus> {
        self.monitor.hosts()
    }

    fn queues(&self) -> Queues {
        Queues {
            pre: self.monitor.queue(),
            host: self.monitor.waiting_in_hosts(),
            post: Level::of(&self.post_queues),
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
        ctx: &Context,
        func: usize,
        hosts: hosts::Options,
    ) -> Result<Self, StartError> {
        let model = &ctx.runtime.funcs[func];
        let view = &ctx.shared.models()[func];
        let metrics = ctx.shared.metrics.model(&model.name);
        let post_queues: Vec<_> = ctx
            .runtime
            .rules
            .iter()
            .map(|_| Arc::new(Queue::new(model.post_queue_size, QUEUE_BYTES)))
            .collect();
        let destinations = std::iter::zip(&ctx.runtime.rules, &post_queues)
            .map(|(rule, queue)| {
                let broker = ctx.brokers[rule.pub_mqtt].settings();
                Destination {
                    queue: queue.clone(),
                    topic: rule.pub_topic.as_str().into(),
                    dead_letter_topic: rule.dead_letter_topic.as_deref().map(Arc::from),
                    qos: broker.qos,
                    retain: broker.retain,
                }
            })
            .collect();
        let outlet = Arc::new(ModelOutlet::new(
            ctx.shared.clone(),
            view.clone(),
            metrics.clone(),
            destinations,
        ));
        let pool = Pool::start(hosts, outlet.clone(), metrics.hosts.clone()).await?;
        view.set_probe(Box::new(PipelineProbe {
            monitor: pool.monitor(),
            post_queues: post_queues.clone(),
        }));
        let mut pipeline = Self {
            pool,
            post_queues,
            phase: watch::Sender::new(Phase::Serving),
            emptied: Vec::new(),
            intakes: JoinSet::new(),
            publishers: JoinSet::new(),
        };
        for rule in 0..ctx.runtime.rules.len() {
            pipeline.add_rule(ctx, func, rule, &outlet);
        }
        Ok(pipeline)
    }

    fn add_rule(&mut self, ctx: &Context, func: usize, index: usize, outlet: &Arc<ModelOutlet>) {
        let rule = &ctx.runtime.rules[index];
        let model = &ctx.runtime.funcs[func];
        let view = &ctx.shared.models()[func];
        let metrics = ctx.shared.metrics.model(&model.name);
        let session = |role, mqtt: usize, topic: &str| {
            let key = SessionKey {
                rule: index,
                func,
                role,
            };
            let id = &ctx.client_ids[&key];
            let broker = &ctx.brokers[mqtt];
            let state = SessionState::new(
                &ctx.shared.metrics,
                view,
                index,
                role,
                broker.settings().broker.address(),
                topic,
                id,
            );
            let subscription = (role == Role::Sub).then_some(topic);
            (
                Session::new(broker.options(id.clone(), subscription)),
                state,
            )
        };
        let (client, state) = session(Role::Pub, rule.pub_mqtt, &rule.pub_topic);
        self.publishers.spawn(publish(Publisher {
            client,
            queue: self.post_queues[index].clone(),
            outlet: outlet.clone(),
            timeout: rule.pub_timeout,
            metrics: metrics.clone(),
            state,
            phase: self.phase.subscribe(),
        }));
        let intake_of = |pipeline: &Self, client, state, fate| Intake {
            client,
            rule: index,
            matcher: Matcher::new(&model.devices),
            on_full: model.on_full,
            lanes: pipeline.pool.lanes(),
            ledger: view.ledger.clone(),
            acks: Arc::new(Acks::default()),
            outlet: outlet.clone(),
            metrics: metrics.clone(),
            state,
            phase: pipeline.phase.subscribe(),
            fate,
            subscribed: None,
        };
        let (client, state) = session(Role::Sub, rule.sub_mqtt, &rule.sub_topic);
        let fate = if ctx.alone.is_some() {
            Fate::Left
        } else {
            Fate::Kept
        };
        let mut own = intake_of(self, client, state, fate);
        let key = SessionKey {
            rule: index,
            func,
            role: Role::Sub,
        };
        if let Some(id) = ctx.alone.as_ref().and_then(|ids| ids.get(&key)) {
            let broker = &ctx.brokers[rule.sub_mqtt];
            let client = Session::new(broker.inherited(id.clone(), &rule.sub_topic));
            let address = broker.settings().broker.address();
            let state = SessionState::unlisted(view, index, address);
            let heir = intake_of(self, client, state, Fate::Inherited);
            let (subscribed, ready) = oneshot::channel();
            own.subscribed = Some(subscribed);
            let (emptied, receiver) = oneshot::channel();
            self.emptied.push(receiver);
            self.intakes.spawn(inherit(heir, ready, emptied));
        }
        let (emptied, receiver) = oneshot::channel();
        self.emptied.push(receiver);
        self.intakes.spawn(intake(own, emptied));
    }

    /// Stops taking messages, finishes those that were taken, acknowledges them and disconnects.
    ///
    /// Dropped before it is done (a deadline), what is not finished stays unacknowledged, and the
    /// broker delivers it again.
    pub async fn stop(mut self) {
        self.phase.send_replace(Phase::Draining);
        for emptied in self.emptied {
            // Fails only when the intake is gone, which then holds nothing.
            let _ = emptied.await;
        }
        self.pool.drain().await;
        for queue in &self.post_queues {
            queue.close();
        }
        while self.publishers.join_next().await.is_some() {}
        self.phase.send_replace(Phase::Finishing);
        while self.intakes.join_next().await.is_some() {}
    }
}
