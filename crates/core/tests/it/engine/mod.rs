//! Examples of what the engine decides: a script that sets the scene, one line that is judged, and
//! what it makes true and asks for. All go through [`script::check`].

mod away;
mod b3;
mod b3_days;
mod daily_loss;
mod fates;
mod guard;
mod halts;
mod intents;
mod levels;
mod limits;
mod on_the_way;
mod orders;
mod outside;
mod points;
mod protection;
mod render;
mod repeats;
mod rules;
mod scope;
mod scope_sizes;
pub(crate) mod script;
mod sizing;
pub(crate) mod world;

use script::check;
