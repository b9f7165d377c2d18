//! `ponte export`.

use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ponte_core::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;
use super::screen;
use crate::admin::moment;
use crate::journal::{EventRow, ExportFilter, Reader, path_in};

/// The kinds of events, as the journal names them.
const KINDS: [&str; 23] = [
    "started",
    "request_refused",
    "alert_decided",
    "alarm",
    "order_planned",
    "order_released",
    "order_acknowledged",
    "order_filled",
    "order_not_sent",
    "protection_late",
    "order_unknown",
    "order_questioned",
    "cancel_requested",
    "order_ended",
    "account_read",
    "halt_set",
    "halt_lifted",
    "flatten_requested",
    "source_switched",
    "operator_acted",
    "cut_off_reached",
    "daily_loss_reached",
    "position_reduced_outside",
];

/// Write the journal's events as CSV or JSON lines, oldest first
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte export --since 7d > week.jsonl\n  \
    ponte export --kind order_filled --since 2026-01-01 --until 2027-01-01 --format csv --output fills.csv\n\n\
    --since is included, --until is not. This reads the journal beside a running Ponte. Secrets \
    are never in it.")]
pub(super) struct Export {
    /// Only this kind of event; may be given more than once
    #[arg(long, value_name = "KIND", value_parser = KINDS)]
    kind: Vec<String>,
    /// Only from this moment on: 2h, 7d, 2026-11-23, 2026-11-23T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only before this moment
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// The form
    #[arg(long, value_name = "FORM", default_value = "jsonl")]
    format: Form,
    /// Write to this new file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// Comma-separated values with a heading
    Csv,
    /// One JSON object per line
    Jsonl,
}

/// One exported event.
#[derive(Serialize)]
struct Line {
    seq: i64,
    at: Timestamp,
    time: String,
    kind: String,
    event: Value,
}

impl Export {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let read = |text: &Option<String>| {
            let moment = text.as_ref().map(|text| moment(text, context.now));
            moment.transpose()
        };
        let filter = ExportFilter {
            since: read(&self.since)?,
            until: read(&self.until)?,
            kinds: self.kind.clone(),
        };
        let path = path_in(&context.config()?.data_dir);
        if !path.exists() {
            return Err(Failure::unreachable(format!(
                "there is no journal at {} yet",
                path.display()
            ))
            .cured_by(context.start()));
        }
        let reader = Reader::open(&path)?;
        let to = self.output.as_ref().map_or_else(
            || "standard output".to_owned(),
            |path| path.display().to_string(),
        );
        let written = match &self.output {
            None => self.write(&reader, &filter, std::io::stdout().lock()),
            Some(path) => {
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(|error| unwritable(&to, &error))?;
                self.write(&reader, &filter, file)
            }
        };
        match written? {
            Ok(count) => {
                if self.output.is_some() {
                    screen::note(&format!(
                        "{} written to {to}",
                        screen::count(count, "event", "events")
                    ));
                }
                Ok(())
            }
            // `ponte export | head` has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(unwritable(&to, &error)),
        }
    }

    /// Writes what passes the filter; gives how many, or why the output failed.
    fn write(
        &self,
        reader: &Reader,
        filter: &ExportFilter,
        to: impl Write,
    ) -> Result<std::io::Result<usize>, Failure> {
        let mut to = BufWriter::with_capacity(256 * 1024, to);
        let mut outcome = match self.format {
            Form::Csv => to.write_all(b"seq,time,kind,alert,order,account,symbol,event\r\n"),
            Form::Jsonl => Ok(()),
        };
        let mut count = 0;
        reader.export(filter, |row| {
            if outcome.is_ok() {
                outcome = match self.format {
                    Form::Csv => to.write_all(csv(&row).as_bytes()),
                    Form::Jsonl => json_line(&mut to, row),
                };
                count += 1;
            }
            outcome.is_ok()
        })?;
        Ok(outcome.and_then(|()| to.flush()).map(|()| count))
    }
}

fn unwritable(to: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::unreachable(format!("{to} can't be written: {error}"));
    if error.kind() == ErrorKind::AlreadyExists {
        return failure.cured_by("another --output; an export never replaces a file");
    }
    failure
}

fn json_line(to: &mut impl Write, row: EventRow) -> std::io::Result<()> {
    let line = Line {
        seq: row.seq,
        at: row.at,
        time: row.at.to_string(),
        kind: row.kind,
        event: row.event,
    };
    serde_json::to_writer(&mut *to, &line)?;
    to.write_all(b"\n")
}

fn csv(row: &EventRow) -> String {
    let event = &row.event;
    let plan = event.get("plan");
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    };
    let of_plan = |key: &str| plan.and_then(|plan| plan.get(key));
    let origin = of_plan("origin").and_then(|origin| origin.get("alert"));
    let alert = match text(event.get("alert").or(origin)) {
        number if number.is_empty() => number,
        number => format!("A{number}"),
    };
    let order = event.get("id").or(event.get("order")).or(of_plan("id"));
    let symbol = event.get("signal").and_then(|signal| signal.get("symbol"));
    let cells = [
        row.seq.to_string(),
        row.at.to_string(),
        row.kind.clone(),
        alert,
        text(order),
        text(event.get("account").or(of_plan("account"))),
        text(symbol.or(of_plan("symbol"))),
        event.to_string(),
    ];
    let mut line = cells.map(|cell| quoted(&cell)).join(",");
    line.push_str("\r\n");
    line
}

/// A cell as RFC 4180 has it; what a spreadsheet would take for a formula is made a text.
fn quoted(cell: &str) -> String {
    let cell = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_can_be_asked_for() {
        let source = include_str!("../../../core/src/message.rs");
        let (_, body) = source
            .split_once("pub const fn kind(&self) -> &'static str {")
            .unwrap();
        let (body, _) = body.split_once("\n    }\n").unwrap();
        let named: Vec<&str> = body
            .lines()
            .filter_map(|arm| arm.split_once("=> \"")?.1.strip_suffix("\","))
            .collect();
        assert_eq!(named.len(), body.matches("=>").count(), "{body}");
        assert_eq!(named, KINDS);
    }

    #[test]
    fn cells_are_cells() {
        assert_eq!(quoted("BTCUSDT"), "BTCUSDT");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
    }
}
