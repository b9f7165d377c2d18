//! Balances per asset: what is free, what is locked, and by what.

use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What an account has of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    /// Free to use; never negative.
    pub(super) free: Decimal,
    /// Held by open orders; never negative.
    pub(super) locked: Decimal,
}

/// Funds held by an order, or by the legs of a one-cancels-other list together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lock {
    asset: String,
    amount: Decimal,
}

/// The assets of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wallet {
    holdings: BTreeMap<String, Holding>,
    locks: BTreeMap<u64, Lock>,
}

impl Wallet {
    /// A wallet with that much of each asset.
    pub(super) fn with(balances: &[(String, Decimal)]) -> Wallet {
        let mut wallet = Wallet::default();
        for (asset, amount) in balances {
            wallet.receive(asset, *amount);
        }
        wallet
    }

    /// All assets it ever had.
    pub(super) fn holdings(&self) -> impl Iterator<Item = (&String, &Holding)> {
        self.holdings.iter()
    }

    /// What it has of an asset.
    pub(super) fn holding(&self, asset: &str) -> Holding {
        self.holdings.get(asset).copied().unwrap_or_default()
    }

    /// Adds to what is free.
    pub(super) fn receive(&mut self, asset: &str, amount: Decimal) {
        self.holdings.entry(asset.to_owned()).or_default().free += amount;
    }

    /// How much a lock could hold at most: what it holds and what is free.
    pub(super) fn available(&self, lock: u64, asset: &str) -> Decimal {
        self.held(lock) + self.holding(asset).free
    }

    /// What a lock holds.
    pub(super) fn held(&self, lock: u64) -> Decimal {
        self.locks
            .get(&lock)
            .map_or(Decimal::ZERO, |lock| lock.amount)
    }

    /// Has a lock hold so much of the asset, as far as that is there; says whether it was. Zero ends the lock.
    pub(super) fn hold(&mut self, lock: u64, asset: &str, amount: Decimal) -> bool {
        let available = self.available(lock, asset);
        let wanted = amount.min(available);
        let held = self.held(lock);
        let holding = self.holdings.entry(asset.to_owned()).or_default();
        holding.free -= wanted - held;
        holding.locked += wanted - held;
        if wanted.is_zero() {
            self.locks.remove(&lock);
        } else {
            let entry = Lock {
                asset: asset.to_owned(),
                amount: wanted,
            };
            self.locks.insert(lock, entry);
        }
        self.check();
        amount <= available
    }

    /// Spends from what a lock holds, and from what is free once that is used up.
    pub(super) fn spend(&mut self, lock: u64, asset: &str, amount: Decimal) {
        let from_lock = self.held(lock).min(amount);
        let holding = self.holdings.entry(asset.to_owned()).or_default();
        holding.locked -= from_lock;
        holding.free -= amount - from_lock;
        if let Some(entry) = self.locks.get_mut(&lock) {
            entry.amount -= from_lock;
        }
        self.check();
    }

    /// Nothing is negative, and what is locked is what the locks hold.
    fn check(&self) {
        for (asset, holding) in &self.holdings {
            assert!(
                holding.free >= Decimal::ZERO && holding.locked >= Decimal::ZERO,
                "balance of {asset} is negative"
            );
            let of_asset = self.locks.values().filter(|lock| lock.asset == *asset);
            let held: Decimal = of_asset.map(|lock| lock.amount).sum();
            assert!(
                held == holding.locked,
                "locked {asset} differs from what orders hold"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet() -> Wallet {
        Wallet::with(&[("USDT".to_owned(), Decimal::ONE_HUNDRED)])
    }

    #[test]
    fn a_lock_takes_from_what_is_free_and_gives_it_back() {
        let mut wallet = wallet();
        assert!(wallet.hold(1, "USDT", Decimal::from(60)));
        let expected = Holding {
            free: Decimal::from(40),
            locked: Decimal::from(60),
        };
        assert_eq!(wallet.holding("USDT"), expected);
        assert!(
            !wallet.hold(2, "USDT", Decimal::from(41)),
            "only 40 are free"
        );
        assert!(wallet.hold(2, "USDT", Decimal::ZERO));
        assert!(wallet.hold(1, "USDT", Decimal::ZERO));
        assert_eq!(
            wallet,
            Wallet {
                locks: BTreeMap::new(),
                ..self::wallet()
            }
        );
    }

    #[test]
    fn spending_uses_the_lock_first() {
        let mut wallet = wallet();
        assert!(wallet.hold(1, "USDT", Decimal::from(60)));
        wallet.spend(1, "USDT", Decimal::from(70));
        let expected = Holding {
            free: Decimal::from(30),
            locked: Decimal::ZERO,
        };
        assert_eq!(wallet.holding("USDT"), expected);
        assert_eq!(wallet.held(1), Decimal::ZERO);
    }

    #[test]
    #[should_panic(expected = "negative")]
    fn nobody_spends_what_is_not_there() {
        wallet().spend(1, "USDT", Decimal::from(101));
    }
}
