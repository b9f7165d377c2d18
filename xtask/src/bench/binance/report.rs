//! The times to the order as tables for `docs/performance.md`.

use std::fmt::Write;

use super::{Latency, Spans, Who};
use crate::Result;
use crate::bench::{Bench, disk, machine};

/// The whole section between its markers.
pub(in crate::bench) fn section(
    bench: &Bench,
    latency: &Latency,
    syncs: &[disk::Syncs],
    command: &str,
) -> Result<String> {
    let (before, after) = &latency.machine_load;
    let mut text = String::new();
    writeln!(text, "{}.", machine::describe(&bench.scratch))?;
    writeln!(
        text,
        "Repeat it with `{command}`. Other work shared the machine: its load was {before} before and\n\
         {after} after. The programs took turns, alert by alert.\n"
    )?;
    write_spans(&mut text, latency)?;
    write_transports(&mut text, latency)?;
    write_stages(&mut text, latency)?;
    writeln!(
        text,
        "\n| the disk alone | p50 µs | p99 µs |\n|---|--:|--:|"
    )?;
    for one in syncs {
        let (name, p50, p99) = (one.way.name(), one.p50.as_micros(), one.p99.as_micros());
        writeln!(text, "| {name} | {p50} | {p99} |")?;
    }
    Ok(text)
}

fn write_spans(text: &mut String, latency: &Latency) -> Result<()> {
    writeln!(
        text,
        "| alerts at once | market | orders by | program | orders | p50 µs | p90 µs | p99 µs | max µs | p50 / plain |"
    )?;
    writeln!(text, "|--:|---|---|---|--:|--:|--:|--:|--:|--:|")?;
    for spans in &latency.spans {
        let plain = latency.beside(spans, |other| {
            other.who == Who::Plain && other.orders == spans.orders
        });
        let ratio = match spans.who {
            Who::Ponte => plain.map_or_else(String::new, |plain| ratio(spans, plain)),
            Who::Plain => String::new(),
        };
        let micros = |share| spans.quantile(share).as_micros();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {ratio} |",
            spans.at_once,
            spans.market.word(),
            spans.orders.name(),
            spans.who.name(),
            spans.samples.len(),
            micros(0.50),
            micros(0.90),
            micros(0.99),
            micros(1.0),
        )?;
    }
    text.push('\n');
    Ok(())
}

/// REST against the web socket, for each program and market.
fn write_transports(text: &mut String, latency: &Latency) -> Result<()> {
    writeln!(
        text,
        "| alerts at once | market | program | p50 over REST µs | p50 over WebSocket µs | WebSocket / REST |"
    )?;
    writeln!(text, "|--:|---|---|--:|--:|--:|")?;
    for rest in &latency.spans {
        let socket = latency.beside(rest, |other| {
            other.who == rest.who
                && rest.orders == super::Orders::Rest
                && other.orders != rest.orders
        });
        let Some(socket) = socket else {
            continue;
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            rest.at_once,
            rest.market.word(),
            rest.who.name(),
            rest.quantile(0.50).as_micros(),
            socket.quantile(0.50).as_micros(),
            ratio(socket, rest),
        )?;
    }
    text.push('\n');
    Ok(())
}

fn write_stages(text: &mut String, latency: &Latency) -> Result<()> {
    writeln!(
        text,
        "| alerts at once | orders by | alerts | mean span µs | receive to commit µs | commit to sent µs \
         | the rest µs | receive to commit / span |"
    )?;
    writeln!(text, "|--:|---|--:|--:|--:|--:|--:|--:|")?;
    for stages in &latency.stages {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} % |",
            stages.at_once,
            stages.orders.name(),
            stages.alerts,
            stages.whole.as_micros(),
            stages.receive_to_commit.as_micros(),
            stages.commit_to_sent.as_micros(),
            stages.rest().as_micros(),
            stages.commit_percent(),
        )?;
    }
    Ok(())
}

fn ratio(ours: &Spans, theirs: &Spans) -> String {
    let (ours, theirs) = (ours.quantile(0.50), theirs.quantile(0.50));
    format!("{:.1}", ours.as_secs_f64() / theirs.as_secs_f64())
}

impl Latency {
    /// The spans of another bridge at the same market and in the same series.
    fn beside(&self, spans: &Spans, is_it: impl Fn(&Spans) -> bool) -> Option<&Spans> {
        self.spans.iter().find(|other| {
            other.market == spans.market && other.at_once == spans.at_once && is_it(other)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::binance::{Market, Orders};
    use std::time::Duration;

    fn spans(who: Who, orders: Orders, micros: u64) -> Spans {
        Spans {
            who,
            orders,
            market: Market::Spot,
            at_once: 1,
            samples: vec![Duration::from_micros(micros)],
        }
    }

    #[test]
    fn ratios_are_to_the_plain_client_on_the_same_way() {
        let latency = Latency {
            machine_load: (String::new(), String::new()),
            spans: vec![
                spans(Who::Ponte, Orders::Rest, 500),
                spans(Who::Plain, Orders::Rest, 100),
                spans(Who::Ponte, Orders::WebSocket, 400),
                spans(Who::Plain, Orders::WebSocket, 50),
            ],
            stages: Vec::new(),
        };
        let mut text = String::new();
        write_spans(&mut text, &latency).unwrap();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert!(lines[0].ends_with("| 500 | 5.0 |"), "{}", lines[0]);
        assert!(lines[1].ends_with("| 100 |  |"), "{}", lines[1]);
        assert!(lines[2].ends_with("| 400 | 8.0 |"), "{}", lines[2]);

        let mut text = String::new();
        write_transports(&mut text, &latency).unwrap();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| 1 | spot | Ponte | 500 | 400 | 0.8 |",
                "| 1 | spot | plain client | 100 | 50 | 0.5 |",
                ""
            ]
        );
    }
}
