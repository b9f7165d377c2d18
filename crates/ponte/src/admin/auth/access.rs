//! What each route asks of whoever calls it. A route can't be added without saying so.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{get, post};

use super::actor::Role;

/// Who may call a route on the address beyond loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody: it tells nothing and changes nothing without a password.
    Open,
    /// A user in a session, or a token.
    Api(Role),
    /// A user in a session; others are led to the sign-in.
    Page(Role),
    /// Nobody: it is for programs of this machine, on the loopback address.
    Local,
}

/// A route with what it asks for, as tests and documents list it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteAccess {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path as the router knows it, with `{id}` for a part that varies.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// Routes, each with who may call it.
pub(in crate::admin) struct Routes<S> {
    router: Router<S>,
    list: Vec<RouteAccess>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(in crate::admin) fn new() -> Self {
        Self {
            router: Router::new(),
            list: Vec::new(),
        }
    }

    /// Adds a route that reads.
    pub(in crate::admin) fn get<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let router = self.router.route(path, get(handler));
        Self { router, ..self }.noted("GET", path, access)
    }

    /// Adds a route that changes something.
    pub(in crate::admin) fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let router = self.router.route(path, post(handler));
        Self { router, ..self }.noted("POST", path, access)
    }

    fn noted(mut self, method: &'static str, path: &'static str, access: Access) -> Self {
        self.list.push(RouteAccess {
            method,
            path,
            access,
        });
        self
    }

    /// The router with its state, and the list.
    pub(in crate::admin) fn finish(self, state: S) -> (Router, Vec<RouteAccess>) {
        (self.router.with_state(state), self.list)
    }

    /// The list alone.
    pub(in crate::admin) fn list(self) -> Vec<RouteAccess> {
        self.list
    }
}

/// Who may call what: looked up before a request reaches its handler.
pub(super) struct Rights(BTreeMap<(&'static str, &'static str), Access>);

impl Rights {
    pub(super) fn of(list: &[RouteAccess]) -> Self {
        let entries = list.iter();
        Self(
            entries
                .map(|route| ((route.method, route.path), route.access))
                .collect(),
        )
    }

    /// Who may call this; `None` where there is no such route, or it takes another method.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Access> {
        let method = if *method == Method::HEAD {
            "GET"
        } else {
            method.as_str()
        };
        let found = self.0.iter().find(|(key, _)| **key == (method, path));
        found.map(|(_, access)| *access)
    }
}
