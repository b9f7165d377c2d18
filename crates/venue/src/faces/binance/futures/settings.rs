//! Settings and clocks of an account: leverage, margin type, position mode, listen keys, and what ends by time.

use super::account::{ListenKey, MarginType};
use super::events;
use super::exchange::FuturesExchange;
use super::order::{AlgoId, AlgoStatus, OrderId, OrderStatus};
use super::refusal::Refusal;
use crate::hash;
use crate::time::Micros;

/// How long a listen key lives without being extended, in milliseconds.
pub(crate) const LISTEN_KEY_MS: i64 = 3_600_000;
/// Characters of a listen key.
const LISTEN_KEY_LENGTH: usize = 64;
/// Characters of a client order id that the exchange makes.
const GENERATED_NAME_LENGTH: usize = 22;

impl FuturesExchange {
    /// Sets the leverage of a symbol (-4028).
    pub(crate) fn set_leverage(
        &mut self,
        account: &str,
        symbol: &str,
        leverage: i64,
        now: Micros,
    ) -> Result<(), Refusal> {
        let leverage_max = self.rules(symbol)?.leverage_max;
        let valid = u32::try_from(leverage)
            .ok()
            .filter(|leverage| (1..=leverage_max).contains(leverage));
        let Some(leverage) = valid else {
            let message = format!("Leverage {leverage} is not valid");
            return Err(Refusal::new(-4028, message));
        };
        let books = self.account_mut(account)?;
        let settings = books.settings.entry(symbol.to_owned()).or_default();
        settings.leverage = leverage;
        let event = events::leverage_update(account, symbol, *settings, now);
        self.outgoing.push(event);
        Ok(())
    }

    /// Sets the margin type of a symbol (-4046, -4047, -4048).
    pub(crate) fn set_margin_type(
        &mut self,
        account: &str,
        symbol: &str,
        margin_type: MarginType,
    ) -> Result<(), Refusal> {
        self.rules(symbol)?;
        let books = self.account_mut(account)?;
        if books.settings_of(symbol).margin_type == margin_type {
            return Err(Refusal::new(-4046, "No need to change margin type."));
        }
        let has_orders = books.open_orders().any(|order| order.symbol == symbol);
        if has_orders || books.open_algos().any(|algo| algo.symbol == symbol) {
            let message = "Margin type cannot be changed if there exists open orders.";
            return Err(Refusal::new(-4047, message));
        }
        let mut positions = books.positions.iter();
        if positions.any(|((of, _), position)| of == symbol && !position.amount.is_zero()) {
            let message = "Margin type cannot be changed if there exists position.";
            return Err(Refusal::new(-4048, message));
        }
        let settings = books.settings.entry(symbol.to_owned()).or_default();
        settings.margin_type = margin_type;
        Ok(())
    }

    /// Switches between one-way and hedge mode (-4059, -4067, -4068).
    pub(crate) fn set_hedge_mode(&mut self, account: &str, is_hedge: bool) -> Result<(), Refusal> {
        let books = self.account_mut(account)?;
        if books.hedge_mode == is_hedge {
            return Err(Refusal::new(-4059, "No need to change position side."));
        }
        if !books.open_ids.is_empty() || !books.open_algo_ids.is_empty() {
            let message = "Position side cannot be changed if there exists open orders.";
            return Err(Refusal::new(-4067, message));
        }
        let mut positions = books.positions.values();
        if positions.any(|position| !position.amount.is_zero()) {
            let message = "Position side cannot be changed if there exists position.";
            return Err(Refusal::new(-4068, message));
        }
        books.hedge_mode = is_hedge;
        Ok(())
    }

    /// Switches between single- and multi-assets mode (-4171).
    pub(crate) fn set_multi_assets(
        &mut self,
        account: &str,
        is_on: bool,
        now: Micros,
    ) -> Result<(), Refusal> {
        let books = self.account_mut(account)?;
        if books.multi_assets == is_on {
            let message =
                "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.";
            return Err(Refusal::new(-4171, message));
        }
        books.multi_assets = is_on;
        self.outgoing
            .push(events::multi_assets_update(account, is_on, now));
        Ok(())
    }

    /// Arms the dead man's switch of a symbol: its open regular orders are cancelled so many milliseconds from now,
    /// unless it is armed again; zero disarms it.
    pub(crate) fn set_countdown(
        &mut self,
        account: &str,
        symbol: &str,
        milliseconds: i64,
        now: Micros,
    ) -> Result<(), Refusal> {
        self.rules(symbol)?;
        if milliseconds < 0 {
            return Err(Refusal::invalid_parameter("countdownTime"));
        }
        let books = self.account_mut(account)?;
        if milliseconds == 0 {
            books.countdowns.remove(symbol);
        } else {
            let at = now.plus_milliseconds(milliseconds);
            books.countdowns.insert(symbol.to_owned(), at);
        }
        Ok(())
    }

    /// Gives out the account's listen key and extends it; a new one if there is none.
    pub(crate) fn start_stream(&mut self, account: &str, now: Micros) -> Result<String, Refusal> {
        self.next_key += 1;
        let fresh = random_word(self.options.key_seed, self.next_key, LISTEN_KEY_LENGTH);
        let books = self.account_mut(account)?;
        let current = books.listen_key.take().filter(|key| key.until > now);
        let key = current.map_or(fresh, |listen_key| listen_key.key);
        books.listen_key = Some(ListenKey {
            key: key.clone(),
            until: now.plus_milliseconds(LISTEN_KEY_MS),
        });
        Ok(key)
    }

    /// Extends the account's listen key (-1125).
    pub(crate) fn extend_stream(&mut self, account: &str, now: Micros) -> Result<String, Refusal> {
        let books = self.account_mut(account)?;
        let current = books.listen_key.as_mut().filter(|key| key.until > now);
        let listen_key = current.ok_or_else(Refusal::no_listen_key)?;
        listen_key.until = now.plus_milliseconds(LISTEN_KEY_MS);
        Ok(listen_key.key.clone())
    }

    /// Ends the account's listen key (-1125).
    pub(crate) fn close_stream(&mut self, account: &str) -> Result<(), Refusal> {
        let books = self.account_mut(account)?;
        let closed = books.listen_key.take();
        closed.ok_or_else(Refusal::no_listen_key)?;
        self.ended_streams.push(account.to_owned());
        Ok(())
    }

    /// Ends the account's listen key before its time and tells its streams, as when an hour has passed unextended.
    pub(crate) fn expire_stream(&mut self, account: &str, now: Micros) {
        let Ok(books) = self.account_mut(account) else {
            return;
        };
        if let Some(listen_key) = books.listen_key.take() {
            let event = events::listen_key_expired(account, &listen_key.key, now);
            self.outgoing.push(event);
            self.ended_streams.push(account.to_owned());
        }
    }

    /// The account that a listen key belongs to.
    pub(crate) fn stream_owner(&self, key: &str) -> Option<&str> {
        let mut accounts = self.accounts.iter();
        let owner = accounts.find(|(_, books)| {
            let listen_key = books.listen_key.as_ref();
            listen_key.is_some_and(|listen_key| listen_key.key == key)
        });
        owner.map(|(name, _)| name.as_str())
    }

    /// Ends what ends by time (orders with a date, orders under a dead man's switch, listen keys), and tells the mark
    /// prices: each second, and each third second on the slower streams.
    pub(crate) fn advance(&mut self, now: Micros) {
        self.end_what_is_due(now);
        let second = now.0.div_euclid(1_000_000);
        if second == self.told_second {
            return;
        }
        self.told_second = second;
        let suffixes: &[&str] = if second % 3 == 0 {
            &["@1s", ""]
        } else {
            &["@1s"]
        };
        for suffix in suffixes {
            let told = self.told_of_marks(suffix, now);
            self.told.extend(told);
        }
    }

    fn end_what_is_due(&mut self, now: Micros) {
        let now_ms = events::milliseconds(now);
        let names: Vec<String> = self.accounts.keys().cloned().collect();
        for name in names {
            let Some(books) = self.accounts.get_mut(&name) else {
                continue;
            };
            let due = |until_ms: i64| until_ms > 0 && until_ms <= now_ms;
            let orders = books.open_orders().filter(|order| due(order.good_till_ms));
            let orders: Vec<(OrderId, String, String)> = orders
                .map(|order| {
                    let leg = super::exchange::leg_name(&name, order.position_side);
                    (order.id, leg, order.venue_name.clone())
                })
                .collect();
            let algos = books.open_algos().filter(|algo| due(algo.good_till_ms));
            let algos: Vec<AlgoId> = algos.map(|algo| algo.id).collect();
            let is_run_out = |at: &Micros| *at <= now;
            let countdowns = books.countdowns.iter().filter(|(_, at)| is_run_out(at));
            let symbols: Vec<String> = countdowns.map(|(symbol, _)| symbol.clone()).collect();
            books.countdowns.retain(|_, at| !is_run_out(at));
            let key_is_over = books
                .listen_key
                .as_ref()
                .is_some_and(|key| key.until <= now);
            for (id, leg, venue_name) in orders {
                self.withdraw(&leg, &venue_name, now);
                self.end(&name, id, OrderStatus::Expired, "0", now);
            }
            for id in algos {
                self.move_algo(&name, id, AlgoStatus::Expired, now);
            }
            for symbol in symbols {
                // The symbol was known when the switch was armed.
                let _ = self.cancel_all(&name, &symbol, now);
            }
            if key_is_over {
                self.expire_stream(&name, now);
            }
        }
    }

    /// A client order id for an order that came without one.
    pub(super) fn generated_name(&self) -> String {
        let number = self.next_order.wrapping_add(self.next_algo << 32);
        random_word(self.options.key_seed, number, GENERATED_NAME_LENGTH)
    }
}

/// Letters and digits that look random and depend on seed and number only.
fn random_word(seed: u64, number: u64, length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = hash::mix(seed ^ hash::mix(number));
    let letters = std::iter::repeat_with(|| {
        state = hash::mix(state.wrapping_add(1));
        let index = usize::try_from(state % 62).unwrap_or_default();
        char::from(LETTERS[index])
    });
    letters.take(length).collect()
}
