//! That the bed is what the other tests take it for.

mod access;
mod life;
mod storage;
mod workloads;
