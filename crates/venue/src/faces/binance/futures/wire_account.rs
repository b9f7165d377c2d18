//! The account as JSON: balances, positions, settings, in the answers' formats of versions 2 and 3.

use super::account::{Account, MarginType, Position};
use super::brackets;
use super::events::milliseconds;
use super::exchange::FuturesExchange;
use super::order::PositionSide;
use super::symbols::{FuturesSymbol, fixed, plain};
use super::wire::{margin_type_stream, open_notionals};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Which version of an endpoint was asked: the third leaves settings out and shows only what is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Two,
    Three,
}

fn amount(number: Decimal) -> String {
    fixed(number, 8)
}

impl FuturesExchange {
    /// `GET /fapi/v2|v3/balance`.
    pub(crate) fn balance(&self, account: &str, books: &Account) -> Value {
        let margin = self.margin(books);
        let available = self.available(books);
        let alias: String = account
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        json!([{
            "accountAlias": alias,
            "asset": "USDT",
            "balance": amount(books.wallet),
            "crossWalletBalance": amount(books.wallet),
            "crossUnPnl": amount(margin.unrealised),
            "availableBalance": amount(available),
            "maxWithdrawAmount": amount(available.min(books.wallet)),
            "marginAvailable": true,
            "updateTime": milliseconds(books.updated),
        }])
    }

    /// `GET /fapi/v2|v3/account`.
    pub(crate) fn account_information(&self, books: &Account, version: Version) -> Value {
        let margin = self.margin(books);
        let available = amount(self.available(books));
        let wallet = amount(books.wallet);
        let margin_balance = amount(books.wallet + margin.unrealised);
        let (initial, maintenance) = (amount(margin.initial()), amount(margin.maintenance));
        let unrealised = amount(margin.unrealised);
        let mut asset = json!({
            "asset": "USDT",
            "walletBalance": wallet,
            "unrealizedProfit": unrealised,
            "marginBalance": margin_balance,
            "maintMargin": maintenance,
            "initialMargin": initial,
            "positionInitialMargin": amount(margin.position_initial),
            "openOrderInitialMargin": amount(margin.order_initial),
            "crossWalletBalance": wallet,
            "crossUnPnl": unrealised,
            "availableBalance": available,
            "maxWithdrawAmount": available,
            "updateTime": milliseconds(books.updated),
        });
        let positions = self.positions(books, version);
        let mut answer = json!({
            "totalInitialMargin": initial,
            "totalMaintMargin": maintenance,
            "totalWalletBalance": wallet,
            "totalUnrealizedProfit": unrealised,
            "totalMarginBalance": margin_balance,
            "totalPositionInitialMargin": amount(margin.position_initial),
            "totalOpenOrderInitialMargin": amount(margin.order_initial),
            "totalCrossWalletBalance": wallet,
            "totalCrossUnPnl": unrealised,
            "availableBalance": available,
            "maxWithdrawAmount": available,
        });
        if version == Version::Two {
            asset["marginAvailable"] = json!(true);
            let settings = self.account_config(books);
            for name in [
                "feeTier",
                "canTrade",
                "canDeposit",
                "canWithdraw",
                "updateTime",
            ] {
                answer[name] = settings[name].clone();
            }
            answer["feeBurn"] = json!(true);
            answer["multiAssetsMargin"] = json!(books.multi_assets);
            answer["tradeGroupId"] = json!(-1);
        }
        answer["assets"] = json!([asset]);
        let shown = positions.iter().map(|(rules, position_side, position)| {
            self.account_position(books, (rules, *position_side, position), version)
        });
        answer["positions"] = shown.collect();
        answer
    }

    /// `GET /fapi/v2|v3/positionRisk`.
    pub(crate) fn position_risk(
        &self,
        books: &Account,
        symbol: Option<&str>,
        version: Version,
    ) -> Value {
        let positions = self.positions(books, version);
        let chosen = positions
            .iter()
            .filter(|(rules, _, _)| symbol.is_none_or(|symbol| symbol == rules.symbol));
        let shown = chosen.map(|(rules, position_side, position)| {
            self.risk(books, (rules, *position_side, position), version)
        });
        shown.collect()
    }

    /// The positions a version shows: all of them, or only those with contracts or open orders.
    fn positions(
        &self,
        books: &Account,
        version: Version,
    ) -> Vec<(&FuturesSymbol, PositionSide, Position)> {
        let in_use = super::exchange::in_use(books);
        let sides: &[PositionSide] = if books.hedge_mode {
            &[PositionSide::Long, PositionSide::Short]
        } else {
            &[PositionSide::Both]
        };
        let mut positions = Vec::new();
        for rules in self.symbols.values() {
            for position_side in sides {
                let key = (rules.symbol.clone(), *position_side);
                if version == Version::Two || in_use.contains(&key) {
                    let position = books.positions.get(&key).cloned().unwrap_or_default();
                    positions.push((rules, *position_side, position));
                }
            }
        }
        positions
    }

    fn account_position(
        &self,
        books: &Account,
        (rules, position_side, position): (&FuturesSymbol, PositionSide, &Position),
        version: Version,
    ) -> Value {
        let mark = self.mark_price(&rules.symbol);
        let margin = books.margin_of(&rules.symbol, position_side, mark, None);
        let settings = books.settings_of(&rules.symbol);
        let mut fields = json!({
            "symbol": rules.symbol,
            "positionSide": position_side.as_str(),
            "positionAmt": rules.quantity_text(position.amount),
            "unrealizedProfit": amount(margin.unrealised),
            "initialMargin": amount(margin.initial()),
            "maintMargin": amount(margin.maintenance),
            "updateTime": milliseconds(position.updated),
        });
        if version == Version::Three {
            fields["isolatedMargin"] = json!("0");
            fields["notional"] = json!(plain(position.amount * mark));
            fields["isolatedWallet"] = json!("0");
            return fields;
        }
        let (bids, asks) = open_notionals(books, &rules.symbol, position_side);
        let entry = position.entry_price();
        fields["positionInitialMargin"] = json!(amount(margin.position_initial));
        fields["openOrderInitialMargin"] = json!(amount(margin.order_initial));
        fields["leverage"] = json!(settings.leverage.to_string());
        fields["isolated"] = json!(settings.margin_type == MarginType::Isolated);
        fields["entryPrice"] = json!(plain(entry.round_dp(8)));
        fields["breakEvenPrice"] = json!(plain(entry.round_dp(8)));
        fields["maxNotional"] = json!(plain(brackets::notional_max(rules, settings.leverage)));
        fields["bidNotional"] = json!(plain(bids));
        fields["askNotional"] = json!(plain(asks));
        fields
    }

    fn risk(
        &self,
        books: &Account,
        (rules, position_side, position): (&FuturesSymbol, PositionSide, &Position),
        version: Version,
    ) -> Value {
        let mark = self.mark_price(&rules.symbol);
        let margin = books.margin_of(&rules.symbol, position_side, mark, None);
        let settings = books.settings_of(&rules.symbol);
        let entry = fixed(position.entry_price(), rules.price_precision.max(8));
        let mut fields = json!({
            "symbol": rules.symbol,
            "positionSide": position_side.as_str(),
            "positionAmt": rules.quantity_text(position.amount),
            "entryPrice": entry,
            "breakEvenPrice": entry,
            "markPrice": amount(mark),
            "unRealizedProfit": amount(margin.unrealised),
            "liquidationPrice": "0",
            "isolatedMargin": "0",
            "notional": plain(position.amount * mark),
            "isolatedWallet": "0",
            "updateTime": milliseconds(position.updated),
        });
        if version == Version::Three {
            let (bids, asks) = open_notionals(books, &rules.symbol, position_side);
            fields["marginAsset"] = json!("USDT");
            fields["initialMargin"] = json!(plain(margin.initial().round_dp(8)));
            fields["maintMargin"] = json!(plain(margin.maintenance.round_dp(8)));
            fields["positionInitialMargin"] = json!(plain(margin.position_initial.round_dp(8)));
            fields["openOrderInitialMargin"] = json!(plain(margin.order_initial.round_dp(8)));
            fields["adl"] = json!(if position.amount.is_zero() { 0 } else { 2 });
            fields["bidNotional"] = json!(plain(bids));
            fields["askNotional"] = json!(plain(asks));
            return fields;
        }
        fields["leverage"] = json!(settings.leverage.to_string());
        fields["marginType"] = json!(margin_type_stream(settings.margin_type));
        fields["isAutoAddMargin"] = json!("false");
        fields["maxNotionalValue"] = json!(plain(brackets::notional_max(rules, settings.leverage)));
        fields
    }

    /// `GET /fapi/v1/accountConfig`.
    pub(crate) fn account_config(&self, books: &Account) -> Value {
        json!({
            "feeTier": 0,
            "canTrade": true,
            "canDeposit": true,
            "canWithdraw": true,
            "dualSidePosition": books.hedge_mode,
            "updateTime": 0,
            "multiAssetsMargin": books.multi_assets,
            "tradeGroupId": -1,
        })
    }

    /// `GET /fapi/v1/symbolConfig`.
    pub(crate) fn symbol_config(&self, books: &Account, symbol: Option<&str>) -> Value {
        let chosen = self
            .symbols
            .values()
            .filter(|rules| symbol.is_none_or(|symbol| symbol == rules.symbol));
        let shown = chosen.map(|rules| {
            let settings = books.settings_of(&rules.symbol);
            json!({
                "symbol": rules.symbol,
                "marginType": margin_type_text(settings.margin_type),
                "isAutoAddMargin": false,
                "leverage": settings.leverage,
                "maxNotionalValue": plain(brackets::notional_max(rules, settings.leverage)),
            })
        });
        shown.collect()
    }

    /// `GET /fapi/v1/leverageBracket`.
    pub(crate) fn leverage_brackets(&self, symbol: Option<&str>) -> Value {
        let chosen = self
            .symbols
            .values()
            .filter(|rules| symbol.is_none_or(|symbol| symbol == rules.symbol));
        let shown = chosen.map(|rules| {
            let rows = brackets::of(rules).into_iter().map(|bracket| {
                json!({
                    "bracket": bracket.number,
                    "initialLeverage": bracket.leverage,
                    "notionalCap": number(bracket.cap),
                    "notionalFloor": number(bracket.floor),
                    "maintMarginRatio": number(bracket.maintenance_rate),
                    "cum": number(bracket.cumulative),
                })
            });
            json!({"symbol": rules.symbol, "notionalCoef": 1.0, "brackets": rows.collect::<Vec<_>>()})
        });
        shown.collect()
    }
}

/// The margin type as settings write it.
pub(crate) fn margin_type_text(margin_type: MarginType) -> &'static str {
    match margin_type {
        MarginType::Crossed => "CROSSED",
        MarginType::Isolated => "ISOLATED",
    }
}

/// A decimal as a JSON number: only `leverageBracket` has such numbers.
fn number(decimal: Decimal) -> Value {
    let text = plain(decimal);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
