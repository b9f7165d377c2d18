//! One call over the wire: read, with the faults that strike it, answered or cut.

use super::calls::{self, Answer, Call};
use super::codes::{LastError, Retcode};
use super::faults::Fault;
use super::state::Face;
use crate::faces::connection::Cutter;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallBody {
    function: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

/// How a call ends.
enum End {
    Answered(Answer),
    /// Later than it was done.
    AnsweredAfter(Answer, u64),
    Cut,
    Broken,
}

/// `POST /terminal/call`.
pub(super) async fn answer(
    State(face): State<Arc<Face>>,
    Extension(cutter): Extension<Cutter>,
    body: Bytes,
) -> Response {
    let call: CallBody = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(error) => return refused(&format!("body can't be read: {error}")),
    };
    if !calls::is_known(&call.function) {
        return refused(&format!("function {} is not known", call.function));
    }
    match carry_out(&face, &call.function, call.arguments) {
        End::Answered(answer) => written(StatusCode::OK, &answer),
        End::AnsweredAfter(answer, milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            written(StatusCode::OK, &answer)
        }
        End::Cut => cutter.cut().await,
        End::Broken => refused("an invariant of the stand-in broke"),
    }
}

fn carry_out(face: &Arc<Face>, function: &str, arguments: Map<String, Value>) -> End {
    let Some(mut inside) = face.lock() else {
        return End::Broken;
    };
    *inside.calls.entry(function.to_owned()).or_default() += 1;
    let mut call = Call {
        arguments,
        ..Call::default()
    };
    let fault = inside.faults.next(function, symbol_of(&call));
    let mut hang = None;
    match fault {
        None => {}
        Some(Fault::DropBefore) => return End::Cut,
        Some(Fault::DropAfter) => {
            calls::perform(&mut inside, function, &call);
            return End::Cut;
        }
        Some(Fault::NoValue(code)) => return End::Answered(Answer::none(LastError::of(code))),
        Some(Fault::NoValueAfter(code)) => {
            calls::perform(&mut inside, function, &call);
            return End::Answered(Answer::none(LastError::of(code)));
        }
        Some(Fault::Retcode(code)) => {
            return End::Answered(calls::false_result(&mut inside, &call, Retcode(code)));
        }
        Some(Fault::RetcodeAfter(code)) => {
            calls::perform(&mut inside, function, &call);
            return End::Answered(calls::false_result(&mut inside, &call, Retcode(code)));
        }
        // What the terminal itself refuses never leaves it.
        Some(Fault::Delay(_)) if inside.terminal.refusal().is_some() => {}
        Some(Fault::Delay(milliseconds)) => {
            let answer = calls::false_result(&mut inside, &call, Retcode::TIMEOUT);
            arrive_later(Arc::clone(face), call, milliseconds);
            return End::Answered(answer);
        }
        Some(Fault::Comment(comment)) => call.comment = Some(comment),
        Some(Fault::Partial(share)) => call.share = Some(share),
        Some(Fault::HistoryLag(milliseconds)) => {
            call.history_lag = i64::try_from(milliseconds).unwrap_or(i64::MAX);
        }
        Some(Fault::Hang(milliseconds)) => hang = Some(milliseconds),
    }
    let answer = calls::perform(&mut inside, function, &call);
    match hang {
        Some(milliseconds) => End::AnsweredAfter(answer, milliseconds),
        None => End::Answered(answer),
    }
}

/// Has a request reach the trade server later, whatever has become of the connection and the terminal.
fn arrive_later(face: Arc<Face>, call: Call, milliseconds: u64) {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        if let Some(mut inside) = face.lock() {
            calls::arrive(&mut inside, &call);
        }
    });
}

/// The symbol that a call is about, if it says.
fn symbol_of(call: &Call) -> &str {
    let request = call.arguments.get("request").and_then(Value::as_object);
    let named = request.unwrap_or(&call.arguments).get("symbol");
    named.and_then(Value::as_str).unwrap_or_default()
}

fn refused(message: &str) -> Response {
    written(StatusCode::BAD_REQUEST, &json!({"error": message}))
}

/// An answer in JSON.
pub(super) fn written(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    match serde_json::to_string(body) {
        Ok(text) => (status, headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
