//! Names that are Ponte's own, which no configuration may use.

use ponte_core::id::{SourceName, StrategyName};

use super::finding::Problem;
use super::value::{self, Value};

/// Reads the name of a source.
pub(super) fn source(value: &Value<'_>) -> Result<SourceName, Problem> {
    let name = value::name(value, "a name", SourceName::new)?;
    free(name.is_reserved(), name.as_str())?;
    Ok(name)
}

/// Reads the name of a strategy.
pub(super) fn strategy(value: &Value<'_>) -> Result<StrategyName, Problem> {
    let name = value::name(value, "the name of a strategy", StrategyName::new)?;
    free(name.is_reserved(), name.as_str())?;
    Ok(name)
}

fn free(is_reserved: bool, name: &str) -> Result<(), Problem> {
    if is_reserved {
        let problem = format!("\"{name}\" is a name of Ponte's own, with which it tests itself");
        return Err(Problem::new(problem).cured_by("choose another name"));
    }
    Ok(())
}
