//! What a worker must survive, item by item, with a real broker, real interpreters and the real program.
//!
//! | item | test |
//! |---|---|
//! | WK-01 broker down at start | `worker::seed::a_broker_that_comes_late_...` |
//! | WK-02 broker killed under load | `broker::wk_02_...` |
//! | WK-03 peer falls silent | `broker::wk_03_...`, `mqtt::failures::a_peer_that_falls_silent_...` |
//! | WK-04 worker killed under load | `chaos::wk_04_...` |
//! | WK-05 SIGTERM under load | `worker::delivery::a_worker_that_is_asked_to_end_...` |
//! | WK-06 slow model | `worker::delivery::a_slow_model_...` |
//! | WK-07 broker slow on publish | `broker::wk_07_...` |
//! | WK-08 models that misbehave | `host::crashes`, `host::values`, `worker::several` |
//! | WK-09 payloads that are not what they should be | `payloads::wk_09_...` |
//! | WK-10 devices of no, one and many models | `payloads::wk_10_...` |
//! | WK-11 another model takes over under load | `takeover::wk_11_...` |
//! | one worker, several, one again; as Kubernetes does it | `shape::...`, `rollout::...` |
//! | WK-12 crash at each step of an installation | `model::what_a_crash_left_...` |
//! | WK-14 scrapes during all this | `chaos::wk_04_...` scrapes all the time |
//! | WK-17 the clock jumps | `clock::wk_17_...` |
//! | WK-18 a long run, in short | `soak::memory_and_files_...` |

mod broker;
mod chaos;
mod clock;
mod payloads;
mod plant;
mod rollout;
mod shape;
mod soak;
mod takeover;
