//! What is wanted: the action, the position, the size and the terms of a message become one intent.

use rust_decimal::Decimal;

use super::error::{Refusal, code};
use super::words::{OrderType, Verb};
use crate::number::{Price, Quantity};
use crate::signal::{ExitAmount, Intent, PositionSide, Side, Terms};

/// How much, as the message says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Units(Quantity),
    Percent(Decimal),
}

/// The strategy's position after the alert, as the message says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Side(PositionSide),
    Size(Decimal),
}

/// The fields that decide about the intent.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) verb: Option<Verb>,
    pub(super) quantity: Option<Amount>,
    pub(super) percent: Option<Decimal>,
    pub(super) position: Option<Position>,
    pub(super) position_size: Option<Decimal>,
    pub(super) previous: Option<PositionSide>,
    pub(super) terms: Terms,
    pub(super) protected: bool,
}

impl Wish {
    /// The one intent of these fields, or the refusal that says which of them do not go together.
    pub(super) fn intent(&self) -> Result<Intent, Refusal> {
        let intent = match (self.verb, self.position) {
            (None, None) if self.position_size.is_some() => return Err(size_without_side()),
            (None, None) => return Err(no_action()),
            (Some(_), None) if self.position_size.is_some() => return Err(size_without_side()),
            (Some(verb), None) => self.of_verb(verb)?,
            (verb, Some(position)) => match self.target(position)? {
                Ok(target) => {
                    check_target(verb, target)?;
                    Intent::Target { position: target }
                }
                Err(side) => self.of_side(verb, side)?,
            },
        };
        self.check(&intent)?;
        Ok(intent)
    }

    fn of_verb(&self, verb: Verb) -> Result<Intent, Refusal> {
        let terms = self.terms;
        Ok(match verb {
            Verb::Buy | Verb::Sell => Intent::Trade {
                side: if verb == Verb::Buy {
                    Side::Buy
                } else {
                    Side::Sell
                },
                quantity: self.units()?,
                terms,
            },
            Verb::EnterLong | Verb::EnterShort => Intent::Enter {
                side: if verb == Verb::EnterLong {
                    PositionSide::Long
                } else {
                    PositionSide::Short
                },
                quantity: self.units()?,
                terms,
            },
            Verb::Close => self.exit(None)?,
            Verb::CloseLong => self.exit(Some(PositionSide::Long))?,
            Verb::CloseShort => self.exit(Some(PositionSide::Short))?,
            Verb::Reverse => Intent::Reverse {
                quantity: self.units()?,
            },
            Verb::Cancel => Intent::Cancel,
            Verb::Heartbeat => Intent::Heartbeat,
        })
    }

    fn exit(&self, side: Option<PositionSide>) -> Result<Intent, Refusal> {
        let amount = match (self.quantity, self.percent) {
            (Some(_), Some(_)) => {
                return Err(contradiction(
                    "percent",
                    "quantity and percent are both given; an exit takes one of them",
                ));
            }
            (Some(Amount::Units(quantity)), None) => ExitAmount::Quantity(quantity),
            (Some(Amount::Percent(percent)), None) | (None, Some(percent)) => {
                ExitAmount::Percent(percent)
            }
            (None, None) => ExitAmount::All,
        };
        Ok(Intent::Exit { side, amount })
    }

    fn units(&self) -> Result<Option<Quantity>, Refusal> {
        match self.quantity {
            Some(Amount::Units(quantity)) => Ok(Some(quantity)),
            Some(Amount::Percent(percent)) => Err(percent_without_exit("quantity", percent)),
            None => Ok(None),
        }
    }

    /// The signed size of the position, or its side when the message does not tell the size.
    fn target(&self, position: Position) -> Result<Result<Decimal, PositionSide>, Refusal> {
        let Some(size) = self.position_size else {
            return Ok(match position {
                Position::Size(target) => Ok(target),
                Position::Side(PositionSide::Flat) => Ok(Decimal::ZERO),
                Position::Side(side @ (PositionSide::Long | PositionSide::Short)) => Err(side),
            });
        };
        let side = match position {
            Position::Size(target) => {
                if target.abs() != size.abs() {
                    return Err(contradiction(
                        "position",
                        format!(
                            "position is {target} and position_size is {size}; they must be the same size"
                        ),
                    ));
                }
                PositionSide::of(target)
            }
            Position::Side(side) => side,
        };
        let agrees = match side {
            PositionSide::Long => size > Decimal::ZERO,
            PositionSide::Short => size != Decimal::ZERO,
            PositionSide::Flat => size == Decimal::ZERO,
        };
        if !agrees {
            return Err(contradiction(
                "position_size",
                format!(
                    "position is {} and position_size is {size}; send {{{{strategy.market_position}}}} \
                 with {{{{strategy.market_position_size}}}}",
                    side.as_str()
                ),
            ));
        }
        Ok(Ok(match side {
            PositionSide::Long | PositionSide::Flat => size,
            PositionSide::Short => -size.abs(),
        }))
    }

    /// Long or short without a size: safe only where the quantity can't be that of a reversal.
    fn of_side(&self, verb: Option<Verb>, side: PositionSide) -> Result<Intent, Refusal> {
        let Some(verb) = verb else {
            let Some(quantity) = self.units()? else {
                return Err(needs_size(format!(
                    "position is {} without a size",
                    side.as_str()
                )));
            };
            let size = quantity.get();
            return Ok(Intent::Target {
                position: if side == PositionSide::Short {
                    -size
                } else {
                    size
                },
            });
        };
        let wanted = match verb {
            Verb::Buy | Verb::EnterLong => PositionSide::Long,
            Verb::Sell | Verb::EnterShort => PositionSide::Short,
            Verb::Reverse => {
                return Err(needs_size(format!(
                    "a reversal to {} comes without the new size",
                    side.as_str()
                )));
            }
            Verb::Close | Verb::CloseLong | Verb::CloseShort | Verb::Cancel | Verb::Heartbeat => {
                return Err(verb_against_position(verb, side.as_str()));
            }
        };
        if wanted != side {
            return Err(match verb {
                Verb::EnterLong | Verb::EnterShort => verb_against_position(verb, side.as_str()),
                Verb::Buy
                | Verb::Sell
                | Verb::Close
                | Verb::CloseLong
                | Verb::CloseShort
                | Verb::Reverse
                | Verb::Cancel
                | Verb::Heartbeat => needs_size(format!(
                    "{} with a position that stays {} leaves a part of it, and the size of the \
                     rest is not told",
                    verb.as_str(),
                    side.as_str()
                )),
            });
        }
        if self.previous.is_some_and(|before| before == opposite(side)) {
            return Err(needs_size(format!(
                "the position turns from {} to {}, and TradingView's contracts of a reversal are \
                 the old position and the new one together, which would open too much",
                opposite(side).as_str(),
                side.as_str()
            )));
        }
        Ok(Intent::Enter {
            side,
            quantity: self.units()?,
            terms: self.terms,
        })
    }

    /// Refuses what has no meaning for the intent: terms, a percentage, protection.
    fn check(&self, intent: &Intent) -> Result<(), Refusal> {
        let (name, has_terms, opens) = match intent {
            Intent::Trade { .. } | Intent::Enter { .. } => ("an entry", true, true),
            Intent::Exit { .. } => ("an exit", false, false),
            Intent::Reverse { .. } => ("a reversal", false, true),
            Intent::Target { position } if *position == Decimal::ZERO => {
                ("a flat position", false, false)
            }
            Intent::Target { .. } => ("a target position", false, true),
            Intent::Cancel => ("a cancel", false, false),
            Intent::Heartbeat => ("a heartbeat", false, false),
        };
        if !has_terms && self.terms != Terms::Market {
            return Err(contradiction(
                "type",
                format!(
                    "{name} is always at market; the types limit, stop and stop_limit are for buy, sell, \
                 enter_long and enter_short"
                ),
            ));
        }
        if self.protected && !opens {
            return Err(Refusal::new(
                code::PROTECTION,
                format!(
                    "stop and target protect what an entry opens, and {name} opens nothing; send \
                     them with the entry only"
                ),
            ));
        }
        let (field, percent) = match (self.percent, self.quantity) {
            (Some(percent), _) => ("percent", percent),
            (None, Some(Amount::Percent(percent))) => ("quantity", percent),
            (None, Some(Amount::Units(_)) | None) => return Ok(()),
        };
        match intent {
            Intent::Exit { .. } => Ok(()),
            Intent::Target { .. } => Err(contradiction(
                "percent",
                format!(
                    "percent is {percent} and position tells the size of what is left; send one of them"
                ),
            )),
            Intent::Trade { .. }
            | Intent::Enter { .. }
            | Intent::Reverse { .. }
            | Intent::Cancel
            | Intent::Heartbeat => Err(percent_without_exit(field, percent)),
        }
    }
}

/// The fields that make the terms of an order.
#[derive(Debug)]
pub(super) struct Prices {
    pub(super) order_type: OrderType,
    pub(super) price: Option<Price>,
    pub(super) limit_price: Option<Price>,
    pub(super) trigger: Option<Price>,
}

impl Prices {
    /// The terms, and the market price that the alert tells besides.
    pub(super) fn terms(&self) -> Result<(Terms, Option<Price>), Refusal> {
        match self.order_type {
            OrderType::Market => {
                self.unwanted_limit("market")?;
                if let Some(trigger) = self.trigger {
                    return Err(contradiction(
                        "trigger",
                        format!(
                            "trigger is {trigger} and the type is market; write \"type\":\"stop\" for an \
                         order that waits for its trigger"
                        ),
                    ));
                }
                Ok((Terms::Market, self.price))
            }
            OrderType::Limit => {
                if let Some(trigger) = self.trigger {
                    return Err(contradiction(
                        "trigger",
                        format!(
                            "trigger is {trigger} and the type is limit; write \"type\":\"stop_limit\" \
                         for a limit order that waits for its trigger"
                        ),
                    ));
                }
                let price = self.limit("limit")?;
                Ok((Terms::Limit { price }, None))
            }
            OrderType::Stop => {
                self.unwanted_limit("stop")?;
                match (self.trigger, self.price) {
                    (Some(trigger), reference) => Ok((Terms::Stop { trigger }, reference)),
                    (None, Some(trigger)) => Ok((Terms::Stop { trigger }, None)),
                    (None, None) => Err(missing_price("stop", "trigger", "gatilho")),
                }
            }
            OrderType::StopLimit => {
                let Some(trigger) = self.trigger else {
                    return Err(missing_price("stop_limit", "trigger", "gatilho"));
                };
                let price = self.limit("stop_limit")?;
                Ok((Terms::StopLimit { trigger, price }, None))
            }
        }
    }

    fn limit(&self, order_type: &str) -> Result<Price, Refusal> {
        match (self.price, self.limit_price) {
            (Some(price), None) | (None, Some(price)) => Ok(price),
            (None, None) => Err(missing_price(order_type, "price", "preco")),
            (Some(price), Some(limit)) => Err(contradiction(
                "limit_price",
                format!(
                    "price is {price} and limit_price is {limit}; with the type {order_type} both name \
                 the limit: send one of them"
                ),
            )),
        }
    }

    fn unwanted_limit(&self, order_type: &str) -> Result<(), Refusal> {
        match self.limit_price {
            None => Ok(()),
            Some(limit) => Err(contradiction(
                "limit_price",
                format!(
                    "limit_price is {limit} and the type is {order_type}; write \"type\":\"limit\" or \
                 \"type\":\"stop_limit\""
                ),
            )),
        }
    }
}

fn check_target(verb: Option<Verb>, target: Decimal) -> Result<(), Refusal> {
    let Some(verb) = verb else {
        return Ok(());
    };
    let side = PositionSide::of(target);
    let agrees = match verb {
        Verb::Buy | Verb::Sell | Verb::Close => true,
        Verb::EnterLong => side == PositionSide::Long,
        Verb::EnterShort => side == PositionSide::Short,
        Verb::CloseLong => side != PositionSide::Short,
        Verb::CloseShort => side != PositionSide::Long,
        Verb::Reverse => side != PositionSide::Flat,
        Verb::Cancel | Verb::Heartbeat => false,
    };
    if agrees {
        return Ok(());
    }
    Err(verb_against_position(verb, &target.to_string()))
}

const fn opposite(side: PositionSide) -> PositionSide {
    match side {
        PositionSide::Long => PositionSide::Short,
        PositionSide::Short => PositionSide::Long,
        PositionSide::Flat => PositionSide::Flat,
    }
}

/// Two fields that do not go together; `field` is the one that the sender should look at.
fn contradiction(field: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(code::CONTRADICTION, message).field(field)
}

fn verb_against_position(verb: Verb, position: &str) -> Refusal {
    contradiction(
        "action",
        format!(
            "the action is {} and the position after it is {position}; both can't be meant: leave one of \
         them out",
            verb.as_str()
        ),
    )
}

fn needs_size(problem: String) -> Refusal {
    Refusal::new(
        code::NEEDS_SIZE,
        format!("{problem}; add \"position_size\":{{{{strategy.market_position_size}}}}"),
    )
    .field("position")
}

fn size_without_side() -> Refusal {
    Refusal::new(
        code::MISSING_FIELD,
        "position_size is given without position, so its side is not known; add \
         \"position\":\"{{strategy.market_position}}\"",
    )
    .field("position")
}

fn percent_without_exit(field: &str, percent: Decimal) -> Refusal {
    Refusal::new(
        code::PERCENT,
        format!(
            "{percent}% is a part of a position, which only an exit can leave; a route can size \
             entries by a percentage of the equity"
        ),
    )
    .field(field)
}

fn missing_price(order_type: &str, field: &str, portuguese: &str) -> Refusal {
    Refusal::new(
        code::MISSING_FIELD,
        format!("an order of the type {order_type} needs {field} ({portuguese}); add it"),
    )
    .field(field)
}

fn no_action() -> Refusal {
    Refusal::new(
        code::NO_ACTION,
        "nothing says what to do; add \"action\" (acao) with buy (compra), sell (venda) or close \
         (fechar), or \"position\" with the position to reach",
    )
    .field("action")
}
