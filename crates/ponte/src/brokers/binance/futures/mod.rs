//! USDⓈ-M futures: perpetual contracts with conditional orders as orders of their own.

mod book;
mod instruments;
mod number;
mod place;
#[cfg(test)]
mod samples;
mod snapshot;
mod symbols;
mod wire;
