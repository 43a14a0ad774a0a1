//! A real API server.

mod bed;
