//! The requests of the paper face, and the faults that strike them.

use super::state::{Face, Inside};
use super::wire::{OpenBody, OrderBody, OrderView, ReportView, TickBody};
use super::{BODY_BYTES_MAX, WAIT_MILLISECONDS_MAX};
use crate::faces::clock;
use crate::faces::connection::Cutter;
use crate::fault::{Fault, FaultRule, Operation};
use crate::order::Order;
use crate::rejection::{RejectCode, Rejection};
use crate::report::{Report, ReportPage};
use crate::time::Micros;
use crate::venue::CancelError;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

type Shared = State<Arc<Face>>;
type Body = Result<Bytes, BytesRejection>;

/// All routes of the face.
pub(super) fn router(face: Arc<Face>) -> Router {
    Router::new()
        .route("/v1/time", get(time))
        .route("/v1/ticks", post(tick))
        .route("/v1/{account}", put(open_account))
        .route(
            "/v1/{account}/orders",
            post(place).get(open_orders).delete(cancel_all),
        )
        .route(
            "/v1/{account}/orders/{client_order_id}",
            get(find).delete(cancel),
        )
        .route("/v1/{account}/positions", get(positions))
        .route("/v1/{account}/balance", get(balance))
        .route("/v1/{account}/instruments", get(instruments))
        .route("/v1/{account}/reports", get(reports))
        .route("/v1/{account}/audit", get(audit))
        .route(
            "/admin/faults",
            post(add_fault).get(show_faults).delete(clear_faults),
        )
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(face)
}

async fn place(
    State(face): Shared,
    Extension(cutter): Extension<Cutter>,
    Path(account): Path<String>,
    body: Body,
) -> Response {
    let request = match read::<OrderBody>(body).and_then(OrderBody::into_request) {
        Ok(request) => request,
        Err(rejection) => return reject(&rejection),
    };
    with_faults(
        face,
        cutter,
        Operation::Place,
        move |inside, now, _| match inside.place(&account, request, now) {
            Ok(order) => Json(OrderView::of(&order)).into_response(),
            Err(rejection) => reject(&rejection),
        },
    )
    .await
}

async fn find(
    State(face): Shared,
    Extension(cutter): Extension<Cutter>,
    Path((account, client_order_id)): Path<(String, String)>,
) -> Response {
    with_faults(
        face,
        cutter,
        Operation::Find,
        move |inside, _, faults| match inside.venue.find(&account, &client_order_id) {
            Ok(Some(order)) if !faults.contains(&Fault::PretendAbsent) => {
                Json(OrderView::of(order)).into_response()
            }
            Ok(_) => absent(),
            Err(rejection) => error(&rejection),
        },
    )
    .await
}

async fn cancel(
    State(face): Shared,
    Extension(cutter): Extension<Cutter>,
    Path((account, client_order_id)): Path<(String, String)>,
) -> Response {
    with_faults(
        face,
        cutter,
        Operation::Cancel,
        move |inside, now, _| match inside.venue.cancel(&account, &client_order_id, now) {
            Ok(order) => Json(OrderView::of(&order)).into_response(),
            Err(CancelError::UnknownOrder) => absent(),
            Err(CancelError::UnknownAccount) => error(&Rejection::unknown_account(&account)),
            Err(CancelError::AlreadyClosed(order)) => {
                let message = format!("order {} has ended already", order.request.client_order_id);
                let order = OrderView::of(&order);
                let error = json!({"code": "already_closed", "message": message});
                let body = json!({"error": error, "order": order});
                (StatusCode::CONFLICT, Json(body)).into_response()
            }
        },
    )
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelAllQuery {
    symbol: Option<String>,
}

async fn cancel_all(
    State(face): Shared,
    Extension(cutter): Extension<Cutter>,
    Path(account): Path<String>,
    query: Result<Query<CancelAllQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(CancelAllQuery { symbol })) = query else {
        return error(&malformed("query is not ?symbol="));
    };
    with_faults(face, cutter, Operation::Cancel, move |inside, now, _| {
        let cancelled = inside.venue.cancel_all(&account, symbol.as_deref(), now);
        cancelled.map_or_else(
            |rejection| error(&rejection),
            |orders| orders_answer(orders.iter()),
        )
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportsQuery {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

/// With a wait this is the live delivery, with its faults; without one it is the reading of a gap, which is complete.
async fn reports(
    State(face): Shared,
    Extension(cutter): Extension<Cutter>,
    Path(account): Path<String>,
    query: Result<Query<ReportsQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return error(&malformed("query is not ?after=N&wait_ms=M"));
    };
    if query.wait_ms > WAIT_MILLISECONDS_MAX {
        return error(&malformed(&format!(
            "wait_ms {} is above {WAIT_MILLISECONDS_MAX}",
            query.wait_ms
        )));
    }
    let Some(faults) = face
        .lock()
        .map(|mut inside| inside.faults.next(Operation::Reports))
    else {
        return broken();
    };
    if let Some(early) = before(&faults).await {
        return settle(early, &cutter).await;
    }
    let answer = match wait_for_reports(&face, &account, &query).await {
        Ok((reports, page)) => {
            let views: Vec<ReportView> = reports.iter().map(ReportView::of).collect();
            let (oldest, newest, gone) = (page.oldest, page.newest, page.some_are_gone);
            Json(json!({"reports": views, "oldest": oldest, "newest": newest, "some_are_gone": gone})).into_response()
        }
        Err(answer) => *answer,
    };
    settle(after(&faults, answer), &cutter).await
}

async fn wait_for_reports(
    face: &Face,
    account: &str,
    query: &ReportsQuery,
) -> Result<(Vec<Report>, ReportPage), Box<Response>> {
    let deadline = clock::instant() + Duration::from_millis(query.wait_ms);
    let mut changes = face.changes.subscribe();
    let mut stopping = face.stopping.subscribe();
    loop {
        let now = clock::now();
        let (delivered, page, next_due) = {
            let mut inside = face.lock().ok_or_else(|| Box::new(broken()))?;
            let inside = &mut *inside;
            let page = inside
                .venue
                .reports_after(account, query.after)
                .map_err(|rejection| Box::new(error(&rejection)))?;
            if query.wait_ms == 0 {
                return Ok((page.reports.clone(), page));
            }
            let delivery = inside.deliveries.entry(account.to_owned()).or_default();
            let delivered = delivery.deliver(&mut inside.faults, &page.reports, now);
            (delivered, page, delivery.next_due())
        };
        if !delivered.is_empty() || clock::instant() >= deadline || *stopping.borrow_and_update() {
            return Ok((delivered, page));
        }
        let due_in = next_due
            .map(|due| Duration::from_micros(due.0.saturating_sub(now.0).max(0).unsigned_abs()));
        let wake_at = due_in.map_or(deadline, |due_in| deadline.min(clock::instant() + due_in));
        tokio::select! {
            _ = changes.changed() => {}
            _ = stopping.changed() => {}
            () = tokio::time::sleep_until(wake_at) => {}
        }
    }
}

async fn open_account(State(face): Shared, Path(account): Path<String>, body: Body) -> Response {
    let body = match read::<OpenBody>(body) {
        Ok(body) => body,
        Err(rejection) => return error(&rejection),
    };
    with_venue(&face, |inside, _| {
        if !inside.venue.has_account(&account)
            && let Err(rejection) =
                inside
                    .venue
                    .open_account(&account, &body.currency, body.balance.0)
        {
            return error(&rejection);
        }
        answer(inside.venue.balance(&account))
    })
}

async fn open_orders(State(face): Shared, Path(account): Path<String>) -> Response {
    with_venue(&face, |inside, _| {
        let open = inside.venue.open_orders(&account);
        open.map_or_else(
            |rejection| error(&rejection),
            |orders| orders_answer(orders.into_iter()),
        )
    })
}

async fn positions(State(face): Shared, Path(account): Path<String>) -> Response {
    with_venue(&face, |inside, _| {
        answer(
            inside
                .venue
                .positions(&account)
                .map(|positions| json!({"positions": positions})),
        )
    })
}

async fn balance(State(face): Shared, Path(account): Path<String>) -> Response {
    with_venue(&face, |inside, _| answer(inside.venue.balance(&account)))
}

async fn instruments(State(face): Shared, Path(account): Path<String>) -> Response {
    with_venue(&face, |inside, _| {
        if !inside.venue.has_account(&account) {
            return error(&Rejection::unknown_account(&account));
        }
        let instruments: Vec<_> = inside.venue.instruments().collect();
        let default_instrument = inside.venue.default_instrument();
        Json(json!({"instruments": instruments, "default_instrument": default_instrument}))
            .into_response()
    })
}

async fn audit(State(face): Shared, Path(account): Path<String>) -> Response {
    with_venue(&face, |inside, _| {
        let venue = &inside.venue;
        let all = venue.all_orders(&account).and_then(|(orders, forgotten)| {
            let views: Vec<OrderView> = orders.into_iter().map(OrderView::of).collect();
            let (positions, balance) = (venue.positions(&account)?, venue.balance(&account)?);
            Ok(json!({"orders": views, "forgotten_orders": forgotten, "positions": positions, "balance": balance}))
        });
        answer(all)
    })
}

async fn tick(State(face): Shared, body: Body) -> Response {
    let body = match read::<TickBody>(body) {
        Ok(body) => body,
        Err(rejection) => return error(&rejection),
    };
    let response = with_venue(&face, |inside, now| {
        answer(
            inside
                .tick(&body.symbol, body.price.0, now)
                .map(|()| json!({})),
        )
    });
    face.announce();
    response
}

async fn time() -> Response {
    Json(json!({"time_micros": clock::now()})).into_response()
}

async fn add_fault(State(face): Shared, body: Body) -> Response {
    let rule = match read::<FaultRule>(body) {
        Ok(rule) => rule,
        Err(rejection) => return error(&rejection),
    };
    with_venue(&face, |inside, _| {
        answer(
            inside
                .faults
                .add(rule)
                .map(|()| json!({"faults": inside.faults.rules()})),
        )
    })
}

async fn show_faults(State(face): Shared) -> Response {
    with_venue(&face, |inside, _| {
        Json(json!({"faults": inside.faults.rules()})).into_response()
    })
}

async fn clear_faults(State(face): Shared) -> Response {
    with_venue(&face, |inside, _| {
        inside.faults.clear();
        Json(json!({"faults": []})).into_response()
    })
}

/// Does what a request asks for, with the faults that strike it. The work goes on when the client has given up: an
/// order that is under way at a broker arrives.
async fn with_faults<W>(face: Arc<Face>, cutter: Cutter, operation: Operation, work: W) -> Response
where
    W: FnOnce(&mut Inside, Micros, &[Fault]) -> Response + Send + 'static,
{
    let Some(faults) = face.lock().map(|mut inside| inside.faults.next(operation)) else {
        return broken();
    };
    let task = tokio::spawn(async move {
        if let Some(early) = before(&faults).await {
            return early;
        }
        let answer = with_venue(&face, |inside, now| work(inside, now, &faults));
        face.announce();
        after(&faults, answer)
    });
    // A task that panicked has poisoned the lock.
    let outcome = task.await.unwrap_or_else(|_| Outcome::Answer(broken()));
    settle(outcome, &cutter).await
}

/// How a request ends.
enum Outcome {
    Answer(Response),
    Cut,
}

async fn settle(outcome: Outcome, cutter: &Cutter) -> Response {
    match outcome {
        Outcome::Answer(response) => response,
        Outcome::Cut => cutter.cut().await,
    }
}

/// The faults that strike before the work: an outcome if there is to be no work at all.
async fn before(faults: &[Fault]) -> Option<Outcome> {
    for fault in faults {
        if let Fault::Delay { milliseconds } = fault {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
    }
    if faults.contains(&Fault::DisconnectBefore) {
        return Some(Outcome::Cut);
    }
    let rejection = || {
        reject(&Rejection::new(
            RejectCode::Injected,
            "rejected by the fault plan",
        ))
    };
    faults
        .contains(&Fault::Reject)
        .then(|| Outcome::Answer(rejection()))
}

/// The faults that strike after the work.
fn after(faults: &[Fault], answer: Response) -> Outcome {
    if faults.contains(&Fault::AcceptThenDisconnect) {
        return Outcome::Cut;
    }
    if faults.contains(&Fault::ErrorAfterAccept) {
        return Outcome::Answer(internal("the fault plan answers with an error"));
    }
    Outcome::Answer(answer)
}

fn with_venue(face: &Face, work: impl FnOnce(&mut Inside, Micros) -> Response) -> Response {
    face.lock()
        .map_or_else(broken, |mut inside| work(&mut inside, clock::now()))
}

fn read<T: DeserializeOwned>(body: Body) -> Result<T, Rejection> {
    let bytes = body.map_err(|_| {
        malformed(&format!(
            "body is longer than {BODY_BYTES_MAX} bytes or broke off"
        ))
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| malformed(&format!("body can't be read: {error}")))
}

fn malformed(message: &str) -> Rejection {
    Rejection::new(RejectCode::Malformed, message)
}

fn orders_answer<'a>(orders: impl Iterator<Item = &'a Order>) -> Response {
    let views: Vec<OrderView> = orders.map(OrderView::of).collect();
    Json(json!({"orders": views})).into_response()
}

fn answer<T: serde::Serialize>(outcome: Result<T, Rejection>) -> Response {
    outcome.map_or_else(
        |rejection| error(&rejection),
        |body| Json(body).into_response(),
    )
}

fn absent() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"absent": true}))).into_response()
}

fn reject(rejection: &Rejection) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"reject": rejection}))).into_response()
}

fn error(rejection: &Rejection) -> Response {
    let status = if rejection.code == RejectCode::UnknownAccount {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::BAD_REQUEST
    };
    (status, Json(json!({"error": rejection}))).into_response()
}

fn internal(message: &str) -> Response {
    let body = json!({"error": {"code": "internal", "message": message}});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

fn broken() -> Response {
    internal("an invariant of the venue broke, nothing it says can be trusted")
}
