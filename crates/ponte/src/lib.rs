//! Everything of Ponte that touches the world.

pub mod config;
pub mod secret;
