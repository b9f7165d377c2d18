//! Names of perpetual contracts: TradingView writes `BTCUSDT.P`, the exchange `BTCUSDT`.

use ponte_core::id::Symbol;

/// What TradingView puts behind the name of a perpetual contract.
const PERPETUAL: &str = ".P";

/// The exchange's name of a perpetual contract; `None` for a symbol that isn't one.
pub(super) fn to_wire(symbol: &Symbol) -> Option<&str> {
    symbol.as_str().strip_suffix(PERPETUAL)
}

/// Ponte's symbol of the exchange's contract; `None` for contracts with a date (`BTCUSDT_270326`).
pub(super) fn from_wire(name: &str) -> Option<Symbol> {
    if name.contains('_') {
        return None;
    }
    Symbol::new(&format!("{name}{PERPETUAL}")).ok()
}

/// The base asset of a contract in this currency (`BTC` of `BTCUSDT`).
pub(super) fn base_asset<'a>(name: &'a str, currency: &str) -> Option<&'a str> {
    name.strip_suffix(currency).filter(|base| !base.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perpetuals_lose_and_get_their_ending() {
        let symbol = Symbol::new("BTCUSDT.P").expect("a symbol");
        assert_eq!(to_wire(&symbol), Some("BTCUSDT"));
        assert_eq!(from_wire("BTCUSDT"), Some(symbol));
        assert_eq!(to_wire(&Symbol::new("BTCUSDT").expect("a symbol")), None);
        assert_eq!(from_wire("BTCUSDT_270326"), None);
        assert_eq!(base_asset("BTCUSDT", "USDT"), Some("BTC"));
        assert_eq!(base_asset("BTCUSDC", "USDT"), None);
        assert_eq!(base_asset("USDT", "USDT"), None);
    }
}
