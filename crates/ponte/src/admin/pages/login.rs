//! Signing in and out.

use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::html::{Html, html};
use super::words::Language;
use super::{HOME, Pages, frame, to};
use crate::admin::auth::{Actor, Outcome, Visit, cookies};

/// How long the step between password and code lasts at the browser; Ponte's own limit is the same.
const STEP_LASTS: std::time::Duration = std::time::Duration::from_secs(5 * 60);

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    out: Option<String>,
}

pub(super) async fn form(
    Extension(actor): Extension<Actor>,
    Query(said): Query<Said>,
    headers: HeaderMap,
) -> Response {
    if matches!(actor, Actor::User(_)) {
        return to(HOME);
    }
    let language = Language::of(&headers);
    let note = said
        .out
        .map(|_| Note::good(language.words().done_signed_out));
    password_page(language, note).into_response()
}

#[derive(Deserialize)]
pub(super) struct Password {
    user: String,
    password: String,
}

pub(super) async fn password(
    Shared(pages): Shared<Pages>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    form: Result<Form<Password>, FormRejection>,
) -> Response {
    let language = Language::of(&headers);
    let words = language.words();
    let Ok(Form(form)) = form else {
        let page = password_page(language, Some(Note::bad(words.wrong)));
        return (StatusCode::BAD_REQUEST, page).into_response();
    };
    let outcome = pages
        .remote
        .with_password(&visit, &form.user, Zeroizing::new(form.password))
        .await;
    let again = |status: StatusCode, text: &str| {
        (status, password_page(language, Some(Note::bad(text)))).into_response()
    };
    match outcome {
        Outcome::SignedIn { .. } => signed_in(outcome),
        Outcome::CodeNeeded(id) => {
            let mut response = to("/login/code");
            cookies::set(response.headers_mut(), cookies::HALF_WAY, &id, STEP_LASTS);
            response
        }
        Outcome::Wrong => again(StatusCode::UNAUTHORIZED, words.wrong),
        Outcome::Wait(wait) => again(StatusCode::TOO_MANY_REQUESTS, &language.wait(wait)),
        Outcome::Busy => again(StatusCode::SERVICE_UNAVAILABLE, words.busy),
        Outcome::TooLate => again(StatusCode::UNAUTHORIZED, words.too_late),
    }
}

pub(super) async fn code_form(headers: HeaderMap) -> Response {
    if cookies::read(&headers, cookies::HALF_WAY).is_none() {
        return to(super::SIGN_IN);
    }
    code_page(Language::of(&headers), None).into_response()
}

#[derive(Deserialize)]
pub(super) struct Code {
    code: String,
}

pub(super) async fn code(
    Shared(pages): Shared<Pages>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    form: Result<Form<Code>, FormRejection>,
) -> Response {
    let language = Language::of(&headers);
    let words = language.words();
    let again = |status: StatusCode, text: &str| {
        (status, code_page(language, Some(Note::bad(text)))).into_response()
    };
    let Ok(Form(form)) = form else {
        return again(StatusCode::BAD_REQUEST, words.wrong_code);
    };
    let outcome = pages
        .remote
        .with_code(&visit, &Zeroizing::new(form.code))
        .await;
    match outcome {
        Outcome::SignedIn { .. } => signed_in(outcome),
        Outcome::Wrong => again(StatusCode::UNAUTHORIZED, words.wrong_code),
        Outcome::Wait(wait) => again(StatusCode::TOO_MANY_REQUESTS, &language.wait(wait)),
        Outcome::Busy => again(StatusCode::SERVICE_UNAVAILABLE, words.busy),
        Outcome::TooLate | Outcome::CodeNeeded(_) => {
            let page = password_page(language, Some(Note::bad(words.too_late)));
            let mut response = (StatusCode::UNAUTHORIZED, page).into_response();
            cookies::remove(response.headers_mut(), cookies::HALF_WAY);
            response
        }
    }
}

/// Gives the browser what it carries from now on.
fn signed_in(outcome: Outcome) -> Response {
    let mut response = to(HOME);
    if let Outcome::SignedIn {
        session,
        lasts,
        device,
    } = outcome
    {
        let headers = response.headers_mut();
        cookies::set(headers, cookies::SESSION, &session, lasts);
        if let Some(device) = device {
            cookies::set(headers, cookies::DEVICE, &device, cookies::DEVICE_LASTS);
        }
        cookies::remove(headers, cookies::HALF_WAY);
    }
    response
}

pub(super) async fn sign_out(
    Shared(pages): Shared<Pages>,
    Extension(visit): Extension<Visit>,
) -> Response {
    pages.remote.sign_out(&visit).await;
    let mut response = to("/login?out=1");
    cookies::remove(response.headers_mut(), cookies::SESSION);
    response
}

/// One sentence above a form.
pub(super) struct Note {
    class: &'static str,
    text: String,
}

impl Note {
    pub(super) fn good(text: &str) -> Self {
        Self {
            class: "good",
            text: text.to_owned(),
        }
    }

    pub(super) fn bad(text: &str) -> Self {
        Self {
            class: "bad",
            text: text.to_owned(),
        }
    }

    pub(super) fn html(&self) -> Html {
        html!("<p class=\"note " {self.class} "\" role=\"status\">" {self.text} "</p>")
    }
}

fn password_page(language: Language, note: Option<Note>) -> Html {
    let words = language.words();
    let card = html!(
        "<main class=\"narrow\"><section class=\"card\"><h1>" {words.sign_in} "</h1>"
        {note.map(|note| note.html())}
        "<form method=\"post\" action=\"/login\"><label>" {words.user}
        "<input name=\"user\" required maxlength=\"32\" autocomplete=\"username\" autocapitalize=\"none\""
        " autocorrect=\"off\" spellcheck=\"false\" autofocus></label><label>" {words.password}
        "<input name=\"password\" type=\"password\" required maxlength=\"256\""
        " autocomplete=\"current-password\"></label>"
        "<button class=\"primary\">" {words.continue_} "</button></form></section></main>"
    );
    frame(language, None, words.sign_in, &card)
}

fn code_page(language: Language, note: Option<Note>) -> Html {
    let words = language.words();
    let card = html!(
        "<main class=\"narrow\"><section class=\"card\"><h1>" {words.code} "</h1>"
        {note.map(|note| note.html())}
        "<form method=\"post\" action=\"/login/code\"><label>" {words.code_hint}
        "<input class=\"code\" name=\"code\" required maxlength=\"20\" autocomplete=\"one-time-code\""
        " autocapitalize=\"none\" autocorrect=\"off\" spellcheck=\"false\" autofocus></label>"
        "<button class=\"primary\">" {words.sign_in} "</button></form>"
        "<a class=\"aside\" href=\"/login\">" {words.start_again} "</a></section></main>"
    );
    frame(language, None, words.code, &card)
}
