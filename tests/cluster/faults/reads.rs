//! Faults of lists and watches: F6 to F9.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, PostParams};
use kube::client::Body;
use kube::runtime::watcher::{self, Event, watcher};
use tests::faults::{Plan, Verb};

use super::Maps;

type Events = Pin<Box<dyn Stream<Item = watcher::Result<Event<ConfigMap>>>>>;

/// A watch that has listed and follows.
async fn follow(maps: &Maps) -> anyhow::Result<Events> {
    let mut events: Events = Box::pin(watcher(maps.faulty.clone(), watcher::Config::default()));
    next(&mut events, |event| matches!(event, Ok(Event::InitDone))).await;
    // An event of the watch itself, so that it is there.
    maps.make("sign").await?;
    next(&mut events, |event| name(event) == "sign").await;
    Ok(events)
}

async fn next(events: &mut Events, wanted: impl Fn(&watcher::Result<Event<ConfigMap>>) -> bool) {
    loop {
        let event = events.next().await;
        if wanted(&event.expect("a watcher goes on")) {
            return;
        }
    }
}

fn name(event: &watcher::Result<Event<ConfigMap>>) -> String {
    match event {
        Ok(Event::Apply(map) | Event::InitApply(map)) => map.name_any(),
        _ => String::new(),
    }
}

/// Polls a watch while the real client reads again and again: nothing must come through.
async fn silent(maps: &Maps, events: &mut Events) -> anyhow::Result<()> {
    let reads = async {
        for _ in 0..20 {
            maps.real.get("sign").await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        event = events.next() => panic!("{event:?}"),
        reads = reads => reads,
    }
}

#[tokio::test]
async fn a_paused_watch_hears_later() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    let mut events = follow(&maps).await?;
    plan.pause("configmaps");
    maps.make("held").await?;
    silent(&maps, &mut events).await?;
    plan.resume("configmaps");
    assert_eq!(name(&events.next().await.expect("an event")), "held");
    Ok(())
}

/// F9: what was made first is heard of last.
#[tokio::test]
async fn events_of_two_kinds_come_in_the_other_order() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    let mut events = follow(&maps).await?;
    let accounts = Api::<ServiceAccount>::namespaced(maps.faulty_client.clone(), &maps.namespace);
    let mut others = Box::pin(watcher(accounts.clone(), watcher::Config::default()));
    plan.pause("configmaps");
    maps.make("first").await?;
    let second = serde_json::from_value(serde_json::json!({"metadata": {"name": "second"}}))?;
    accounts.create(&PostParams::default(), &second).await?;
    tokio::select! {
        event = events.next() => panic!("{event:?}"),
        () = async {
            while let Some(event) = others.next().await {
                if matches!(event, Ok(Event::Apply(account) | Event::InitApply(account))
                    if account.name_any() == "second")
                {
                    return;
                }
            }
        } => {}
    }
    plan.resume("configmaps");
    assert_eq!(name(&events.next().await.expect("an event")), "first");
    Ok(())
}

#[tokio::test]
async fn an_expired_watch_lists_again() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    let mut events = follow(&maps).await?;
    plan.pause("configmaps");
    maps.make("missed").await?;
    silent(&maps, &mut events).await?;
    plan.expire("configmaps");
    let event = events.next().await.expect("an event");
    let Err(watcher::Error::WatchError(status)) = event else {
        panic!("{event:?}");
    };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    next(&mut events, |event| matches!(event, Ok(Event::Init))).await;
    next(&mut events, |event| name(event) == "missed").await;
    Ok(())
}

#[tokio::test]
async fn a_watch_that_is_cut_in_an_event_goes_on_with_it() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    let mut events = follow(&maps).await?;
    plan.cut(Verb::Watch, "configmaps");
    maps.make("halved").await?;
    next(&mut events, |event| name(event) == "halved").await;
    assert!(!plan.cut_pending());
    Ok(())
}

#[tokio::test]
async fn what_comes_of_an_event_that_is_cut_is_half_of_it_and_an_error() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    maps.make("halved").await?;
    plan.cut(Verb::Watch, "configmaps");
    let path = format!(
        "/api/v1/namespaces/{}/configmaps?watch=true",
        maps.namespace
    );
    let request = http::Request::get(path).body(Body::empty())?;
    let mut body = maps.faulty_client.send(request).await?.into_body();
    let frame = body.frame().await.expect("a half")?;
    let half = String::from_utf8(frame.into_data().unwrap_or_default().into())?;
    assert!(
        half.starts_with(r#"{"type":"ADDED""#) && !half.ends_with('\n'),
        "{half}"
    );
    assert!(serde_json::from_str::<serde_json::Value>(&half).is_err());
    assert!(body.frame().await.expect("an error").is_err());
    assert!(body.frame().await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_list_that_is_cut_is_an_error_once() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    plan.cut(Verb::List, "configmaps");
    let all = ListParams::default();
    assert!(maps.faulty.list(&all).await.is_err());
    maps.faulty.list(&all).await?;
    Ok(())
}

#[tokio::test]
async fn a_frozen_resource_is_as_it_was() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    let mut events = follow(&maps).await?;
    let before = maps.make("before").await?;
    let version = before.resource_version().unwrap_or_default().parse()?;
    plan.freeze("configmaps", version);
    maps.make("after").await?;

    // What had happened by then still comes.
    assert_eq!(name(&events.next().await.expect("an event")), "before");
    silent(&maps, &mut events).await?;
    let all = ListParams::default();
    let names = async || -> anyhow::Result<Vec<_>> {
        let maps = maps.faulty.list(&all).await?;
        Ok(maps.iter().map(ConfigMap::name_any).collect())
    };
    let listed = names().await?;
    assert!(listed.contains(&"before".to_owned()) && !listed.contains(&"after".to_owned()));
    maps.faulty.get("after").await?;
    plan.resume("configmaps");
    assert!(names().await?.contains(&"after".to_owned()));
    next(&mut events, |event| name(event) == "after").await;
    Ok(())
}
