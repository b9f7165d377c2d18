//! Examples of what the engine decides: a script that sets the scene, one line that is judged, and
//! what it makes true and asks for. All go through [`script::check`].

mod intents;
mod orders;
pub(crate) mod script;
pub(crate) mod world;

use script::check;
