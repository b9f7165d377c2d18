//! The page after the sign-in: how Ponte is, and the kill switch.

use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Form};
use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::id::{AccountName, StrategyName, Symbol};
use serde::Deserialize;

use super::html::{Html, html};
use super::login::Note;
use super::overview::{self, Overview};
use super::sessions::signed_in;
use super::words::{Language, Words};
use super::{Pages, answer, csrf, frame, to};
use crate::admin::auth::{Actor, Role, SignedIn};
use crate::admin::wire::{HaltRequest, ScopeRequest};
use crate::admin::{ApiError, control};

/// The levels in their order, by their words in forms.
const LEVELS: [(&str, HaltLevel); 4] = [
    ("block_entries", HaltLevel::BlockEntries),
    ("cancel_working", HaltLevel::CancelWorking),
    ("reduce_only", HaltLevel::ReduceOnly),
    ("flatten", HaltLevel::Flatten),
];

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    done: Option<String>,
}

pub(super) async fn page(
    Shared(pages): Shared<Pages>,
    Extension(actor): Extension<Actor>,
    Query(said): Query<Said>,
    headers: HeaderMap,
) -> Response {
    let whole = async {
        let who = signed_in(&actor)?;
        let language = Language::of(&headers);
        let words = language.words();
        let seen = Overview::of(&pages.admin).await?;
        let note = match said.done.as_deref() {
            Some("halt") => Some(Note::good(words.done_halt)),
            Some("resume") => Some(Note::good(words.done_resume)),
            Some("nothing") => Some(Note::good(words.done_nothing)),
            Some(_) | None => None,
        };
        let may_operate = who.role >= Role::Operate;
        let switch = if may_operate {
            kill_switch(words, who, &seen)
        } else {
            html!("<section class=\"card\"><p class=\"dim\">" {words.view_only} "</p></section>")
        };
        let content = html!(
            "<main class=\"grid\"><div class=\"column\">" {note.map(|note| note.html())}
            {overview::state(language, &seen, may_operate)} {switch} "</div><div class=\"column\">"
            {overview::accounts(language, &seen)} {overview::positions(language, &seen)}
            {overview::orders(language, &seen)} {overview::alerts(language, &seen)} "</div></main>"
            {overview::foot(language, &seen)}
        );
        Ok(frame(language, Some(who), seen.title(words), &content).into_response())
    };
    answer(whole.await, &headers)
}

fn kill_switch(words: &Words, who: &SignedIn, seen: &Overview) -> Html {
    let levels = LEVELS.iter().zip(&words.levels).enumerate();
    let levels: Vec<Html> = levels
        .map(|(index, ((value, _), (name, meaning)))| {
            let checked = if index == 0 { html!(" checked") } else { Html::new() };
            html!(
                "<label class=\"choice\"><input type=\"radio\" name=\"level\" value=\"" {*value} "\""
                {checked} "><span><b>" {*name} "</b><small>" {*meaning} "</small></span></label>"
            )
        })
        .collect();
    let accounts = seen.status.accounts.iter();
    let accounts: Vec<Html> = accounts
        .map(|account| {
            let name = account.name.as_str();
            html!(
                "<option value=\"account " {name} "\">" {words.account} " " {name} "</option>"
            )
        })
        .collect();
    html!(
        "<section class=\"card danger\"><h2>" {words.kill_switch} "</h2>"
        "<form method=\"post\" action=\"/halt\">" {csrf(who)}
        "<fieldset><legend>" {words.how_much} "</legend>" {levels} "</fieldset>"
        "<label>" {words.what} "<select name=\"scope\"><option value=\"global\">" {words.everything}
        "</option>" {accounts} "</select></label><label>" {words.reason}
        "<input name=\"reason\" maxlength=\"200\" placeholder=\"" {words.reason_hint} "\"></label>"
        "<button class=\"alarm\">" {words.halt} "</button></form></section>"
    )
}

#[derive(Deserialize)]
pub(super) struct HaltForm {
    scope: String,
    level: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirmed: bool,
}

pub(super) async fn halt(
    Shared(pages): Shared<Pages>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    form: Result<Form<HaltForm>, FormRejection>,
) -> Response {
    let done = async {
        let who = signed_in(&actor)?;
        let form = read(form)?;
        let scope = scope_of(&form.scope)?;
        let level = LEVELS.iter().find(|(word, _)| *word == form.level);
        let Some((_, level)) = level else {
            return Err(ApiError::bad("level", "there is no such level"));
        };
        if *level == HaltLevel::Flatten && !form.confirmed {
            let language = Language::of(&headers);
            return Ok(flatten_question(language, who, &form, &scope).into_response());
        }
        let request = HaltRequest {
            scope,
            level: *level,
            reason: Some(form.reason).filter(|reason| !reason.trim().is_empty()),
            by: String::new(),
        };
        let operated = control::set_halt(&pages.admin, &actor, request).await?;
        Ok(to(if operated.changed {
            "/?done=halt"
        } else {
            "/?done=nothing"
        }))
    };
    answer(done.await, &headers)
}

/// Positions are closed after a second look only.
fn flatten_question(language: Language, who: &SignedIn, form: &HaltForm, scope: &Scope) -> Html {
    let words = language.words();
    let content = html!(
        "<main class=\"narrow\"><section class=\"card danger\"><h1>" {words.flatten_question} "</h1>"
        "<p class=\"scope\">" {overview::scope(words, scope)} "</p>"
        "<form method=\"post\" action=\"/halt\">" {csrf(who)}
        "<input type=\"hidden\" name=\"scope\" value=\"" {form.scope} "\">"
        "<input type=\"hidden\" name=\"level\" value=\"flatten\">"
        "<input type=\"hidden\" name=\"reason\" value=\"" {form.reason} "\">"
        "<input type=\"hidden\" name=\"confirmed\" value=\"true\">"
        "<button class=\"alarm\">" {words.flatten_yes} "</button></form>"
        "<a class=\"button\" href=\"/\">" {words.cancel} "</a></section></main>"
    );
    frame(language, Some(who), words.halt, &content)
}

#[derive(Deserialize)]
pub(super) struct ScopeForm {
    scope: String,
}

pub(super) async fn resume_form(
    Extension(actor): Extension<Actor>,
    Query(asked): Query<ScopeForm>,
    headers: HeaderMap,
) -> Response {
    let whole = || {
        let who = signed_in(&actor)?;
        let scope = scope_of(&asked.scope)?;
        let language = Language::of(&headers);
        let words = language.words();
        let content = html!(
            "<main class=\"narrow\"><section class=\"card\"><h1>" {words.resume_question} "</h1>"
            "<p class=\"scope\">" {overview::scope(words, &scope)} "</p>"
            "<form method=\"post\" action=\"/resume\">" {csrf(who)}
            "<input type=\"hidden\" name=\"scope\" value=\"" {asked.scope} "\">"
            "<button class=\"primary\">" {words.resume_yes} "</button></form>"
            "<a class=\"button\" href=\"/\">" {words.cancel} "</a></section></main>"
        );
        Ok(frame(language, Some(who), words.resume, &content).into_response())
    };
    answer(whole(), &headers)
}

pub(super) async fn resume(
    Shared(pages): Shared<Pages>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    form: Result<Form<ScopeForm>, FormRejection>,
) -> Response {
    let done = async {
        let request = ScopeRequest {
            scope: scope_of(&read(form)?.scope)?,
            by: String::new(),
        };
        let operated = control::lift_halt(&pages.admin, &actor, request).await?;
        Ok(to(if operated.changed {
            "/?done=resume"
        } else {
            "/?done=nothing"
        }))
    };
    answer(done.await, &headers)
}

fn read<T>(form: Result<Form<T>, FormRejection>) -> Result<T, ApiError> {
    form.map(|Form(form)| form).map_err(|error| ApiError::Bad {
        message: error.body_text(),
        field: None,
    })
}

/// A scope as forms and links carry it: `global`, `account NAME`, `strategy NAME`, `symbol NAME`.
fn scope_of(text: &str) -> Result<Scope, ApiError> {
    let wrong = |message: String| ApiError::bad("scope", message);
    if text == "global" {
        return Ok(Scope::Global);
    }
    let (kind, name) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "account" => AccountName::new(name).map(Scope::Account),
        "strategy" => StrategyName::new(name).map(Scope::Strategy),
        "symbol" => Symbol::new(name).map(Scope::Symbol),
        _ => return Err(wrong("there is no such scope".to_owned())),
    }
    .map_err(|error| wrong(format!("the {kind} {error}")))
}
