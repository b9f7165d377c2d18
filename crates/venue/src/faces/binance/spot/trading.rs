//! Services that change orders: placing, cancelling, replacing, amending, and lists.
//!
//! Source: Binance Spot API, "Trading endpoints".

use super::exchange::SpotExchange;
use super::listing::NewList;
use super::order::{OrderType, SpotOrder, Status};
use super::placing::generated_id;
use super::requests;
use super::wire::{self, Detail};
use crate::faces::binance::error::ApiError;
use crate::faces::binance::faults;
use crate::faces::binance::params::Params;
use crate::faces::binance::service::Call;
use crate::faces::binance::state::Inside;
use crate::time::Micros;
use serde_json::{Value, json};

/// `POST /api/v3/order`, `order.place`.
pub(super) fn place(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    place_with(&mut inside.spot, call)
}

fn place_with(exchange: &mut SpotExchange, call: &Call<'_>) -> Result<Value, ApiError> {
    let request = requests::single(call.params)?;
    let default = match request.kind {
        OrderType::Limit | OrderType::Market => Detail::Full,
        OrderType::LimitMaker
        | OrderType::StopLoss
        | OrderType::StopLossLimit
        | OrderType::TakeProfit
        | OrderType::TakeProfitLimit => Detail::Ack,
    };
    let detail = requests::detail(call.params, default)?;
    let part = faults::partial_fill(call.faults);
    let id = exchange.place(call.account(), request, part, call.now)?;
    let order = exchange.orders.get(&id).ok_or_else(ApiError::broken)?;
    Ok(wire::placed(order, detail, call.now))
}

/// `POST /api/v3/order/test`, `order.test`: nothing is placed.
pub(super) fn test(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let request = requests::single(call.params)?;
    inside.spot.check_request(call.account(), request)?;
    if call.params.flag("computeCommissionRates")? != Some(true) {
        return Ok(json!({}));
    }
    let rate = super::symbols::decimal(inside.spot.commission);
    let rates = json!({"maker": rate, "taker": rate});
    let none = json!({"maker": "0.00000000", "taker": "0.00000000"});
    Ok(json!({
        "standardCommissionForOrder": rates, "specialCommissionForOrder": none, "taxCommissionForOrder": none,
        "discount": {
            "enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": "0.00000000",
        },
    }))
}

/// Number, name and cancel's name as a cancel's parameters.
const CANCEL_NAMES: (&str, &str, &str) = ("orderId", "origClientOrderId", "newClientOrderId");

/// `DELETE /api/v3/order`. With an order of a list the whole list is cancelled; the answer shows the order.
pub(super) fn cancel(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let (answer, _) = cancel_with(&mut inside.spot, call, CANCEL_NAMES)?;
    Ok(answer)
}

/// `order.cancel`. With an order of a list the whole list is cancelled, and the answer shows the list.
pub(super) fn cancel_over_socket(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let (answer, list) = cancel_with(&mut inside.spot, call, CANCEL_NAMES)?;
    let Some(list) = list else {
        return Ok(answer);
    };
    let cancel_id = answer["clientOrderId"].as_str().unwrap_or_default();
    cancelled_list(&inside.spot, list, cancel_id, call.now)
}

fn cancel_with(
    exchange: &mut SpotExchange,
    call: &Call<'_>,
    (by_number, by_name, own_name): (&str, &str, &str),
) -> Result<(Value, Option<u64>), ApiError> {
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let cancel_id = requests::client_id(call.params, own_name)?;
    let unknown = || ApiError::new(-2011, "Unknown order sent.");
    let wanted = Wanted::read(call.params, by_number, by_name)?;
    let order = wanted.find(exchange, call.account(), symbol)?;
    let order = order
        .filter(|order| order.status.is_open())
        .ok_or_else(unknown)?;
    check_restrictions(call.params, order)?;
    let (id, list, name) = (order.id, order.list_id, order.client_id.clone());
    let cancel_id = cancel_id.unwrap_or_else(|| generated_id(exchange.next_execution));
    exchange.cancel(id, &cancel_id, call.now);
    let order = exchange.orders.get(&id).ok_or_else(unknown)?;
    let mut answer = wire::cancelled(order, &cancel_id, call.now);
    answer["origClientOrderId"] = json!(name);
    Ok((answer, list))
}

fn check_restrictions(params: &Params, order: &SpotOrder) -> Result<(), ApiError> {
    let allowed = match params.text("cancelRestrictions") {
        None => true,
        Some("ONLY_NEW") => order.status == Status::New,
        Some("ONLY_PARTIALLY_FILLED") => order.status == Status::PartiallyFilled,
        Some(_) => {
            let message = "cancelRestrictions has to be either ONLY_NEW or ONLY_PARTIALLY_FILLED.";
            return Err(ApiError::new(-1145, message));
        }
    };
    allowed
        .then_some(())
        .ok_or_else(|| ApiError::new(-2011, "Order was not canceled due to cancel restrictions."))
}

/// `DELETE /api/v3/openOrders`, `openOrders.cancelAll`.
pub(super) fn cancel_all(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &mut inside.spot;
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let open: Vec<(u64, Option<u64>)> = exchange
        .open_orders(call.account(), Some(symbol))
        .map(|order| (order.id, order.list_id))
        .collect();
    if open.is_empty() {
        return Err(ApiError::new(-2011, "Unknown order sent."));
    }
    let mut answers = Vec::new();
    let mut lists = std::collections::BTreeSet::new();
    for (id, list) in open {
        let cancel_id = generated_id(exchange.next_execution);
        match list {
            None => {
                exchange.cancel(id, &cancel_id, call.now);
                let order = exchange.orders.get(&id);
                answers.extend(order.map(|order| wire::cancelled(order, &cancel_id, call.now)));
            }
            Some(list) if lists.insert(list) => {
                exchange.cancel_list(list, &cancel_id, call.now);
                answers.push(cancelled_list(exchange, list, &cancel_id, call.now)?);
            }
            Some(_) => {}
        }
    }
    Ok(Value::Array(answers))
}

/// `POST /api/v3/order/cancelReplace`, `order.cancelReplace`.
pub(super) fn cancel_replace(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &mut inside.spot;
    requests::single(call.params)?;
    let stops = match call.params.require("cancelReplaceMode")? {
        "STOP_ON_FAILURE" => true,
        "ALLOW_FAILURE" => false,
        _ => return Err(ApiError::invalid_data("cancelReplaceMode")),
    };
    let names = (
        "cancelOrderId",
        "cancelOrigClientOrderId",
        "cancelNewClientOrderId",
    );
    Wanted::read(call.params, names.0, names.1)?;
    let cancelled = cancel_with(exchange, call, names).map(|(answer, _)| answer);
    let placed = if cancelled.is_err() && stops {
        None
    } else {
        Some(place_with(exchange, call))
    };
    let word = |is_ok: bool| if is_ok { "SUCCESS" } else { "FAILURE" };
    let shown = |outcome: &Result<Value, ApiError>| match outcome {
        Ok(value) => value.clone(),
        Err(error) => error.body(),
    };
    let data = json!({
        "cancelResult": word(cancelled.is_ok()),
        "newOrderResult": placed.as_ref().map_or("NOT_ATTEMPTED", |placed| word(placed.is_ok())),
        "cancelResponse": shown(&cancelled),
        "newOrderResponse": placed.as_ref().map_or(Value::Null, shown),
    });
    let placed_ok = placed.is_some_and(|placed| placed.is_ok());
    match (cancelled.is_ok(), placed_ok) {
        (true, true) => Ok(data),
        (false, false) => Err(ApiError {
            data: Some(data),
            ..ApiError::new(-2022, "Order cancel-replace failed.")
        }),
        (true, false) | (false, true) => Err(ApiError {
            data: Some(data),
            ..ApiError::new(-2021, "Order cancel-replace partially failed.").with_status(409)
        }),
    }
}

/// `PUT /api/v3/order/amend/keepPriority`, `order.amend.keepPriority`.
pub(super) fn amend(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &mut inside.spot;
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let quantity = call.params.require_decimal("newQty")?;
    let client_id = requests::client_id(call.params, "newClientOrderId")?;
    let wanted = Wanted::read(call.params, "orderId", "origClientOrderId")?;
    let unknown = || ApiError::new(-2013, "Order does not exist.");
    let order = wanted
        .find(exchange, call.account(), symbol)?
        .filter(|order| order.status.is_open())
        .ok_or_else(unknown)?;
    let (id, old_name) = (order.id, order.client_id.clone());
    exchange.amend(id, quantity, client_id, call.now)?;
    let execution = exchange.next_execution;
    let order = exchange.orders.get(&id).ok_or_else(unknown)?;
    let mut amended = wire::found(order);
    amended["origClientOrderId"] = json!(old_name);
    amended["qty"] = amended["origQty"].clone();
    amended["cumulativeQuoteQty"] = amended["cummulativeQuoteQty"].clone();
    Ok(json!({
        "transactTime": wire::millis(call.now), "executionId": execution, "amendedOrder": amended,
    }))
}

/// `POST /api/v3/orderList/oco`, `orderList.place.oco`.
pub(super) fn oco(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    place_list(&mut inside.spot, requests::oco(call.params)?, call)
}

/// `POST /api/v3/orderList/oto`, `orderList.place.oto`.
pub(super) fn oto(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    place_list(&mut inside.spot, requests::oto(call.params, false)?, call)
}

/// `POST /api/v3/orderList/otoco`, `orderList.place.otoco`.
pub(super) fn otoco(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    place_list(&mut inside.spot, requests::otoco(call.params, false)?, call)
}

/// `POST /api/v3/orderList/opo`, `orderList.place.opo`.
pub(super) fn opo(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    place_list(&mut inside.spot, requests::oto(call.params, true)?, call)
}

/// `POST /api/v3/orderList/opoco`, `orderList.place.opoco`.
pub(super) fn opoco(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    place_list(&mut inside.spot, requests::otoco(call.params, true)?, call)
}

fn place_list(
    exchange: &mut SpotExchange,
    list: NewList,
    call: &Call<'_>,
) -> Result<Value, ApiError> {
    let detail = requests::detail(call.params, Detail::Result)?;
    let id = exchange.place_list(call.account(), list, call.now)?;
    let list = exchange.lists.get(&id).ok_or_else(ApiError::broken)?;
    let reports: Vec<Value> = list
        .orders
        .iter()
        .filter_map(|order| exchange.orders.get(order))
        .map(|order| wire::placed(order, detail, call.now))
        .collect();
    let mut answer = wire::list(exchange, list);
    answer["orderReports"] = Value::Array(reports);
    Ok(answer)
}

/// `DELETE /api/v3/orderList`, `orderList.cancel`.
pub(super) fn cancel_list(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &mut inside.spot;
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let number = call.params.integer("orderListId")?;
    let name = call.params.text("listClientOrderId");
    if number.is_none() && name.is_none() {
        return Err(ApiError::one_of("orderListId", "listClientOrderId"));
    }
    let found = exchange.lists.values().rev().find(|list| {
        list.account == call.account()
            && list.symbol == symbol
            && !list.is_done
            && number.is_none_or(|number| number.unsigned_abs() == list.id)
            && name.is_none_or(|name| name == list.client_id)
    });
    let id = found
        .map(|list| list.id)
        .ok_or_else(|| ApiError::new(-2011, "Unknown order list sent."))?;
    let cancel_id = requests::client_id(call.params, "newClientOrderId")?;
    let cancel_id = cancel_id.unwrap_or_else(|| generated_id(exchange.next_execution));
    exchange.cancel_list(id, &cancel_id, call.now);
    cancelled_list(exchange, id, &cancel_id, call.now)
}

fn cancelled_list(
    exchange: &SpotExchange,
    id: u64,
    cancel_id: &str,
    now: Micros,
) -> Result<Value, ApiError> {
    let list = exchange.lists.get(&id).ok_or_else(ApiError::broken)?;
    let reports: Vec<Value> = list
        .orders
        .iter()
        .filter_map(|order| exchange.orders.get(order))
        .map(|order| wire::cancelled(order, cancel_id, now))
        .collect();
    let mut answer = wire::list(exchange, list);
    answer["orderReports"] = Value::Array(reports);
    Ok(answer)
}

/// How a request names an order.
pub(super) struct Wanted {
    number: Option<u64>,
    name: Option<String>,
}

impl Wanted {
    /// Reads number and client order id, of which one has to be there.
    ///
    /// # Errors
    /// -1102 without both.
    pub(super) fn read(
        params: &Params,
        by_number: &str,
        by_name: &str,
    ) -> Result<Wanted, ApiError> {
        let number = params.integer(by_number)?.map(i64::unsigned_abs);
        let name = params.text(by_name).map(str::to_owned);
        if number.is_none() && name.is_none() {
            return Err(ApiError::one_of(by_name, by_number));
        }
        Ok(Wanted { number, name })
    }

    /// The order: of several under one name the open one, else the newest.
    ///
    /// # Errors
    /// -2039 when number and name don't belong together.
    pub(super) fn find<'a>(
        &self,
        exchange: &'a SpotExchange,
        account: &str,
        symbol: &str,
    ) -> Result<Option<&'a SpotOrder>, ApiError> {
        let is_own =
            |order: &&SpotOrder| order.account == account && order.request.symbol == symbol;
        if let Some(number) = self.number {
            let found = exchange.orders.get(&number).filter(is_own);
            let differs = found
                .zip(self.name.as_ref())
                .is_some_and(|(order, name)| order.client_id != *name);
            if differs {
                return Err(ApiError::new(
                    -2039,
                    "Client order ID is not correct for this order ID",
                ));
            }
            return Ok(found);
        }
        let named = || {
            let all = exchange.orders.values().rev().filter(is_own);
            all.filter(|order| self.name.as_ref() == Some(&order.client_id))
        };
        let open = named().find(|order| order.status.is_open());
        Ok(open.or_else(|| named().next()))
    }
}
