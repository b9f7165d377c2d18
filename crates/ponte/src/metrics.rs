//! What is counted and timed, for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ponte_core::id::{AccountName, SourceName};
use ponte_core::message::{AlertDecision, Fate};
use ponte_core::time::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Word {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Listener {
    listener: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Account {
    account: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountWord {
    account: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Source {
    source: String,
}

/// Upper bounds of the time histograms, in seconds: 50 µs to 10 s.
const TIMES: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 3.0, 10.0,
];
/// Upper bounds of the batch sizes.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    alerts: Family<Word, Counter>,
    requests: Family<Word, Counter>,
    fates: Family<Word, Counter>,
    /// Commits that failed.
    pub commit_failures: Counter,
    receive_to_commit: Histogram,
    commit_to_sent: Histogram,
    sent_to_answered: Histogram,
    batch_alerts: Histogram,
    /// Requests that wait for the engine.
    pub inbox: Gauge,
    /// Orders that wait in lanes to be sent.
    pub lanes: Gauge,
    /// Events in the journal.
    pub journal_events: Gauge,
    /// Bytes that the journal takes.
    pub journal_bytes: Gauge<u64, AtomicU64>,
    /// Halts in force.
    pub halts: Gauge,
    /// Positions without the stop that they were asked to have.
    pub naked_positions: Gauge,
    certificate_expires: Family<Listener, Gauge>,
    /// Sources whose alerts are not taken.
    pub sources_off: Gauge,
    tripwires: Family<Source, Counter>,
    previous_secrets: Family<Source, Counter>,
    terminal_connected: Family<Account, Gauge>,
    bridge_session_age: Family<Account, Gauge>,
    bridge_commands: Family<AccountWord, Counter>,
    bridge_wakeups: Family<Account, Counter>,
}

/// What is counted of one account's line to its terminal.
pub struct LineMeter {
    account: String,
    connected: Gauge,
    session_age: Gauge,
    commands: Family<AccountWord, Counter>,
    wakeups: Counter,
}

impl LineMeter {
    /// Whether a bridge is there and its terminal connected to the trade server, and how old the
    /// session is.
    pub fn seen(&self, connected: bool, session_age: Duration) {
        self.connected.set(i64::from(connected));
        let seconds = i64::try_from(session_age.as_secs()).unwrap_or(i64::MAX);
        self.session_age.set(seconds);
    }

    /// Counts a command by how it ended.
    pub fn ran(&self, outcome: &str) {
        let (account, outcome) = (self.account.clone(), outcome.to_owned());
        let word = AccountWord { account, outcome };
        self.commands.get_or_create(&word).inc();
    }

    /// Counts an answer that was held and had something to bring before its time.
    pub fn woken(&self) {
        self.wakeups.inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("ponte"),
            alerts: Family::default(),
            requests: Family::default(),
            fates: Family::default(),
            commit_failures: Counter::default(),
            receive_to_commit: Histogram::new(TIMES),
            commit_to_sent: Histogram::new(TIMES),
            sent_to_answered: Histogram::new(TIMES),
            batch_alerts: Histogram::new(SIZES),
            inbox: Gauge::default(),
            lanes: Gauge::default(),
            journal_events: Gauge::default(),
            journal_bytes: Gauge::default(),
            halts: Gauge::default(),
            naked_positions: Gauge::default(),
            certificate_expires: Family::default(),
            sources_off: Gauge::default(),
            tripwires: Family::default(),
            previous_secrets: Family::default(),
            terminal_connected: Family::default(),
            bridge_session_age: Family::default(),
            bridge_commands: Family::default(),
            bridge_wakeups: Family::default(),
        };
        metrics.register();
        metrics.register_sources();
        metrics.register_lines();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("alerts", "Alerts by outcome", self.alerts.clone());
        r.register(
            "requests_refused",
            "Requests turned away, by kind",
            self.requests.clone(),
        );
        r.register(
            "orders_submitted",
            "Submissions by fate",
            self.fates.clone(),
        );
        r.register(
            "commit_failures",
            "Commits that failed",
            self.commit_failures.clone(),
        );
        r.register(
            "batch_alerts",
            "Alerts and requests per commit",
            self.batch_alerts.clone(),
        );
        r.register(
            "inbox_depth",
            "Requests that wait for the engine",
            self.inbox.clone(),
        );
        r.register(
            "lane_depth",
            "Orders that wait to be sent",
            self.lanes.clone(),
        );
        r.register(
            "journal_events",
            "Events in the journal",
            self.journal_events.clone(),
        );
        r.register(
            "journal_bytes",
            "Bytes that the journal takes",
            self.journal_bytes.clone(),
        );
        r.register("halts", "Halts in force", self.halts.clone());
        r.register(
            "naked_positions",
            "Positions without the stop that they were asked to have",
            self.naked_positions.clone(),
        );
        let mut time = |name, help, histogram: &Histogram| {
            r.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        time(
            "receive_to_commit",
            "Last byte received to commit",
            &self.receive_to_commit,
        );
        time(
            "commit_to_sent",
            "Commit to the order's first byte",
            &self.commit_to_sent,
        );
        time(
            "sent_to_answered",
            "First byte to the broker's answer",
            &self.sent_to_answered,
        );
    }

    fn register_sources(&mut self) {
        let r = &mut self.registry;
        r.register(
            "sources_off",
            "Sources whose alerts are not taken",
            self.sources_off.clone(),
        );
        r.register(
            "tripwire_uses",
            "How often a source's tripwire was shown",
            self.tripwires.clone(),
        );
        r.register(
            "previous_secret_uses",
            "Alerts with the secret before the current one, while a rotation lasts",
            self.previous_secrets.clone(),
        );
    }

    fn register_lines(&mut self) {
        let r = &mut self.registry;
        r.register_with_unit(
            "certificate_expires_timestamp",
            "When the certificate of a listener ends, in seconds since 1970",
            Unit::Seconds,
            self.certificate_expires.clone(),
        );
        r.register(
            "terminal_connected",
            "Whether a bridge is there and its terminal is connected to the trade server",
            self.terminal_connected.clone(),
        );
        r.register_with_unit(
            "bridge_session_age",
            "How long the session of a terminal's bridge has lasted, when it was heard last",
            Unit::Seconds,
            self.bridge_session_age.clone(),
        );
        r.register(
            "bridge_commands",
            "Commands for a terminal by how they ended",
            self.bridge_commands.clone(),
        );
        r.register(
            "bridge_wakeups",
            "Answers to bridges that were held and had something to bring before their time",
            self.bridge_wakeups.clone(),
        );
    }

    /// What is counted of an account's line to its terminal.
    #[must_use]
    pub fn line(&self, account: &AccountName) -> LineMeter {
        let account = account.to_string();
        let label = Account {
            account: account.clone(),
        };
        LineMeter {
            account,
            connected: self.terminal_connected.get_or_create_owned(&label),
            session_age: self.bridge_session_age.get_or_create_owned(&label),
            commands: self.bridge_commands.clone(),
            wakeups: self.bridge_wakeups.get_or_create_owned(&label),
        }
    }

    /// Shows when the certificate of a listener ends.
    pub fn certificate_expires(&self, listener: &'static str, at: Timestamp) {
        let gauge = self
            .certificate_expires
            .get_or_create_owned(&Listener { listener });
        gauge.set(at.microseconds() / 1_000_000);
    }

    /// Counts a decided alert.
    pub fn alert(&self, decision: &AlertDecision, committed_at: Timestamp) {
        let outcome = decision.outcome.as_str().to_owned();
        self.alerts.get_or_create(&Word { outcome }).inc();
        self.receive_to_commit
            .observe(committed_at.since(decision.received_at).as_secs_f64());
    }

    /// Counts a commit of so many answers.
    pub fn batch(&self, answers: usize) {
        self.batch_alerts
            .observe(f64::from(u32::try_from(answers).unwrap_or(u32::MAX)));
    }

    /// Counts a request that was turned away.
    pub fn refused(&self, code: &str) {
        self.requests
            .get_or_create(&Word {
                outcome: code.to_owned(),
            })
            .inc();
    }

    /// Counts a tripwire that was shown.
    pub fn tripwire_used(&self, source: &SourceName) {
        let source = source.to_string();
        self.tripwires.get_or_create(&Source { source }).inc();
    }

    /// Counts an alert with the secret before the current one.
    pub fn previous_secret_used(&self, source: &SourceName) {
        let source = source.to_string();
        self.previous_secrets
            .get_or_create(&Source { source })
            .inc();
    }

    /// Counts a submission.
    pub fn submitted(
        &self,
        fate: &Fate,
        committed_at: Timestamp,
        sent_at: Timestamp,
        answered_at: Timestamp,
    ) {
        let outcome = match fate {
            Fate::Acknowledged { .. } => "acknowledged",
            Fate::Rejected { .. } => "rejected",
            Fate::NotSent { .. } => "not_sent",
            Fate::Unknown { .. } => "unknown",
        };
        self.fates
            .get_or_create(&Word {
                outcome: outcome.to_owned(),
            })
            .inc();
        self.commit_to_sent
            .observe(sent_at.since(committed_at).as_secs_f64());
        self.sent_to_answered
            .observe(answered_at.since(sent_at).as_secs_f64());
    }

    /// Everything in the text format of Prometheus.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}
