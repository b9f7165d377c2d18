//! Examples of what the engine decides: a script that sets the scene, one line that is judged, and
//! what it makes true and asks for. All go through [`script::check`].

mod fates;
mod guard;
mod halts;
mod intents;
mod limits;
mod on_the_way;
mod orders;
mod protection;
mod render;
mod repeats;
mod rules;
pub(crate) mod script;
mod sizing;
pub(crate) mod world;

use script::check;
