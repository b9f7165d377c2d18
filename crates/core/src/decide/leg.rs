//! One account's share of a signal: moves, sizes, rules, orders.

use super::exits::{self, ExitOrigin, ExitPlans, Holding};
use super::moves::{self, Enter, Leave, Moves};
use super::rules::{self, Approved};
use super::sizing::{Sizer, refuse};
use super::{Context, Decision, cancel, exchange, fitting, levels, scope};
use crate::b3::Meant;
use crate::id::{AccountName, ClientOrderId, Symbol};
use crate::instrument::Instrument;
use crate::message::{AlertDecision, LegDecision, LegOrder, Outcome};
use crate::nearest::nearest;
use crate::number::Price;
use crate::order::{OrderClass, OrderKind, OrderPlan, Origin};
use crate::policy::{AccountPolicy, Route};
use crate::signal::{PositionSide, Protection, Side};
use crate::source::SourceScope;
use crate::verdict::{Rule, Ruling, Verdict};

/// An entry that every rule has let pass, in the broker's steps.
struct ApprovedEntry {
    enter: Enter,
    protection: Protection,
}

/// One leg on its way to a decision.
struct Leg<'a> {
    context: Context<'a>,
    scope: &'a SourceScope,
    account: &'a AccountName,
    policy: &'a AccountPolicy,
    alert: &'a AlertDecision,
    symbol: Symbol,
    /// What the alert's symbol means here.
    meant: &'a Meant,
    instrument: Option<&'a Instrument>,
    price: Option<Price>,
}

/// Decides one leg: what its answer says, and the orders behind it.
pub(super) fn decide(
    context: Context<'_>,
    scope: &SourceScope,
    account: &AccountName,
    route: &Route,
    alert: &AlertDecision,
) -> (LegDecision, Decision) {
    let mut answer = LegDecision {
        account: account.clone(),
        decision: Outcome::Refused,
        reason: String::new(),
        symbol: None,
        orders: Vec::new(),
        verdicts: Vec::new(),
    };
    let reached = scope::account(scope, &alert.source, account);
    answer.verdicts.extend(reached);
    if let Some(refused) = answer
        .verdicts
        .iter()
        .find(|said| said.ruling == Ruling::Refuse)
    {
        answer.reason.clone_from(&refused.detail);
        return (answer, Decision::default());
    }
    let (Some(policy), Some(symbol)) = (
        context.policy.accounts.get(account),
        alert.signal.symbol.as_ref(),
    ) else {
        answer.reason = format!("account {account} is not ready");
        return (answer, Decision::default());
    };
    let symbol = route.symbol(symbol);
    let meant = exchange::meant(context, account, policy, &alert.signal, &symbol);
    answer.symbol = Some(meant.symbol.clone());
    answer.verdicts.extend(exchange::note(&meant));
    let leg = |symbol: &Symbol| Leg {
        context,
        scope,
        account,
        policy,
        alert,
        symbol: symbol.clone(),
        meant: &meant,
        instrument: policy.instruments.get(symbol),
        price: terms_price(alert)
            .or(alert.signal.reference_price)
            .or_else(|| context.facts.quotes.quote(account, symbol)),
    };
    if meant.others.is_empty() {
        return leg(&meant.symbol).decide(route, answer);
    }
    if !exchange::means_each(&alert.signal.intent) {
        let verdict = refuse(Rule::Contract, meant.no_opening.clone().unwrap_or_default());
        answer.reason.clone_from(&verdict.detail);
        answer.verdicts.push(verdict);
        return (answer, Decision::default());
    }
    let mut all = Decision::default();
    let mut reasons = Vec::new();
    for symbol in std::iter::once(&meant.symbol).chain(&meant.others) {
        let before = std::mem::take(&mut answer.orders);
        let (mut next, decision) = leg(symbol).decide(route, answer);
        next.orders.splice(0..0, before);
        answer = next;
        reasons.push(format!("{symbol}: {}", answer.reason));
        all.join(decision);
    }
    answer.reason = reasons.join("; ");
    (answer, all)
}

fn terms_price(alert: &AlertDecision) -> Option<Price> {
    use crate::signal::Intent;
    match &alert.signal.intent {
        Intent::Trade { terms, .. } | Intent::Enter { terms, .. } => terms.named_price(),
        Intent::Exit { .. }
        | Intent::Reverse { .. }
        | Intent::Target { .. }
        | Intent::Cancel
        | Intent::Heartbeat => None,
    }
}

impl Leg<'_> {
    fn holding(&self) -> Holding<'_> {
        Holding {
            account: self.account,
            strategy: &self.alert.signal.strategy,
            symbol: &self.symbol,
        }
    }

    fn order_id(&self, step: &str) -> ClientOrderId {
        // Where one leg is about several contracts each has its own orders.
        let step = match self.meant.others.as_slice() {
            [] => step.to_owned(),
            _ => format!("{step} {}", self.symbol),
        };
        ClientOrderId::derive(
            self.alert.alert,
            &[
                self.context.policy.installation.as_bytes(),
                b"alert",
                &self.alert.alert.0.to_le_bytes(),
                &self.alert.received_at.0.to_le_bytes(),
                self.account.as_str().as_bytes(),
                step.as_bytes(),
            ],
        )
    }

    fn decide(&self, route: &Route, mut answer: LegDecision) -> (LegDecision, Decision) {
        let account = self.context.state.account(self.account);
        let standing = exits::standing(self.context, self.holding());
        answer
            .verdicts
            .extend(self.previous_position(standing.held));
        let sizer = Sizer {
            sizing: route.sizing,
            instrument: self.instrument,
            price: self.price,
            equity: account
                .and_then(|account| account.balance.as_ref())
                .map(|b| b.equity),
            symbol: self.symbol.as_str(),
            fitting: self.policy.fitting,
        };
        let moves = moves::moves(&self.alert.signal.intent, standing, &sizer);
        let (moves, said) = scope::moves(self.scope, self.alert, moves);
        answer.verdicts.extend(said);
        match moves {
            Moves::Nothing(reason) => {
                answer.decision = Outcome::Accepted;
                answer.reason = reason;
                (answer, Decision::default())
            }
            Moves::Refused(verdict) => {
                // A symbol that means nothing here explains more than what follows from it.
                let verdict = (self.no_opening())
                    .or_else(|| self.unknown_symbol())
                    .unwrap_or_else(|| exchange::with_lots(self.policy, &self.symbol, verdict));
                answer.reason.clone_from(&verdict.detail);
                answer.verdicts.push(verdict);
                (answer, Decision::default())
            }
            Moves::OutOfScope(reason) => {
                answer.reason = reason;
                (answer, Decision::default())
            }
            Moves::CancelEntries => self.cancel_entries(answer),
            Moves::Trade { exit, entry, notes } => {
                answer.verdicts.extend(notes);
                if let Some(verdict) = exit.as_ref().and_then(|leave| self.would_bare(leave)) {
                    answer.reason.clone_from(&verdict.detail);
                    answer.verdicts.push(verdict);
                    return (answer, Decision::default());
                }
                self.trade(exit, entry, answer)
            }
        }
    }

    /// An exit that waits for a price where the stop holds what it would sell: it would have to rest
    /// in the stop's place, and leave the position without one.
    fn would_bare(&self, leave: &Leave) -> Option<Verdict> {
        if !leave.kind.rests() {
            return None;
        }
        let held = exits::held(self.context, self.holding());
        let amount = leave.amount.unwrap_or_else(|| held.abs());
        let stops = exits::in_its_way(self.context, self.holding(), amount, None);
        (!stops.is_empty()).then(|| {
            refuse(
                Rule::Protection,
                format!(
                    "a resting exit of {} would take the place of the position's stop in {}; \
                     close at the market, or give the entry a target",
                    self.symbol, self.account
                ),
            )
        })
    }

    /// A word when the alert's idea of the position before it isn't ours.
    fn previous_position(&self, held: rust_decimal::Decimal) -> Option<Verdict> {
        let said = self.alert.signal.previous_position?;
        let ours = PositionSide::of(held);
        (said != ours).then(|| Verdict {
            ruling: Ruling::Note,
            ..refuse(
                Rule::PreviousPosition,
                format!(
                    "the alert says that the position before was {}, here it is {}",
                    said.as_str(),
                    ours.as_str()
                ),
            )
        })
    }

    fn cancel_entries(&self, mut answer: LegDecision) -> (LegDecision, Decision) {
        let mut decision = Decision::default();
        let mut count = 0;
        if let Some(account) = self.context.state.account(self.account) {
            let entries = account.orders_in(&self.symbol).filter(|order| {
                self.holding().is_of(order) && order.plan.class == OrderClass::Entry
            });
            for order in entries {
                decision.join(cancel::request(order, "taken back by an alert"));
                count += 1;
            }
        }
        answer.decision = Outcome::Accepted;
        answer.reason = match count {
            0 => "no working entry to cancel".to_owned(),
            1 => "1 entry is taken back".to_owned(),
            more => format!("{more} entries are taken back"),
        };
        (answer, decision)
    }

    fn trade(
        &self,
        leave: Option<Leave>,
        enter: Option<Enter>,
        mut answer: LegDecision,
    ) -> (LegDecision, Decision) {
        let exit = leave.map_or_else(ExitPlans::default, |leave| self.exit(leave, &mut answer));
        let approved = enter
            .as_ref()
            .and_then(|enter| self.check_entry(enter, &mut answer));
        let exits = exit.plans.len();
        answer.orders.extend(exit.plans.iter().map(leg_order));
        let mut after = exit.ids();
        if let (Some(account), Some(enter)) = (self.context.state.account(self.account), &enter) {
            after.extend(exits::on_their_way(account, self.holding(), enter.side));
        }
        let mut decision = exit.into_decision();
        if let Some(approved) = approved {
            let plan = self.entry_plan(approved, after);
            answer.orders.push(leg_order(&plan));
            let frozen = rules::is_lane_frozen(self.context, &plan.lane());
            if frozen {
                answer.verdicts.push(Verdict {
                    ruling: Ruling::Note,
                    ..refuse(
                        Rule::LaneFrozen,
                        format!(
                            "waits until the fate of another order of {} is known",
                            self.symbol
                        ),
                    )
                });
            }
            let waits = frozen || !plan.after.is_empty();
            exits::plan_order_waiting(&mut decision, plan, waits);
        }
        let refusal = answer
            .verdicts
            .iter()
            .find(|verdict| verdict.ruling == Ruling::Refuse);
        let halted = refusal.is_some_and(|verdict| verdict.rule == Rule::Halt);
        let word = |count: usize, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        };
        (answer.decision, answer.reason) = match (refusal, exits) {
            (Some(verdict), 0) => {
                let refused = if halted {
                    Outcome::Halted
                } else {
                    Outcome::Refused
                };
                (refused, verdict.detail.clone())
            }
            // The exit goes, whatever was said of the entry behind it.
            (Some(verdict), _) => (
                Outcome::Accepted,
                format!("only the close is sent: {}", verdict.detail),
            ),
            (None, _) if answer.orders.is_empty() => (
                Outcome::Accepted,
                "nothing left to close: exits are on their way".to_owned(),
            ),
            (None, _) => (
                Outcome::Accepted,
                format!("{} planned", word(answer.orders.len(), "order", "orders")),
            ),
        };
        (answer, decision)
    }

    fn exit(&self, mut leave: Leave, answer: &mut LegDecision) -> ExitPlans {
        if let Some(instrument) = self.instrument {
            let held = exits::held(self.context, self.holding());
            let side = exits::closing_side(held);
            let (kind, notes) = fitting::exit(instrument, side, leave.kind);
            leave.kind = kind;
            answer.verdicts.extend(notes);
        }
        let id = |step: &str| self.order_id(step);
        let how = ExitOrigin {
            origin: Origin::Alert(self.alert.alert),
            kind: leave.kind,
            reason: "taken back by an alert that closes the position",
            id: &id,
            over: None,
        };
        let mut exit = exits::exit(self.context, self.holding(), leave.amount, &how);
        for plan in &mut exit.plans {
            plan.reference_price = self.alert.signal.reference_price;
        }
        exit
    }

    /// Why nothing may be opened, of an alert that would.
    fn no_opening(&self) -> Option<Verdict> {
        let why = self.meant.no_opening.as_ref();
        let why = why.filter(|_| self.alert.signal.intent.may_open())?;
        Some(refuse(Rule::Contract, why.clone()))
    }

    fn unknown_symbol(&self) -> Option<Verdict> {
        if self.instrument.is_some() {
            return None;
        }
        let listed = self.policy.instruments.listed.keys().map(Symbol::as_str);
        let near = nearest(self.symbol.as_str(), listed)
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        let cure = self.policy.unlisted_cure.as_ref();
        let cure = cure.map(|cure| format!("; {cure}")).unwrap_or_default();
        Some(refuse(
            Rule::KnownSymbol,
            format!(
                "account {} does not know the symbol {}{near}{cure}",
                self.account, self.symbol
            ),
        ))
    }

    fn check_entry(&self, enter: &Enter, answer: &mut LegDecision) -> Option<ApprovedEntry> {
        let said = exchange::check(self.context, self.policy, &self.symbol, self.meant, enter);
        let is_closed = said.iter().any(|said| said.ruling == Ruling::Refuse);
        answer.verdicts.extend(said);
        let Some(instrument) = self.instrument else {
            answer.verdicts.extend(self.unknown_symbol());
            return None;
        };
        let protection = &self.alert.signal.protection;
        let (enter, protection, notes) =
            fitting::entry(self.policy.fitting, instrument, enter, protection);
        answer.verdicts.extend(notes);
        let (protection, note) =
            levels::inherited(self.context, self.holding(), enter.side, &protection);
        answer.verdicts.extend(note);
        let (verdicts, approved) = rules::check(
            self.context,
            &rules::Request {
                source: &self.alert.source,
                scope: self.scope,
                account: self.account,
                strategy: &self.alert.signal.strategy,
                symbol: &self.symbol,
                policy: self.policy,
                instrument,
                signal: &self.alert.signal,
                received_at: self.alert.received_at,
                enter: &enter,
                protection: &protection,
                price: self.price,
            },
        );
        answer.verdicts.extend(verdicts);
        let approved = approved.filter(|_: &Approved| !is_closed);
        approved.map(|_| ApprovedEntry { enter, protection })
    }

    /// An entry's order; only an approved one has a plan.
    fn entry_plan(&self, approved: ApprovedEntry, after: Vec<ClientOrderId>) -> OrderPlan {
        let ApprovedEntry { enter, protection } = approved;
        let rules = &self.policy.rules;
        let life = rules
            .max_signal_age
            .unwrap_or(crate::policy::SIGNAL_AGE_DEFAULT);
        OrderPlan {
            id: self.order_id("entry"),
            account: self.account.clone(),
            strategy: self.alert.signal.strategy.clone(),
            symbol: self.symbol.clone(),
            side: enter.side,
            quantity: enter.quantity,
            kind: OrderKind::Single { terms: enter.terms },
            class: OrderClass::Entry,
            protection,
            reference_price: self.alert.signal.reference_price,
            origin: Origin::Alert(self.alert.alert),
            alert: Some(self.alert.alert),
            expires_at: self
                .alert
                .signal
                .fired_at
                .map_or(self.alert.received_at, |fired| {
                    fired.min(self.alert.received_at)
                })
                .after(life),
            after,
            replaces: None,
            instead_of: Vec::new(),
            multiplier: exits::multiplier(self.context, self.account, &self.symbol),
            reduce_only: false,
        }
    }
}

fn leg_order(plan: &OrderPlan) -> LegOrder {
    let side: Side = plan.side;
    LegOrder {
        client_order_id: plan.id,
        side,
        quantity: plan.quantity.get(),
    }
}
