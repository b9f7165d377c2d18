//! USDⓈ-M futures: the exchange, its REST endpoints, its web socket methods and its streams.

mod account;
mod algo;
mod brackets;
mod candles;
mod events;
mod exchange;
mod order;
mod placing;
mod refusal;
mod settings;
mod symbols;
#[cfg(test)]
mod tests;
mod wire;
mod wire_account;

pub use exchange::{FuturesExchange, FuturesOptions};
pub use symbols::FuturesSymbol;
