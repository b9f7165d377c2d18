//! Faces: HTTP servers in front of a venue. The only place here with a clock and sockets.

pub mod binance;
mod clock;
mod connection;
pub mod mt5;
pub mod paper;
