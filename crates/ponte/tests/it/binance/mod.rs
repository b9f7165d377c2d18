//! The Binance adapters against the test exchange.

mod spot;
mod spot_exchange;
mod spot_faults;
