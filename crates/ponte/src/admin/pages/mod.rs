//! The owner's phone in an emergency: how Ponte is, and the kill switch. Without any script.

mod home;
mod html;
mod login;
mod overview;
mod sessions;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::auth::{Access, Remote, Role, Routes, SignedIn, cookies};
use super::{Admin, ApiError};
use html::{Html, html};
use words::Language;

/// How long the choice of a language lasts.
const LANGUAGE_LASTS: Duration = Duration::from_secs(365 * 86_400);
const STYLE: &str = include_str!("style.css");
const HOME: &str = "/";
const SIGN_IN: &str = "/login";

/// What the pages can reach.
#[derive(Clone)]
pub(super) struct Pages {
    pub(super) admin: Admin,
    pub(super) remote: Arc<Remote>,
}

/// The pages, each with who may open it.
pub(super) fn routes() -> Routes<Pages> {
    const VIEW: Access = Access::Page(Role::View);
    const OPERATE: Access = Access::Page(Role::Operate);
    Routes::new()
        .get("/style.css", Access::Open, style)
        .get("/language/{code}", Access::Open, language)
        .get(SIGN_IN, Access::Open, login::form)
        .post(SIGN_IN, Access::Open, login::password)
        .get("/login/code", Access::Open, login::code_form)
        .post("/login/code", Access::Open, login::code)
        .post("/sign-out", VIEW, login::sign_out)
        .get(HOME, VIEW, home::page)
        .post("/halt", OPERATE, home::halt)
        .get("/resume", OPERATE, home::resume_form)
        .post("/resume", OPERATE, home::resume)
        .get("/sessions", VIEW, sessions::page)
        .post("/sessions/end", VIEW, sessions::end)
}

async fn style() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, STYLE).into_response()
}

/// Chooses a language. Nothing but the words changes, so that anybody may lead anybody here.
async fn language(Path(code): Path<String>) -> Response {
    let mut response = to(HOME);
    if let Some(language) = Language::of_code(&code) {
        let headers = response.headers_mut();
        cookies::set(headers, cookies::LANGUAGE, language.code(), LANGUAGE_LASTS);
    }
    response
}

/// Leads to another page, after something was done.
fn to(path: &'static str) -> Response {
    let place = [(header::LOCATION, HeaderValue::from_static(path))];
    (StatusCode::SEE_OTHER, place).into_response()
}

/// What a page's handler came to.
fn answer(whole: Result<Response, ApiError>, headers: &HeaderMap) -> Response {
    whole.unwrap_or_else(|error| refused(&error, headers))
}

/// Leads to the sign-in.
pub(super) fn to_sign_in() -> Response {
    to(SIGN_IN)
}

/// Says to a person why something was not done.
pub(super) fn refused(error: &ApiError, headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let words = language.words();
    let text = if let ApiError::TooOften(wait) = error {
        language.wait(*wait)
    } else {
        error.to_string()
    };
    let card = html!(
        "<main class=\"narrow\"><section class=\"card\"><h1>" {words.problem} "</h1><p>" {text} "</p>"
        "<a class=\"button\" href=\"/\">" {words.back} "</a></section></main>"
    );
    let mut response =
        (error.status(), frame(language, None, words.problem, &card)).into_response();
    error.mark(&mut response);
    response
}

/// A whole page.
fn frame(language: Language, who: Option<&SignedIn>, title: &str, content: &Html) -> Html {
    html!(
        "<!doctype html><html lang=\"" {language.tag()} "\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta name=\"robots\" content=\"noindex\"><meta name=\"color-scheme\" content=\"light dark\">"
        "<title>" {title} " · Ponte</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body>"
        {bar(language, who)} {content} "</body></html>"
    )
}

fn bar(language: Language, who: Option<&SignedIn>) -> Html {
    let words = language.words();
    let (other, name) = language.other();
    let menu = who.map(|who| {
        html!(
            "<a href=\"/sessions\">" {who.user} " <small>" {role(language, who.role)} "</small></a>"
            "<form method=\"post\" action=\"/sign-out\">" {csrf(who)}
            "<button class=\"quiet\">" {words.sign_out} "</button></form>"
        )
    });
    html!(
        "<header class=\"bar\"><a class=\"brand\" href=\"/\">"
        "<svg viewBox=\"0 0 32 20\" width=\"32\" height=\"20\" aria-hidden=\"true\">"
        "<path d=\"M1 13h30M6 3v16M26 3v16M1 9c3 0 5-3 5-6 0 12 20 12 20 0 0 3 2 6 5 6\"/></svg>Ponte</a>"
        "<nav><a href=\"/language/" {other.code()} "\" lang=\"" {other.tag()} "\">" {name} "</a>"
        {menu} "</nav></header>"
    )
}

const fn role(language: Language, role: Role) -> &'static str {
    match role {
        Role::View => language.words().roles[0],
        Role::Operate => language.words().roles[1],
    }
}

/// What every form that changes anything brings along.
fn csrf(who: &SignedIn) -> Html {
    html!("<input type=\"hidden\" name=\"csrf\" value=\"" {who.csrf} "\">")
}
