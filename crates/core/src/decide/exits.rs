//! Leaving a position: what can go now, and what must wait for entries that are still on their way.

use rust_decimal::Decimal;

use super::{Context, Decision, cancel};
use crate::id::{AccountName, ClientOrderId, StrategyName, Symbol};
use crate::message::{Command, Event};
use crate::number::{Quantity, floor_to_step};
use crate::order::{Order, OrderClass, OrderKind, OrderPlan, OrderStatus, Origin};
use crate::policy::EXIT_LIFE;
use crate::signal::{Protection, Side};
use crate::state::AccountState;

/// The most orders that one exit becomes where the broker limits their size; the last has the rest.
const PIECES_MAX: usize = 32;

/// A strategy's share of a symbol in an account: what exits are about.
#[derive(Clone, Copy)]
pub(super) struct Holding<'a> {
    pub(super) account: &'a AccountName,
    pub(super) strategy: &'a StrategyName,
    pub(super) symbol: &'a Symbol,
}

/// The holding that an order belongs to.
pub(super) const fn holding_of(plan: &OrderPlan) -> Holding<'_> {
    Holding {
        account: &plan.account,
        strategy: &plan.strategy,
        symbol: &plan.symbol,
    }
}

impl Holding<'_> {
    pub(super) fn is_of(&self, order: &Order) -> bool {
        order.plan.strategy == *self.strategy && order.plan.symbol == *self.symbol
    }
}

/// Where a holding stands, with what is on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// The position by the fills that are known.
    pub(super) held: Decimal,
    /// What live exits will still take from it, signed.
    pub(super) leaving: Decimal,
    /// What live entries at the market will still bring, signed.
    pub(super) coming: Decimal,
    /// Whether entries are open that wait for a price and may never trade.
    pub(super) awaits_price: bool,
    /// What exits will take that wait for those entries, signed.
    pub(super) leaving_later: Decimal,
    /// What exits have claimed of the known position, those that wait for a price included, unsigned.
    pub(super) claimed: Decimal,
    /// The part of that which waits for a price, and may never leave.
    pub(super) claimed_at_a_price: Decimal,
}

impl Standing {
    /// The position once everything on its way has happened. What waits for a price is not on its way.
    pub(super) fn expected(self) -> Decimal {
        self.held
            .saturating_add(self.leaving)
            .saturating_add(self.coming)
            .saturating_add(self.leaving_later)
    }

    /// Whether there is nothing to leave, neither held nor to come.
    pub(super) fn is_flat(self) -> bool {
        self.held.is_zero() && self.coming.is_zero() && !self.awaits_price
    }

    /// How much of the known position is not certain to leave soon, unsigned.
    pub(super) fn staying(self) -> Decimal {
        let leaving = self.claimed - self.claimed_at_a_price;
        (self.held.abs() - leaving).max(Decimal::ZERO)
    }

    /// How much of the known position no exit has claimed yet, unsigned.
    pub(super) fn free(self) -> Decimal {
        (self.held.abs() - self.claimed).max(Decimal::ZERO)
    }
}

/// The part of a quantity that is in whole steps of the broker's. A fee that was kept from what was
/// bought leaves less than a step behind, which nobody can trade.
pub(super) fn in_steps(
    context: Context<'_>,
    account: &AccountName,
    symbol: &Symbol,
    quantity: Decimal,
) -> Decimal {
    let step = context
        .policy
        .accounts
        .get(account)
        .and_then(|policy| policy.instruments.get(symbol))
        .map(|instrument| instrument.quantity_step);
    step.and_then(|step| floor_to_step(quantity.abs(), step))
        .map_or(quantity, |whole| {
            if quantity.is_sign_negative() {
                -whole
            } else {
                whole
            }
        })
}

/// What a holding is, signed, as far as it can be traded.
pub(super) fn held(context: Context<'_>, holding: Holding<'_>) -> Decimal {
    let account = context.state.account(holding.account);
    let held = account.map_or(Decimal::ZERO, |account| {
        account.held(holding.strategy, holding.symbol)
    });
    in_steps(context, holding.account, holding.symbol, held)
}

/// Where a holding stands. Entries that are being taken back still count: they may fill.
pub(super) fn standing(context: Context<'_>, holding: Holding<'_>) -> Standing {
    standing_without(context, holding, None)
}

/// Where a holding stands, were this order over already.
pub(super) fn standing_without(
    context: Context<'_>,
    holding: Holding<'_>,
    over: Option<ClientOrderId>,
) -> Standing {
    let Some(account) = context.state.account(holding.account) else {
        return Standing::default();
    };
    let mut standing = Standing {
        held: held(context, holding),
        ..Standing::default()
    };
    let orders = account.orders_in(holding.symbol);
    for order in orders.filter(|order| holding.is_of(order) && Some(order.plan.id) != over) {
        let change = order.plan.side.signed(order.remaining());
        let closes = order.plan.side == closing_side(standing.held);
        match order.plan.class {
            OrderClass::Entry if order.plan.kind.rests() => standing.awaits_price = true,
            OrderClass::Entry => standing.coming = standing.coming.saturating_add(change),
            // An exit that waits claims only what entries will bring.
            OrderClass::Exit if order.status == OrderStatus::Waiting && order.attempts == 0 => {
                standing.leaving_later = standing.leaving_later.saturating_add(change);
            }
            OrderClass::Exit => {
                if closes {
                    standing.claimed = standing.claimed.saturating_add(order.remaining());
                }
                if closes && order.plan.kind.rests() {
                    standing.claimed_at_a_price = standing
                        .claimed_at_a_price
                        .saturating_add(order.remaining());
                }
                if !order.plan.kind.rests() {
                    standing.leaving = standing.leaving.saturating_add(change);
                }
            }
            OrderClass::Protection => {}
        }
    }
    standing
}

/// What exits will take of a holding that the broker has, or may have, unsigned.
pub(super) fn at_broker(account: &AccountState, holding: Holding<'_>) -> Decimal {
    let closes = closing_side(account.held(holding.strategy, holding.symbol));
    account
        .orders_in(holding.symbol)
        .filter(|order| {
            holding.is_of(order)
                && order.plan.class == OrderClass::Exit
                && order.plan.side == closes
                && order.status.may_be_at_broker()
        })
        .fold(Decimal::ZERO, |sum, order| {
            sum.saturating_add(order.remaining())
        })
}

/// The exits of a holding that are on their way on this side: an opening there comes after them.
pub(super) fn on_their_way<'a>(
    account: &'a AccountState,
    holding: Holding<'a>,
    side: Side,
) -> impl Iterator<Item = ClientOrderId> + use<'a> {
    account
        .orders_in(holding.symbol)
        .filter(move |order| {
            let plan = &order.plan;
            holding.is_of(order) && plan.class == OrderClass::Exit && plan.side == side
        })
        .map(|order| order.plan.id)
}

/// The side that makes this position smaller.
pub(super) fn closing_side(position: Decimal) -> Side {
    if position.is_sign_positive() {
        Side::Sell
    } else {
        Side::Buy
    }
}

/// The orders of an exit.
#[derive(Debug, Default)]
pub(super) struct ExitPlans {
    /// Orders that go now or wait for entries, in this order.
    pub(super) plans: Vec<OrderPlan>,
    /// Entries that are taken back.
    pub(super) taken_back: Decision,
}

impl ExitPlans {
    pub(super) fn ids(&self) -> Vec<ClientOrderId> {
        self.plans.iter().map(|plan| plan.id).collect()
    }

    /// The events and commands of the plans.
    pub(super) fn into_decision(self) -> Decision {
        let mut decision = self.taken_back;
        for plan in self.plans {
            plan_order(&mut decision, plan);
        }
        decision
    }
}

/// Plans an order; it goes at once unless it has something to wait for.
pub(super) fn plan_order(decision: &mut Decision, plan: OrderPlan) {
    let waits = !plan.after.is_empty();
    plan_order_waiting(decision, plan, waits);
}

/// Plans an order that waits, or goes at once.
pub(super) fn plan_order_waiting(decision: &mut Decision, plan: OrderPlan, waits: bool) {
    if !waits {
        decision.command(Command::Submit(Box::new(plan.clone())));
    }
    decision.push(Event::OrderPlanned {
        plan: Box::new(plan),
        waits,
    });
}

/// What an exit order is made of besides its size.
pub(super) struct ExitOrigin<'a> {
    pub(super) origin: Origin,
    pub(super) kind: OrderKind,
    pub(super) reason: &'a str,
    /// Gives the order of a step its identity.
    pub(super) id: &'a dyn Fn(&str) -> ClientOrderId,
    /// An order that is over by the word that is being decided: it holds nothing any more.
    pub(super) over: Option<ClientOrderId>,
}

/// Leaves a holding: what is held goes now; what entries on their way may still bring waits for
/// them. With `amount` `None` all of it is left, and those entries are taken back.
pub(super) fn exit(
    context: Context<'_>,
    holding: Holding<'_>,
    amount: Option<Decimal>,
    how: &ExitOrigin<'_>,
) -> ExitPlans {
    let mut exit = ExitPlans::default();
    let Some(account) = context.state.account(holding.account) else {
        return exit;
    };
    let now = standing_without(context, holding, how.over);
    // Exits that rest hold what a market exit needs now: they are taken back for it.
    let short = amount.is_none_or(|amount| amount > now.free()) && !how.kind.rests();
    let pending = pending(account, holding, amount.is_none(), short);
    let is_taken_back = |order: &Order| order.plan.class == OrderClass::Exit || amount.is_none();
    let forgotten = pending
        .iter()
        .filter(|(order, _)| {
            order.plan.class == OrderClass::Exit
                && order.plan.side == closing_side(now.held)
                && order.status == OrderStatus::Waiting
                && order.attempts > 0
        })
        .fold(Decimal::ZERO, |sum, (order, _)| sum + order.remaining());
    let free = (now.free() + forgotten).min(now.held.abs());
    let take = amount.map_or(free, |amount| amount.min(free));
    if let Ok(quantity) = Quantity::new(take) {
        let side = closing_side(now.held);
        for (step, piece) in in_pieces(context, holding, how.kind, "exit", quantity) {
            let id = (how.id)(&step);
            exit.plans
                .push(order(context, holding, side, piece, how, id, Vec::new()));
        }
    }
    for (order, _) in pending.iter().filter(|(order, _)| is_taken_back(order)) {
        exit.taken_back.join(cancel::request(order, how.reason));
    }
    let mut rest = amount.map(|amount| amount - take);
    // What resting exits give back goes as soon as they do; only what entries bring waits for those.
    for (class, side, step) in [
        (OrderClass::Exit, Side::Sell, "exit again sell"),
        (OrderClass::Exit, Side::Buy, "exit again buy"),
        (OrderClass::Entry, Side::Sell, "exit rest sell"),
        (OrderClass::Entry, Side::Buy, "exit rest buy"),
    ] {
        let those = || {
            pending.iter().filter(|(order, exit_side)| {
                order.plan.class == class
                    && *exit_side == side
                    && (!is_taken_back(order) || order.status.may_be_at_broker())
            })
        };
        let most = those().fold(Decimal::ZERO, |sum, (order, _)| sum + order.remaining());
        let most = rest.map_or(most, |rest| rest.min(most));
        let Ok(quantity) = Quantity::new(most) else {
            continue;
        };
        let after: Vec<_> = those().map(|(order, _)| order.plan.id).collect();
        for (step, piece) in in_pieces(context, holding, how.kind, step, quantity) {
            let (id, after) = ((how.id)(&step), after.clone());
            exit.plans
                .push(order(context, holding, side, piece, how, id, after));
        }
        rest = rest.map(|rest| rest - quantity.get());
    }
    exit
}

/// An exit in parts that the broker takes, each with its step: a position that was entered in several
/// orders can be larger than the largest that it takes at once.
fn in_pieces(
    context: Context<'_>,
    holding: Holding<'_>,
    kind: OrderKind,
    step: &str,
    whole: Quantity,
) -> Vec<(String, Quantity)> {
    let policy = context.policy.accounts.get(holding.account);
    let instrument = policy.and_then(|policy| policy.instruments.get(holding.symbol));
    let most = instrument.and_then(|instrument| {
        let limits = &instrument.limits;
        let at_market = limits.market.maximum.filter(|_| !kind.rests());
        let most = [limits.maximum_quantity, at_market];
        most.into_iter().flatten().min()
    });
    let most = most.map(|most| in_steps(context, holding.account, holding.symbol, most));
    let mut pieces = Vec::new();
    let mut left = whole.get();
    if let Some(Ok(most)) = most.map(Quantity::new) {
        while left > most.get() && pieces.len() + 1 < PIECES_MAX {
            let step = match pieces.len() {
                0 => step.to_owned(),
                number => format!("{step} {number}"),
            };
            pieces.push((step, most));
            left -= most.get();
        }
    }
    let last = match pieces.len() {
        0 => step.to_owned(),
        number => format!("{step} {number}"),
    };
    pieces.extend(Quantity::new(left).ok().map(|left| (last, left)));
    pieces
}

/// The orders that may still change what is to be left, each with the side that leaves it:
/// entries on their way, with `everything` also those that wait for a price, and with `resting`
/// also exits that do.
fn pending<'a>(
    account: &'a AccountState,
    holding: Holding<'_>,
    everything: bool,
    resting: bool,
) -> Vec<(&'a Order, Side)> {
    account
        .orders_in(holding.symbol)
        .filter(|order| holding.is_of(order))
        .filter_map(|order| match order.plan.class {
            OrderClass::Entry if everything || !order.plan.kind.rests() => {
                Some((order, order.plan.side.opposite()))
            }
            OrderClass::Exit if resting && order.plan.kind.rests() => {
                Some((order, order.plan.side))
            }
            OrderClass::Entry | OrderClass::Exit | OrderClass::Protection => None,
        })
        .collect()
}

fn order(
    context: Context<'_>,
    holding: Holding<'_>,
    side: Side,
    quantity: Quantity,
    how: &ExitOrigin<'_>,
    id: ClientOrderId,
    after: Vec<ClientOrderId>,
) -> OrderPlan {
    OrderPlan {
        id,
        account: holding.account.clone(),
        strategy: holding.strategy.clone(),
        symbol: holding.symbol.clone(),
        side,
        quantity,
        kind: how.kind,
        class: OrderClass::Exit,
        protection: Protection::default(),
        reference_price: None,
        origin: how.origin.clone(),
        alert: match how.origin {
            Origin::Alert(alert) => Some(alert),
            Origin::Protects(_) | Origin::Operator(_) => None,
        },
        expires_at: context.now().after(EXIT_LIFE),
        replaces: None,
        instead_of: if after.is_empty() {
            in_its_way(context, holding, quantity.get(), how.over)
        } else {
            Vec::new()
        },
        after,
        multiplier: multiplier(context, holding.account, holding.symbol),
        reduce_only: !how.kind.rests() && is_alone(context, holding),
    }
}

/// Where a resting order holds what it would sell: the protection that must make way for an exit
/// of so much, the youngest first. Nothing elsewhere. What is `over` by now holds nothing.
pub(super) fn in_its_way(
    context: Context<'_>,
    holding: Holding<'_>,
    quantity: Decimal,
    over: Option<ClientOrderId>,
) -> Vec<ClientOrderId> {
    let holds = context
        .policy
        .accounts
        .get(holding.account)
        .is_some_and(|policy| policy.capabilities.resting_holds);
    let Some(account) = context.state.account(holding.account).filter(|_| holds) else {
        return Vec::new();
    };
    let held = held(context, holding);
    let resting = |order: &&Order| {
        holding.is_of(order)
            && order.plan.class != OrderClass::Entry
            && order.plan.kind.rests()
            && order.plan.side == closing_side(held)
            && order.status.may_be_at_broker()
            && over != Some(order.plan.id)
    };
    let orders = || account.orders_in(holding.symbol).filter(resting);
    let bound = orders().fold(Decimal::ZERO, |sum, order| sum + order.remaining());
    let mut missing = quantity - (held.abs() - bound);
    let mut protection: Vec<_> = orders()
        .filter(|order| order.plan.class == OrderClass::Protection)
        .collect();
    protection.sort_by_key(|order| std::cmp::Reverse((order.planned_at, order.plan.id)));
    protection
        .into_iter()
        .take_while(|order| {
            let needed = missing > Decimal::ZERO;
            missing -= order.remaining();
            needed
        })
        .map(|order| order.plan.id)
        .collect()
}

/// Whether no other strategy holds the symbol in this account, or is about to.
pub(super) fn is_alone(context: Context<'_>, holding: Holding<'_>) -> bool {
    let Some(account) = context.state.account(holding.account) else {
        return true;
    };
    let held = account.positions.iter().any(|(strategy, symbols)| {
        strategy != holding.strategy
            && symbols
                .get(holding.symbol)
                .is_some_and(|position| !position.quantity.is_zero())
    });
    let coming = account.orders_in(holding.symbol).any(|order| {
        order.plan.strategy != *holding.strategy && order.plan.class == OrderClass::Entry
    });
    !held && !coming
}

/// Whether protection that rests for this holding tells the broker that it may only reduce.
pub(super) fn rests_reducing(context: Context<'_>, holding: Holding<'_>) -> bool {
    let can = context
        .policy
        .accounts
        .get(holding.account)
        .is_some_and(|policy| policy.capabilities.resting_reduce_only);
    can && is_alone(context, holding)
}

/// What one unit's move of 1 in price is worth, by the broker's list or else by the position.
pub(super) fn multiplier(context: Context<'_>, account: &AccountName, symbol: &Symbol) -> Decimal {
    let listed = context
        .policy
        .accounts
        .get(account)
        .and_then(|policy| policy.instruments.get(symbol))
        .map(|instrument| instrument.contract_multiplier);
    let held = || {
        context
            .state
            .account(account)?
            .positions
            .values()
            .find_map(|symbols| symbols.get(symbol))
            .map(|position| position.multiplier)
    };
    listed.or_else(held).unwrap_or(Decimal::ONE)
}
