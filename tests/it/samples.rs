//! Golden samples: a model that does not give the results that it was made to give never serves.

mod command;
mod formats;
mod sets;
mod worker;
