//! What people see, through the real program.

mod cli;
mod matching;
