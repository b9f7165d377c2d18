//! Everything of Ponte that touches the world.

pub mod clock;
pub mod engine;
pub mod journal;
pub mod metrics;
pub mod random;
