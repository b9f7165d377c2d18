//! What the stand-in terminal knows of an account, put as a trader counts.
//!
//! It keeps a magic number in place of our ids, and no protective orders at all: those are levels of
//! positions, seen while they are there.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use rust_decimal::Decimal;
use serde_json::Value;

use super::subject::{Audit, AuditedOrder};

/// The lower bits of a magic number, which tell the order.
const ORDER_MASK: u64 = (1 << 43) - 1;
/// A rejected order in the history (ENUM_ORDER_STATE).
const STATE_REJECTED: u64 = 5;
/// A deal that a stop or a target made (ENUM_DEAL_REASON).
const REASONS_OF_LEVELS: [u64; 2] = [4, 5];
/// A deal that opens, or turns and so opens, a position (ENUM_DEAL_ENTRY).
const ENTRY_OUT: u64 = 1;

/// What was meant to be handed over.
#[derive(Default)]
pub(super) struct Intended {
    plans: BTreeMap<ClientOrderId, OrderPlan>,
    /// The positions that were seen to have the levels of a protective order.
    protected: BTreeMap<ClientOrderId, BTreeSet<u64>>,
}

pub(super) fn number(value: &Value) -> Decimal {
    let text = value.to_string();
    let parsed = text.parse().or_else(|_| Decimal::from_scientific(&text));
    parsed.unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn symbol(value: &Value) -> Symbol {
    Symbol::new(value["symbol"].as_str().unwrap()).unwrap()
}

fn order_bits(id: ClientOrderId) -> u64 {
    let bytes = id.to_bytes();
    u64::from_be_bytes(bytes[8..].try_into().unwrap()) & ORDER_MASK
}

/// The levels that a protective order is at the terminal.
fn levels(kind: &OrderKind) -> (Option<Decimal>, Option<Decimal>) {
    match kind {
        OrderKind::Single { terms } => match terms {
            Terms::Stop { trigger } => (Some(trigger.get()), None),
            Terms::Limit { price } => (None, Some(price.get())),
            Terms::Market | Terms::StopLimit { .. } => panic!("no protection: {terms:?}"),
        },
        OrderKind::OneCancelsOther { stop, target } => (Some(stop.get()), Some(target.get())),
        OrderKind::TrailingStop { .. } => panic!("no trailing stops"),
    }
}

/// The sums over an order's deals.
#[derive(Default)]
struct Executed {
    quantity: Decimal,
    value: Decimal,
    fees: Decimal,
}

fn executed<'d>(deals: impl Iterator<Item = &'d Value>) -> Executed {
    deals.fold(Executed::default(), |sum, deal| {
        let quantity = number(&deal["volume"]);
        Executed {
            quantity: sum.quantity + quantity,
            value: sum.value + quantity * number(&deal["price"]),
            fees: sum.fees - number(&deal["commission"]) - number(&deal["fee"]),
        }
    })
}

impl Intended {
    pub(super) fn note(&mut self, plan: &OrderPlan) {
        self.plans.insert(plan.id, plan.clone());
    }

    /// What the books say of what was intended.
    pub(super) fn audit(&mut self, books: &Value) -> Audit {
        let mut orders = self.placed(books);
        orders.extend(self.protecting(books));
        let mut positions: BTreeMap<Symbol, Decimal> = BTreeMap::new();
        for position in list(&books["positions"]) {
            let volume = number(&position["volume"]);
            let held = if position["type"] == 0 {
                volume
            } else {
                -volume
            };
            *positions.entry(symbol(position)).or_default() += held;
        }
        positions.retain(|_, held| !held.is_zero());
        Audit {
            orders,
            positions,
            cash: number(&books["account"]["balance"]),
        }
    }

    /// What was sent as orders. Those that close several positions for one plan are one.
    fn placed(&self, books: &Value) -> Vec<AuditedOrder> {
        let ids: BTreeMap<u64, ClientOrderId> =
            self.plans.keys().map(|id| (order_bits(*id), *id)).collect();
        let ended = list(&books["history_orders"]).filter(|order| order["state"] != STATE_REJECTED);
        let open: BTreeSet<u64> = list(&books["orders"])
            .map(|order| order["ticket"].as_u64().unwrap())
            .collect();
        let mut orders: Vec<AuditedOrder> = Vec::new();
        let mut closing: BTreeMap<ClientOrderId, (usize, BTreeSet<u64>)> = BTreeMap::new();
        for order in ended.chain(list(&books["orders"])) {
            let magic = order["magic"].as_u64().unwrap();
            let ticket = order["ticket"].as_u64().unwrap();
            let Some(id) = ids
                .get(&(magic & ORDER_MASK))
                .copied()
                .filter(|_| magic != 0)
            else {
                continue;
            };
            // What the server makes of a level bears the position's number.
            if REASONS_OF_LEVELS
                .map(Value::from)
                .contains(&order["reason"])
            {
                continue;
            }
            let deals = || list(&books["deals"]).filter(|deal| deal["order"] == ticket);
            let sums = executed(deals());
            let position = deals().find(|deal| deal["entry"] == ENTRY_OUT);
            let position = position.map(|deal| deal["position_id"].as_u64().unwrap());
            if let Some(position) = position {
                let (index, closed) = closing
                    .entry(id)
                    .or_insert_with(|| (orders.len(), BTreeSet::new()));
                if closed.insert(position) && *index < orders.len() {
                    let whole = &mut orders[*index];
                    whole.executed += sums.quantity;
                    whole.value += sums.value;
                    whole.fees += sums.fees;
                    continue;
                }
            }
            orders.push(AuditedOrder {
                id,
                symbol: symbol(order),
                is_open: open.contains(&ticket),
                executed: sums.quantity,
                value: sums.value,
                fees: sums.fees,
                withheld: Decimal::ZERO,
            });
        }
        orders
    }

    /// Protective orders: there is one while the positions have its levels, or had them when looked at.
    fn protecting(&mut self, books: &Value) -> Vec<AuditedOrder> {
        let protective = self
            .plans
            .values()
            .filter(|plan| plan.class == OrderClass::Protection);
        let mut orders = Vec::new();
        for plan in protective {
            let (stop, target) = levels(&plan.kind);
            let protects = |position: &&Value| {
                let is_long = position["type"] == 0;
                symbol(position) == plan.symbol && is_long == (plan.side == Side::Sell)
            };
            let positions: Vec<_> = list(&books["positions"]).filter(protects).collect();
            let is_open = !positions.is_empty()
                && positions.iter().all(|position| {
                    stop.is_none_or(|stop| number(&position["sl"]) == stop)
                        && target.is_none_or(|target| number(&position["tp"]) == target)
                });
            let seen = self.protected.entry(plan.id).or_default();
            if is_open {
                let numbers = positions.iter().map(|position| &position["identifier"]);
                seen.extend(numbers.map(|number| number.as_u64().unwrap()));
            }
            if seen.is_empty() {
                continue;
            }
            let sums = executed(list(&books["deals"]).filter(|deal| {
                REASONS_OF_LEVELS.map(Value::from).contains(&deal["reason"])
                    && seen.contains(&deal["position_id"].as_u64().unwrap())
            }));
            orders.push(AuditedOrder {
                id: plan.id,
                symbol: plan.symbol.clone(),
                is_open,
                executed: sums.quantity,
                value: sums.value,
                fees: sums.fees,
                withheld: Decimal::ZERO,
            });
        }
        orders
    }
}
