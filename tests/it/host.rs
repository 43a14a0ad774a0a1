//! Models in real interpreters. Both hosts pass one suite; `EDGEMODEL_PYTHON` names another interpreter for it.

#![expect(
    clippy::duplicate_mod,
    reason = "a test's name says which host it is about"
)]

mod agreement;
mod codec;
mod interpreters;

#[path = "host/suite.rs"]
mod native;
#[path = "host/suite.rs"]
mod portable;
