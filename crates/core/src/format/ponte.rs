//! Ponte's own message: one flat JSON object, its keys in Portuguese, English or Spanish.

use super::canon::Canon;
use super::error::{Refusal, code, quoted, shown};
use super::intent::{Amount, Position, Prices, Wish};
use super::json::{self, Member, Members, Value};
use super::names::{FIELDS, Field, duplicate_key, fold, missing, unknown_key};
use super::number::Reading;
use super::words::{OrderType, Verb, position_side};
use super::{Parsed, SecretText, TEXT_BYTES_MAX, value};
use crate::id::{AccountName, NAME_BYTES_MAX, NameError, StrategyName, Symbol};
use crate::signal::{Intent, PositionSide, Protection, Signal, Terms};

/// Reads the members of a message.
pub(super) fn read(members: &Members<'_>) -> Result<Parsed, Refusal> {
    json::limits(members)?;
    let fields = Fields::sort(&members.list)?;
    let mut canon = Canon::new();
    let secret = fields.get(Field::Secret).map(secret).transpose()?;

    let wish = wish(&fields, &mut canon)?;
    let (terms, reference_price) = prices(&fields)?
        .terms()
        .map_err(|refusal| fields.locate(refusal))?;
    let protection = protection(&fields)?;
    let wish = Wish {
        terms,
        protected: !protection.is_empty(),
        ..wish
    };
    let intent = wish.intent().map_err(|refusal| fields.locate(refusal))?;
    let (symbol, exchange) = symbol(&fields)?;
    if symbol.is_none() && intent != Intent::Heartbeat {
        return Err(
            missing("the symbol", "\"symbol\":\"{{ticker}}\" (ativo, papel)").field("symbol"),
        );
    }

    canon.terms(&terms, reference_price);
    canon.protection(&protection);
    canon.text("symbol", symbol.as_ref().map(Symbol::as_str));
    canon.text("exchange", exchange.as_deref());
    let strategy =
        name(&fields, Field::Strategy, StrategyName::new)?.unwrap_or_else(StrategyName::unnamed);
    canon.text("strategy", Some(strategy.as_str()));
    let account = name(&fields, Field::Account, AccountName::new)?;
    canon.text("account", account.as_ref().map(AccountName::as_str));
    let comment = fields.text(Field::Comment)?.filter(|text| !text.is_empty());
    canon.text("comment", comment.as_deref());
    let fired_at = fields.time(Field::FiredAt)?;
    canon.time("fired_at", fired_at);
    let bar_at = fields.time(Field::BarAt)?;
    canon.time("bar_at", bar_at);
    let explicit_id = match fields.get(Field::Id) {
        Some(member) => Some(value::filled_text(member, TEXT_BYTES_MAX, true)?.into_owned()),
        None => None,
    };
    canon.text("order_id", fields.text(Field::OrderId)?.as_deref());
    metadata(&fields, &mut canon)?;

    Ok(Parsed {
        signal: Signal {
            strategy,
            symbol,
            exchange,
            intent,
            account,
            reference_price,
            protection,
            previous_position: wish.previous,
            explicit_id,
            fired_at,
            bar_at,
            comment,
            digest: canon.digest(),
        },
        secret,
    })
}

/// The members by their fields, and those that are kept but never read.
struct Fields<'a> {
    known: [Option<&'a Member<'a>>; FIELDS],
    ignored: Vec<&'a Member<'a>>,
}

impl<'a> Fields<'a> {
    fn sort(members: &'a [Member<'a>]) -> Result<Self, Refusal> {
        let mut fields = Self {
            known: [None; FIELDS],
            ignored: Vec::new(),
        };
        for member in members {
            if member.key.trim_start().starts_with('_') {
                fields.ignore(member)?;
                continue;
            }
            let field = Field::of(&member.key).ok_or_else(|| unknown_key(member))?;
            let slot = &mut fields.known[field as usize];
            if let Some(first) = slot {
                return Err(duplicate_key(&first.key, member));
            }
            *slot = Some(member);
        }
        Ok(fields)
    }

    fn ignore(&mut self, member: &'a Member<'a>) -> Result<(), Refusal> {
        if let Some(first) = self.ignored.iter().find(|other| other.key == member.key) {
            return Err(duplicate_key(&first.key, member));
        }
        self.ignored.push(member);
        Ok(())
    }

    fn get(&self, field: Field) -> Option<&'a Member<'a>> {
        self.known[field as usize]
    }

    /// Gives a refusal that names a field by its English name the sender's own key and its place.
    fn locate(&self, refusal: Refusal) -> Refusal {
        let member = refusal
            .field
            .as_deref()
            .and_then(Field::of)
            .and_then(|field| self.get(field));
        match member {
            Some(member) => refusal.about(member),
            None => refusal,
        }
    }

    fn text(&self, field: Field) -> Result<Option<String>, Refusal> {
        let Some(member) = self.get(field) else {
            return Ok(None);
        };
        Ok(Some(
            value::text(member, TEXT_BYTES_MAX, true)?.into_owned(),
        ))
    }

    fn time(&self, field: Field) -> Result<Option<crate::time::Timestamp>, Refusal> {
        self.get(field).map(value::time).transpose()
    }
}

fn secret(member: &Member<'_>) -> Result<SecretText, Refusal> {
    let value = member.value()?;
    let text = match &value {
        Value::Text(text) => text.as_ref(),
        Value::Number(text) => text,
        Value::Array(_) | Value::Object | Value::Truth | Value::Null => {
            return Err(value::wrong_type(member, &value, "a text in double quotes"));
        }
    };
    value::check_text(member, text)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(Refusal::new(
            code::TOO_LONG,
            format!(
                "{} has {} bytes, the limit is {TEXT_BYTES_MAX}",
                shown(&member.key),
                text.len()
            ),
        )
        .about(member));
    }
    Ok(SecretText::new(text))
}

/// Reads what decides about the intent; terms and protection come later.
fn wish(fields: &Fields<'_>, canon: &mut Canon) -> Result<Wish, Refusal> {
    let verb = match fields.get(Field::Action) {
        Some(member) => {
            let text = value::filled_text(member, TEXT_BYTES_MAX, false)?;
            Some(Verb::read(member, &text)?)
        }
        None => None,
    };
    canon.text("action", verb.map(Verb::as_str));
    let quantity = fields.get(Field::Quantity).map(amount).transpose()?;
    let percent = fields.get(Field::Percent).map(percentage).transpose()?;
    let position = fields.get(Field::Position).map(position).transpose()?;
    let position_size = fields
        .get(Field::PositionSize)
        .map(value::signed)
        .transpose()?;
    let previous = fields
        .get(Field::PreviousPosition)
        .map(position_of_before)
        .transpose()?;
    let previous_size = fields
        .get(Field::PreviousSize)
        .map(value::signed)
        .transpose()?;
    match quantity {
        Some(Amount::Units(units)) => canon.number("quantity", Some(units.get())),
        // Written as a quantity or in its own field, a percentage is the same one.
        Some(Amount::Percent(percent)) => canon.number("percent", Some(percent)),
        None => {}
    }
    canon.number("percent", percent);
    match position {
        Some(Position::Side(side)) => canon.text("position", Some(side.as_str())),
        Some(Position::Size(size)) => canon.number("position", Some(size)),
        None => {}
    }
    canon.number("position_size", position_size);
    canon.text("previous_position", previous.map(PositionSide::as_str));
    canon.number("previous_size", previous_size);
    Ok(Wish {
        verb,
        quantity,
        percent,
        position,
        position_size,
        previous,
        terms: Terms::Market,
        protected: false,
    })
}

fn amount(member: &Member<'_>) -> Result<Amount, Refusal> {
    match value::reading(member)? {
        Reading::Plain(number) => value::quantity(member, number).map(Amount::Units),
        Reading::Percent(number) => value::percent(member, number).map(Amount::Percent),
    }
}

fn percentage(member: &Member<'_>) -> Result<rust_decimal::Decimal, Refusal> {
    match value::reading(member)? {
        Reading::Plain(number) | Reading::Percent(number) => value::percent(member, number),
    }
}

fn position(member: &Member<'_>) -> Result<Position, Refusal> {
    let value = member.value()?;
    let Value::Text(text) = &value else {
        return value::signed(member).map(Position::Size);
    };
    value::check_text(member, text)?;
    if let Some(side) = position_side(text) {
        return Ok(Position::Side(side));
    }
    let looks_like_number = text
        .trim_start_matches([' ', '+', '-'])
        .starts_with(|c: char| c.is_ascii_digit());
    if looks_like_number || super::number::is_no_number(text) {
        return value::signed(member).map(Position::Size);
    }
    Err(Refusal::new(
        code::UNKNOWN_POSITION,
        format!(
            "{} {} is not known; expected long (comprado), short (vendido), flat (zerado) or a \
             signed number such as -3",
            shown(&member.key),
            quoted(text)
        ),
    )
    .about(member))
}

fn position_of_before(member: &Member<'_>) -> Result<PositionSide, Refusal> {
    Ok(match position(member)? {
        Position::Side(side) => side,
        Position::Size(size) => PositionSide::of(size),
    })
}

fn prices(fields: &Fields<'_>) -> Result<Prices, Refusal> {
    let order_type = match fields.get(Field::Type) {
        Some(member) => {
            let text = value::filled_text(member, TEXT_BYTES_MAX, false)?;
            OrderType::read(member, &text)?
        }
        None => OrderType::Market,
    };
    let price = |field| fields.get(field).map(value::price).transpose();
    Ok(Prices {
        order_type,
        price: price(Field::Price)?,
        limit_price: price(Field::LimitPrice)?,
        trigger: price(Field::Trigger)?,
    })
}

/// How far behind the price a trailing stop stays.
fn distance(member: &Member<'_>) -> Result<rust_decimal::Decimal, Refusal> {
    let percent = percentage(member)?;
    if percent < rust_decimal::Decimal::ONE_HUNDRED {
        return Ok(percent);
    }
    Err(Refusal::new(
        code::PERCENT,
        format!(
            "{} is {percent}%, a trailing stop stays less than 100% behind the price",
            shown(&member.key)
        ),
    )
    .about(member))
}

fn protection(fields: &Fields<'_>) -> Result<Protection, Refusal> {
    if let (Some(_), Some(trail)) = (fields.get(Field::Stop), fields.get(Field::Trail)) {
        return Err(Refusal::new(
            code::CONTRADICTION,
            "stop is a fixed price and trail follows it; send one of them".to_owned(),
        )
        .about(trail));
    }
    Ok(Protection {
        stop: fields.get(Field::Stop).map(value::price).transpose()?,
        targets: match fields.get(Field::Target) {
            Some(member) => value::prices(member)?,
            None => Vec::new(),
        },
        trail_percent: fields.get(Field::Trail).map(distance).transpose()?,
    })
}

/// The symbol without its prefix, and the exchange from the prefix or its own field.
fn symbol(fields: &Fields<'_>) -> Result<(Option<Symbol>, Option<String>), Refusal> {
    let own = match fields.get(Field::Exchange) {
        Some(member) => {
            let exchange = value::filled_text(member, NAME_BYTES_MAX, false)?.to_uppercase();
            refuse_delayed(member, &exchange)?;
            Some(exchange)
        }
        None => None,
    };
    let Some(member) = fields.get(Field::Symbol) else {
        return Ok((None, own));
    };
    let text = value::filled_text(member, TEXT_BYTES_MAX, false)?;
    let (prefix, ticker) = match text.split_once(':') {
        Some((prefix, ticker)) => (Some(prefix.trim().to_uppercase()), ticker),
        None => (None, text.as_ref()),
    };
    if ticker.contains(':') || prefix.as_deref() == Some("") {
        return Err(Refusal::new(
            code::BAD_SYMBOL,
            format!(
                "{} {} is not one symbol; expected one such as BTCUSDT or BINANCE:BTCUSDT",
                shown(&member.key),
                quoted(&text)
            ),
        )
        .about(member));
    }
    let symbol = Symbol::new(ticker).map_err(|error| bad_symbol(member, &text, &error))?;
    let Some(prefix) = prefix else {
        return Ok((Some(symbol), own));
    };
    if prefix.len() > NAME_BYTES_MAX {
        let error = NameError::TooLong {
            bytes: prefix.len(),
            limit: NAME_BYTES_MAX,
        };
        return Err(bad_symbol(member, &text, &error));
    }
    refuse_delayed(member, &prefix)?;
    if let Some(own) = own.filter(|own| *own != prefix) {
        return Err(Refusal::new(
            code::CONTRADICTION,
            format!(
                "{} is of the exchange {} and exchange is {}; leave one of them out",
                quoted(&text),
                shown(&prefix),
                shown(&own)
            ),
        )
        .about(member));
    }
    Ok((Some(symbol), Some(prefix)))
}

fn bad_symbol(member: &Member<'_>, text: &str, error: &NameError) -> Refusal {
    Refusal::new(
        code::BAD_SYMBOL,
        format!(
            "{} {} {error}; expected one such as BTCUSDT or BINANCE:BTCUSDT",
            shown(&member.key),
            quoted(text)
        ),
    )
    .about(member)
}

fn refuse_delayed(member: &Member<'_>, exchange: &str) -> Result<(), Refusal> {
    let Some(real) = ["_DL", "_DLY"]
        .iter()
        .find_map(|suffix| exchange.strip_suffix(suffix))
    else {
        return Ok(());
    };
    Err(Refusal::new(
        code::DELAYED_DATA,
        format!(
            "{} names the exchange {}, which is TradingView's delayed feed: the alert ran on old \
             prices; subscribe to real-time data of {} at TradingView and create the alert again",
            shown(&member.key),
            shown(exchange),
            shown(real)
        ),
    )
    .about(member))
}

fn name<T>(
    fields: &Fields<'_>,
    field: Field,
    new: impl Fn(&str) -> Result<T, NameError>,
) -> Result<Option<T>, Refusal> {
    let Some(member) = fields.get(field) else {
        return Ok(None);
    };
    let text = value::filled_text(member, TEXT_BYTES_MAX, true)?;
    new(&text).map(Some).map_err(|error| {
        let code = match error {
            NameError::Empty => code::EMPTY_FIELD,
            NameError::TooLong { .. } => code::TOO_LONG,
            NameError::ControlCharacter | NameError::WhiteSpace => code::CONTROL_CHAR,
        };
        Refusal::new(code, format!("{} {error}", shown(&member.key))).about(member)
    })
}

/// What says nothing to Ponte, but makes two alerts different.
fn metadata(fields: &Fields<'_>, canon: &mut Canon) -> Result<(), Refusal> {
    for (field, tag) in [
        (Field::Version, "version"),
        (Field::Interval, "interval"),
        (Field::Currency, "currency"),
    ] {
        if let Some(member) = fields.get(field) {
            canon.text(tag, Some(&scalar(member)?));
        }
    }
    let mut ignored = fields
        .ignored
        .iter()
        .map(|member| Ok((folded_key(member), scalar(member)?)))
        .collect::<Result<Vec<_>, Refusal>>()?;
    ignored.sort_unstable();
    for (key, value) in ignored {
        canon.text(&key, Some(&value));
    }
    Ok(())
}

fn folded_key(member: &Member<'_>) -> String {
    match fold(&member.key) {
        Some(folded) => format!("_{}", String::from_utf8_lossy(folded.as_bytes())),
        None => member.key.trim().to_owned(),
    }
}

fn scalar(member: &Member<'_>) -> Result<String, Refusal> {
    let value = member.value()?;
    match &value {
        Value::Text(text) => {
            value::check_text(member, text)?;
            if text.len() > TEXT_BYTES_MAX {
                return value::text(member, TEXT_BYTES_MAX, true).map(std::borrow::Cow::into_owned);
            }
            Ok(text.trim().to_owned())
        }
        Value::Number(text) => Ok(super::number::exact(text)
            .map_or_else(|_| (*text).to_owned(), |number| number.to_string())),
        Value::Truth | Value::Null => Ok(member.raw.to_owned()),
        Value::Array(_) | Value::Object => {
            Err(value::wrong_type(member, &value, "a text or a number"))
        }
    }
}
