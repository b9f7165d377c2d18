//! One's own sessions, each with its end.

use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use super::html::{Html, html};
use super::login::Note;
use super::words::Language;
use super::{Pages, answer, csrf, frame, to};
use crate::admin::ApiError;
use crate::admin::auth::{Actor, SignedIn};
use crate::clock;

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
    let whole = signed_in(&actor).map(|who| list(&pages, who, &said, &headers).into_response());
    answer(whole, &headers)
}

fn list(pages: &Pages, who: &SignedIn, said: &Said, headers: &HeaderMap) -> Html {
    let language = Language::of(headers);
    let words = language.words();
    let now = clock::now();
    let mut rows = Vec::new();
    for session in pages.remote.sessions_of(&who.user) {
        let mine = session.name == who.session;
        let end = if mine {
            html!("<span class=\"badge good\">" {words.this_one} "</span>")
        } else {
            html!(
                "<form method=\"post\" action=\"/sessions/end\">" {csrf(who)}
                "<input type=\"hidden\" name=\"session\" value=\"" {session.name} "\">"
                "<button class=\"small\">" {words.end} "</button></form>"
            )
        };
        rows.push(html!(
            "<li class=\"row\"><div><b>" {browser(&session.agent)} "</b><small>" {session.from} " · "
            {words.since} " " {day_and_time(session.begun_at)} " · " {words.last_seen} " "
            {language.ago(now.since(session.seen_at))} "</small></div>" {end} "</li>"
        ));
    }
    let others = (rows.len() > 1).then(|| {
        html!(
            "<form method=\"post\" action=\"/sessions/end\">" {csrf(who)}
            "<button>" {words.end_others} "</button></form>"
        )
    });
    let content = html!(
        "<main class=\"narrow wide\">" {said.done.as_ref().map(|_| Note::good(words.done_session).html())}
        "<section class=\"card\"><h1>" {words.sessions} "</h1><p class=\"dim\">" {words.sessions_note}
        "</p><ul class=\"rows\">" {rows} "</ul>" {others} "</section></main>"
    );
    frame(language, Some(who), words.sessions, &content)
}

#[derive(Deserialize)]
pub(super) struct End {
    #[serde(default)]
    session: Option<String>,
}

pub(super) async fn end(
    Shared(pages): Shared<Pages>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    form: Result<Form<End>, FormRejection>,
) -> Response {
    let done = async {
        let who = signed_in(&actor)?;
        let Form(form) = form.map_err(|error| ApiError::Bad {
            message: error.body_text(),
            field: None,
        })?;
        // A name that is nobody's ends nothing; it goes no further than that.
        let named = form.session.as_deref();
        let ended = pages
            .remote
            .end_sessions(&who.user, &who.session, named)
            .await;
        Ok(to(if ended > 0 {
            "/sessions?done=1"
        } else {
            "/sessions"
        }))
    };
    answer(done.await, &headers)
}

/// The user of a page; the gate lets nobody else through to one.
pub(super) fn signed_in(actor: &Actor) -> Result<&SignedIn, ApiError> {
    match actor {
        Actor::User(who) => Ok(who),
        Actor::Local | Actor::Nobody | Actor::Token { .. } => Err(ApiError::NotSignedIn),
    }
}

/// The day and the minute in UTC.
pub(super) fn day_and_time(at: ponte_core::time::Timestamp) -> String {
    let text = at.to_string();
    let day_and_time = text.get(..16).unwrap_or(&text);
    format!("{} UTC", day_and_time.replace('T', " "))
}

/// What a browser calls itself, as people call it; the order matters, for each claims to be others too.
fn browser(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => {
            let start: String = agent.chars().take(40).collect();
            if start.is_empty() {
                "?".to_owned()
            } else {
                start
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_have_names() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
                "Firefox, Linux",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "?"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }
}
