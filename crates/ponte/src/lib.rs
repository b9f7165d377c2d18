//! Everything of Ponte that touches the world.
