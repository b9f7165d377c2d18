//! The line to a `MetaTrader` 5 terminal: a bridge beside it calls, tells what it knows and takes commands.

pub mod protocol;
