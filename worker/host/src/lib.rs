//! The model host: what a `python3` loads to run a model. It has no contents yet.
