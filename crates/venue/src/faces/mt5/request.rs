//! A trade request: what `order_send` is given, and what its result shows again.

use super::codes::LastError;
use super::kinds::{Filling, Lifetime, OrderKind};
use super::number::{decimal, double};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};

/// The longest comment. No limit is documented; bindings have been seen to refuse 28 characters and more.
const COMMENT_LENGTH_MAX: usize = 27;

/// ENUM_TRADE_REQUEST_ACTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Deal = 1,
    Pending = 5,
    Levels = 6,
    Modify = 7,
    Remove = 8,
    CloseBy = 10,
}

/// A trade request (MQL5 Reference, "MqlTradeRequest"). What was not given is zero or empty, as in the package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TradeRequest {
    pub(super) action: u32,
    pub(super) magic: u64,
    pub(super) order: u64,
    pub(super) symbol: String,
    pub(super) volume: Decimal,
    pub(super) price: Decimal,
    pub(super) stoplimit: Decimal,
    pub(super) sl: Decimal,
    pub(super) tp: Decimal,
    pub(super) deviation: u64,
    pub(super) kind: u32,
    pub(super) filling: u32,
    pub(super) lifetime: u32,
    pub(super) expiration: i64,
    pub(super) comment: String,
    pub(super) position: u64,
    pub(super) position_by: u64,
}

impl TradeRequest {
    /// Reads the dictionary as the package does: fields of another name are not looked at, wrong types are refused.
    ///
    /// # Errors
    /// The error that `last_error()` gives; nothing was sent.
    pub(super) fn parse(fields: &Map<String, Value>) -> Result<TradeRequest, LastError> {
        let comment = text(fields, "comment")?;
        if comment.chars().count() > COMMENT_LENGTH_MAX || !comment.is_ascii() {
            return Err(LastError::invalid("comment"));
        }
        let magic = whole(fields, "magic")?;
        if i64::try_from(magic).is_err() {
            return Err(LastError::invalid("magic"));
        }
        let expiration = i64::try_from(whole(fields, "expiration")?);
        Ok(TradeRequest {
            action: small(fields, "action")?,
            magic,
            order: whole(fields, "order")?,
            symbol: text(fields, "symbol")?,
            volume: number(fields, "volume")?,
            price: number(fields, "price")?,
            stoplimit: number(fields, "stoplimit")?,
            sl: number(fields, "sl")?,
            tp: number(fields, "tp")?,
            deviation: whole(fields, "deviation")?,
            kind: small(fields, "type")?,
            filling: small(fields, "type_filling")?,
            lifetime: small(fields, "type_time")?,
            expiration: expiration.map_err(|_| LastError::invalid("expiration"))?,
            comment,
            position: whole(fields, "position")?,
            position_by: whole(fields, "position_by")?,
        })
    }

    pub(super) fn action(&self) -> Option<Action> {
        let all = [
            Action::Deal,
            Action::Pending,
            Action::Levels,
            Action::Modify,
            Action::Remove,
            Action::CloseBy,
        ];
        all.into_iter().find(|action| *action as u32 == self.action)
    }

    pub(super) fn kind(&self) -> Option<OrderKind> {
        OrderKind::from_code(self.kind)
    }

    pub(super) fn filling(&self) -> Option<Filling> {
        Filling::from_code(self.filling)
    }

    pub(super) fn lifetime(&self) -> Option<Lifetime> {
        Lifetime::from_code(self.lifetime)
    }

    pub(super) fn view(&self) -> RequestView {
        RequestView {
            action: self.action,
            magic: self.magic,
            order: self.order,
            symbol: self.symbol.clone(),
            volume: double(self.volume),
            price: double(self.price),
            stoplimit: double(self.stoplimit),
            sl: double(self.sl),
            tp: double(self.tp),
            deviation: self.deviation,
            kind: self.kind,
            type_filling: self.filling,
            type_time: self.lifetime,
            expiration: self.expiration,
            comment: self.comment.clone(),
            position: self.position,
            position_by: self.position_by,
        }
    }
}

/// The package's `TradeRequest` structure.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RequestView {
    action: u32,
    magic: u64,
    order: u64,
    symbol: String,
    volume: f64,
    price: f64,
    stoplimit: f64,
    sl: f64,
    tp: f64,
    deviation: u64,
    #[serde(rename = "type")]
    kind: u32,
    type_filling: u32,
    type_time: u32,
    expiration: i64,
    comment: String,
    position: u64,
    position_by: u64,
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<String, LastError> {
    match fields.get(name) {
        None => Ok(String::new()),
        Some(value) => value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| LastError::invalid(name)),
    }
}

fn whole(fields: &Map<String, Value>, name: &str) -> Result<u64, LastError> {
    match fields.get(name) {
        None => Ok(0),
        Some(value) => value.as_u64().ok_or_else(|| LastError::invalid(name)),
    }
}

fn small(fields: &Map<String, Value>, name: &str) -> Result<u32, LastError> {
    u32::try_from(whole(fields, name)?).map_err(|_| LastError::invalid(name))
}

fn number(fields: &Map<String, Value>, name: &str) -> Result<Decimal, LastError> {
    match fields.get(name) {
        None => Ok(Decimal::ZERO),
        Some(value) => value
            .as_f64()
            .and_then(decimal)
            .ok_or_else(|| LastError::invalid(name)),
    }
}
