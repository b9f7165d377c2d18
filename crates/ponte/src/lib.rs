//! Everything of Ponte that touches the world.

pub mod clock;
pub mod journal;
pub mod random;
