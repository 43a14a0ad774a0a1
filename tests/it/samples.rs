//! Golden samples: a model that does not give the results that it was made to give never serves.

mod command;
mod sets;
mod worker;
