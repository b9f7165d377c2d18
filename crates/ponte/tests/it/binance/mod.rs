//! The Binance adapters against the test exchange.

mod futures;
mod futures_exchange;
mod futures_faults;
mod spot;
mod spot_exchange;
mod spot_faults;
