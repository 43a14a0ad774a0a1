//! What is known of the runtimes that are served: one list for the cluster, or one for each namespace.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::runtime::reflector::{ObjectRef, Store};

use super::Runtime;

/// A namespace, or `None` for all of them.
pub(super) type Place = Option<String>;

/// The lists, by where their runtimes are.
pub(super) struct Served(Mutex<BTreeMap<Place, Known>>);

#[derive(Default)]
struct Known {
    runtimes: Option<Store<Runtime>>,
    answer: Answer,
}

/// What the API server last said to a request for the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    None,
    Listed,
    Forbidden,
}

impl Served {
    /// These namespaces, or the whole cluster if there are none.
    pub(super) fn new(namespaces: &[String]) -> Self {
        let mut places: Vec<Place> = namespaces.iter().cloned().map(Some).collect();
        if places.is_empty() {
            places.push(None);
        }
        let lists = places.into_iter().map(|place| (place, Known::default()));
        Self(Mutex::new(lists.collect()))
    }

    pub(super) fn places(&self) -> Vec<Place> {
        self.lists().keys().cloned().collect()
    }

    /// From now on, what is known of the runtimes there is in `store`.
    pub(super) fn follow(&self, place: &Place, store: Store<Runtime>) {
        self.change(place, |known| known.runtimes = Some(store));
    }

    /// The runtimes there have been listed.
    pub(super) fn listed(&self, place: &Place) {
        self.change(place, |known| known.answer = Answer::Listed);
    }

    /// The runtimes there may not be listed; gives whether that is news.
    pub(super) fn forbidden(&self, place: &Place) -> bool {
        let mut news = false;
        self.change(place, |known| {
            news = known.answer != Answer::Forbidden;
            known.answer = Answer::Forbidden;
        });
        news
    }

    /// Nothing is known of the runtimes there any more.
    pub(super) fn lost(&self, place: &Place) {
        self.change(place, |known| known.runtimes = None);
    }

    /// Whether all lists have been answered. One that is forbidden keeps the operator from being ready only if it has no
    /// other: a namespace that was deleted takes its Role with it, and no other namespace waits for that.
    pub(super) fn is_ready(&self) -> bool {
        let lists = self.lists();
        let mut answers = lists.values().map(|known| known.answer);
        let all = answers.clone().all(|answer| answer != Answer::None);
        all && answers.any(|answer| answer == Answer::Listed)
    }

    /// How many runtimes there are.
    pub(super) fn count(&self) -> usize {
        let lists = self.lists();
        let stores = lists.values().filter_map(|known| known.runtimes.as_ref());
        stores.map(Store::len).sum()
    }

    pub(super) fn contains(&self, namespace: &str, name: &str) -> bool {
        let lists = self.lists();
        let runtime = ObjectRef::new(name).within(namespace);
        let mut stores = lists.values().filter_map(|known| known.runtimes.as_ref());
        stores.any(|store| store.get(&runtime).is_some())
    }

    fn change(&self, place: &Place, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.lists().get_mut(place) {
            change(known);
        }
    }

    fn lists(&self) -> MutexGuard<'_, BTreeMap<Place, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kube::api::ObjectMeta;
    use kube::core::PartialObjectMetaExt as _;
    use kube::runtime::reflector;
    use kube::runtime::watcher::Event;

    use super::*;

    fn served(namespaces: &[&str]) -> Served {
        let namespaces: Vec<_> = namespaces.iter().map(|&one| one.to_owned()).collect();
        Served::new(&namespaces)
    }

    /// A list of runtimes of one namespace.
    fn list(namespace: &str, names: &[&str]) -> Store<Runtime> {
        let (store, mut writer) = reflector::store();
        for &name in names {
            let meta = ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            };
            writer.apply_watcher_event(&Event::Apply(meta.into_response_partial()));
        }
        store
    }

    #[test]
    fn without_namespaces_the_cluster_is_served_and_each_namespace_once() {
        assert_eq!(served(&[]).places(), [None]);
        let two = [Some("a".to_owned()), Some("b".to_owned())];
        assert_eq!(served(&["b", "a", "b"]).places(), two);
    }

    #[test]
    fn all_lists_must_be_answered_and_one_be_given() {
        let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
        let both = served(&["a", "b"]);
        both.listed(&a);
        assert!(!both.is_ready(), "b was not answered");
        assert!(both.forbidden(&b), "the first time is news");
        assert!(!both.forbidden(&b), "the second is not");
        assert!(both.is_ready());
        both.listed(&b);
        assert!(both.forbidden(&b), "news again");

        let none = served(&["a"]);
        none.forbidden(&a);
        assert!(!none.is_ready());
    }

    #[test]
    fn runtimes_of_all_lists_count_and_a_new_list_replaces_the_old() {
        let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
        let both = served(&["a", "b"]);
        both.follow(&a, list("a", &["one", "two"]));
        both.follow(&b, list("b", &["one"]));
        assert_eq!(both.count(), 3);
        assert!(both.contains("b", "one") && !both.contains("b", "two"));
        both.follow(&a, list("a", &[]));
        assert_eq!(both.count(), 1);
        both.lost(&b);
        assert_eq!((both.count(), both.contains("b", "one")), (0, false));
    }
}
