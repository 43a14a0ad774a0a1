//! Models in real interpreters.

mod crashes;
mod interpreters;
mod loading;
mod values;
