//! The line to a `MetaTrader` 5 terminal: a bridge beside it calls, tells what it knows and takes commands.
//!
//! [`Line`] is one account's: the broker's adapter hands tasks over, hears facts and asks for
//! presence and prices. [`Hub`] answers the bridges of all lines. Whether a command may have
//! reached a bridge is decided in one place (`desk`), under one lock.

mod bounds;
mod desk;
mod hub;
mod line;
pub mod protocol;

pub use bounds::OutOfBounds;
pub use hub::Hub;
pub use line::{Heard, Line, Listener, Presence, Ran, Refused, Running, Seen};
