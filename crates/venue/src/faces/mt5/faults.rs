//! Misbehaving on demand: which fault comes with which call.

use super::number::Number;
use crate::fault::{FAULT_DELAY_MILLISECONDS_MAX, FAULT_RULES_MAX};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is cut; nothing is done.
    DropBefore,
    /// It is done, then the connection is cut.
    DropAfter,
    /// No value, that error; nothing is done.
    NoValue(i64),
    /// No value, that error; but it is done.
    NoValueAfter(i64),
    /// The trade server answers that; nothing is done.
    Retcode(u32),
    /// The trade server answers that; but it is done.
    RetcodeAfter(u32),
    /// The trade server answers at once that the time is over, and executes so many milliseconds later.
    Delay(u64),
    /// The broker writes its own comment.
    Comment(String),
    /// It is done at once, and answered so many milliseconds later.
    Hang(u64),
    /// The history doesn't know yet what is younger than so many milliseconds.
    HistoryLag(u64),
    /// The market takes only that part of a market order.
    Partial(Decimal),
}

impl Fault {
    /// How the name begins of the functions that it can strike; empty for any.
    fn only_function(&self) -> &'static str {
        match self {
            Fault::Retcode(_)
            | Fault::RetcodeAfter(_)
            | Fault::Delay(_)
            | Fault::Comment(_)
            | Fault::Partial(_) => "order_send",
            Fault::HistoryLag(_) => "history_",
            Fault::DropBefore
            | Fault::DropAfter
            | Fault::NoValue(_)
            | Fault::NoValueAfter(_)
            | Fault::Hang(_) => "",
        }
    }
}

/// The body of `POST /admin/fault`. `fault` is a name, with its parameter beside it or under its own name; or an object
/// of the name and the parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultBody {
    #[serde(default = "order_send")]
    function: String,
    fault: Value,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    skip: u32,
    #[serde(default)]
    symbol: Option<String>,
    #[serde(default)]
    retcode: Option<u32>,
    #[serde(default, alias = "error")]
    code: Option<i64>,
    #[serde(
        default,
        alias = "delay_ms",
        alias = "hang_ms",
        alias = "history_lag_ms"
    )]
    ms: Option<u64>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    share: Option<Number>,
}

fn order_send() -> String {
    "order_send".to_owned()
}

fn once() -> u32 {
    1
}

/// The error of a call that gave no value and didn't say why: a time-out of the connection to the terminal.
const DEFAULT_ERROR: i64 = -10_005;
/// The return code of a fault that names none: a time-out of the trade server.
const DEFAULT_RETCODE: u32 = 10_012;

impl FaultBody {
    /// The rule that the body describes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn rule(mut self) -> Result<FaultRule, String> {
        let given = std::mem::take(&mut self.fault);
        let name = if let Some(fields) = given.as_object() {
            self.take_parameter(fields)?
        } else if let Some(name) = given.as_str() {
            name.to_owned()
        } else {
            return Err(format!(
                "fault {given} is neither a name nor an object of one"
            ));
        };
        let fault = match name.as_str() {
            "drop_before" => Fault::DropBefore,
            "drop_after" => Fault::DropAfter,
            "none" => Fault::NoValue(self.code.unwrap_or(DEFAULT_ERROR)),
            "none_after" => Fault::NoValueAfter(self.code.unwrap_or(DEFAULT_ERROR)),
            "retcode" => Fault::Retcode(self.retcode.unwrap_or(DEFAULT_RETCODE)),
            "retcode_after" => Fault::RetcodeAfter(self.retcode.unwrap_or(DEFAULT_RETCODE)),
            "delay_ms" => Fault::Delay(self.milliseconds(&name)?),
            "hang_ms" => Fault::Hang(self.milliseconds(&name)?),
            "history_lag_ms" => Fault::HistoryLag(self.milliseconds(&name)?),
            "comment" => Fault::Comment(self.comment.take().unwrap_or_default()),
            "partial" => Fault::Partial(self.share()?),
            _ => return Err(format!("fault {name} is not known")),
        };
        let only = fault.only_function();
        if !only.is_empty() && !self.function.starts_with(only) {
            let function = self.function;
            return Err(format!("fault {name} can't strike {function}, only {only}"));
        }
        Ok(FaultRule {
            function: self.function,
            fault,
            name,
            times: self.times,
            skip: self.skip,
            symbol: self.symbol,
        })
    }

    fn take_parameter(
        &mut self,
        fields: &serde_json::Map<String, Value>,
    ) -> Result<String, String> {
        let mut entries = fields.iter();
        let (Some((name, value)), None) = (entries.next(), entries.next()) else {
            return Err(
                "a fault written as an object has one entry: its name and its parameter".to_owned(),
            );
        };
        match name.as_str() {
            "none" | "none_after" => self.code = value.as_i64(),
            "retcode" | "retcode_after" => {
                self.retcode = value.as_u64().and_then(|code| code.try_into().ok())
            }
            "comment" => self.comment = value.as_str().map(str::to_owned),
            "partial" => self.share = serde_json::from_value(value.clone()).ok(),
            _ => self.ms = value.as_u64(),
        }
        Ok(name.clone())
    }

    fn milliseconds(&self, name: &str) -> Result<u64, String> {
        let given = self
            .ms
            .ok_or_else(|| format!("fault {name} needs its milliseconds as {name}"))?;
        if given > FAULT_DELAY_MILLISECONDS_MAX {
            return Err(format!(
                "fault {name} {given} is above {FAULT_DELAY_MILLISECONDS_MAX}"
            ));
        }
        Ok(given)
    }

    fn share(&self) -> Result<Decimal, String> {
        let share = self
            .share
            .ok_or("fault partial needs a share such as \"0.5\"")?
            .0;
        if share < Decimal::ZERO || share > Decimal::ONE {
            return Err(format!("share {share} is not between 0 and 1"));
        }
        Ok(share)
    }
}

/// A fault and when it strikes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FaultRule {
    function: String,
    #[serde(skip)]
    fault: Fault,
    #[serde(rename = "fault")]
    name: String,
    /// How often it still strikes.
    times: u32,
    /// How many calls it still lets pass before.
    skip: u32,
    symbol: Option<String>,
}

/// The faults to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    rules: Vec<FaultRule>,
}

impl Faults {
    /// Adds a rule.
    ///
    /// # Errors
    /// What makes no sense about it, in words.
    pub(super) fn add(&mut self, body: FaultBody) -> Result<(), String> {
        let rules = self.rules.len();
        if rules >= FAULT_RULES_MAX {
            return Err(format!(
                "there are {rules} faults already, the most is {FAULT_RULES_MAX}"
            ));
        }
        let rule = body.rule()?;
        if rule.times > 0 {
            self.rules.push(rule);
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Those that are left, with what is left of their counts.
    pub(super) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// The fault that strikes this call: that of the oldest rule that fits and has nothing more to let pass.
    pub(super) fn next(&mut self, function: &str, symbol: &str) -> Option<Fault> {
        let mut struck = None;
        for rule in &mut self.rules {
            let fits = (rule.function == function || rule.function == "*")
                && rule.symbol.as_deref().is_none_or(|only| only == symbol);
            if !fits || struck.is_some() {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times -= 1;
            struck = Some(rule.fault.clone());
        }
        self.rules.retain(|rule| rule.times > 0);
        struck
    }
}
