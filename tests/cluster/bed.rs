//! That the bed is what the other tests take it for.

mod life;
mod workloads;
