//! What a running Ponte is, for the one that is to take its place.

use axum::Json;
use axum::extract::State as Shared;

use super::Admin;
use super::wire::Version;
use crate::{config, journal};

pub(super) async fn version(Shared(admin): Shared<Admin>) -> Json<Version> {
    Json(Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: journal::schema_version(),
        held_open: admin.held_open,
        config_keys: config::key_paths(),
    })
}
