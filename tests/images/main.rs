//! The images that `make images` has built, through their own programs, without Kubernetes. Run as root, by
//! `make test-images`.

mod any_image;
mod container;
mod content;
mod image;
mod libraries;
mod operator;
mod pod;
mod science;
mod worker;
