//! The pure heart of Ponte: what an alert means and what must be done about it.
//!
//! No clock, no randomness, no file, no socket and no async: time and everything else that
//! changes from run to run is an argument. See `ARCHITECTURE.md` for the map.

pub mod b3;
pub mod decide;
pub mod delivery;
pub mod fate;
pub mod format;
pub mod gate;
pub mod halt;
pub mod id;
pub mod identity;
pub mod instrument;
pub mod message;
pub mod nearest;
pub mod number;
pub mod order;
pub mod outside;
pub mod policy;
mod position;
pub mod retry;
pub mod signal;
pub mod source;
pub mod state;
pub mod time;
pub mod verdict;
