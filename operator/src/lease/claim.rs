//! Who may have the Lease: decided from what stands in it and from how long that has not changed, as measured here.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// A candidate, as it stands in a Lease.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) identity: String,
    /// How long others wait after its last renewal.
    pub(super) duration: Duration,
}

impl Holder {
    /// The Lease as this candidate acquires or renews it; `None` while another holds it. `current` has not changed for
    /// the time `unchanged`.
    pub(super) fn claim(
        &self,
        current: Option<&LeaseSpec>,
        unchanged: Duration,
        now: &MicroTime,
    ) -> Option<LeaseSpec> {
        let mine = current.filter(|spec| self.is_mine(spec));
        if let (Some(other), None) = (current, mine)
            && !self.is_over(other, unchanged)
        {
            return None;
        }
        let transitions = current.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let acquired = mine.and_then(|spec| spec.acquire_time.clone());
        Some(LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            acquire_time: acquired.or_else(|| Some(now.clone())),
            renew_time: Some(now.clone()),
            lease_transitions: Some(transitions + i32::from(current.is_some() && mine.is_none())),
            ..LeaseSpec::default()
        })
    }

    /// The Lease as this candidate releases it; `None` if another holds it.
    pub(super) fn release(&self, current: &LeaseSpec, now: &MicroTime) -> Option<LeaseSpec> {
        self.is_mine(current).then(|| LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(now.clone()),
            ..current.clone()
        })
    }

    fn is_mine(&self, spec: &LeaseSpec) -> bool {
        spec.holder_identity.as_deref() == Some(&self.identity)
    }

    fn is_over(&self, spec: &LeaseSpec, unchanged: Duration) -> bool {
        let released = spec.holder_identity.as_deref().is_none_or(str::is_empty);
        let seconds = spec.lease_duration_seconds;
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        released || unchanged >= seconds.map_or(self.duration, Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> MicroTime {
        MicroTime(Timestamp::from_second(second).unwrap())
    }

    fn holder(identity: &str) -> Holder {
        Holder {
            identity: identity.to_owned(),
            duration: Duration::from_secs(15),
        }
    }

    /// The lease of `identity`, acquired at second 1.
    fn lease(identity: &str, seconds: Option<i32>) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: seconds,
            acquire_time: Some(at(1)),
            renew_time: Some(at(1)),
            lease_transitions: Some(4),
            ..LeaseSpec::default()
        }
    }

    /// Whether `me` may take the lease that has not changed for this many seconds.
    #[track_caller]
    fn check(current: Option<&LeaseSpec>, unchanged: u64, expected: bool) {
        let claim = holder("me").claim(current, Duration::from_secs(unchanged), &at(9));
        assert_eq!(claim.is_some(), expected, "{current:?} {unchanged}");
    }

    #[test]
    fn a_lease_without_a_holder_is_taken() {
        check(None, 0, true);
        check(Some(&LeaseSpec::default()), 0, true);
        check(Some(&lease("", Some(1))), 0, true);
    }

    #[test]
    fn a_lease_of_another_is_taken_when_it_has_not_changed_for_its_duration() {
        check(Some(&lease("other", Some(15))), 0, false);
        check(Some(&lease("other", Some(15))), 14, false);
        check(Some(&lease("other", Some(15))), 15, true);
        check(Some(&lease("other", Some(3))), 3, true);
    }

    #[test]
    fn a_lease_without_a_duration_lasts_as_long_as_ones_own() {
        check(Some(&lease("other", None)), 14, false);
        check(Some(&lease("other", None)), 15, true);
        check(Some(&lease("other", Some(-1))), 14, false);
    }

    #[test]
    fn ones_own_lease_is_renewed_however_old() {
        check(Some(&lease("me", Some(15))), 0, true);
        check(Some(&lease("me", Some(15))), 100, true);
    }

    #[track_caller]
    fn times(current: Option<&LeaseSpec>, acquired: i64, transitions: i32) {
        let claim = holder("me").claim(current, Duration::from_secs(99), &at(9));
        let claim = claim.unwrap();
        assert_eq!(claim.acquire_time, Some(at(acquired)));
        assert_eq!(claim.renew_time, Some(at(9)));
        assert_eq!(claim.lease_transitions, Some(transitions));
        assert_eq!(claim.lease_duration_seconds, Some(15));
    }

    #[test]
    fn a_renewal_keeps_the_time_of_acquisition_and_a_change_of_hands_is_counted() {
        times(None, 9, 0);
        times(Some(&lease("me", Some(15))), 1, 4);
        times(Some(&lease("other", Some(15))), 9, 5);
        times(Some(&lease("", Some(1))), 9, 5);
    }

    #[test]
    fn only_ones_own_lease_is_released() {
        let released = holder("me").release(&lease("me", Some(15)), &at(9));
        let released = released.unwrap();
        assert_eq!(released.holder_identity.as_deref(), Some(""));
        assert_eq!(released.lease_transitions, Some(4));
        assert!(
            holder("me")
                .release(&lease("other", Some(15)), &at(9))
                .is_none()
        );
        // Another candidate takes it at once.
        check(Some(&released), 0, true);
    }
}
