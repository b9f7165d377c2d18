//! The line to a terminal's bridge: what is handed over, what is certain, who is heard.

mod http;
mod line;
pub(crate) mod scripted;
pub(crate) mod tls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ponte::bridge::protocol::{CommandResult, SyncRequest, Task, TradeRequest};
use ponte::bridge::{Heard, Hub, Line, Listener, Ran};
use ponte::secret::Secret;
use ponte_core::id::AccountName;
use tokio::task::JoinHandle;

use scripted::ScriptedBridge;

/// The token of the account in these tests.
pub(crate) const TOKEN: &str = "a-token-for-the-tests-of-the-line-0001";

/// A line with its hub and a listener that remembers.
struct Desk {
    line: Arc<Line>,
    hub: Arc<Hub>,
    ear: Arc<Ear>,
}

impl Desk {
    fn new() -> Self {
        let token = Secret::new(TOKEN.to_owned()).unwrap();
        let line = Line::new(AccountName::new("mt5").unwrap(), token);
        let ear = Arc::new(Ear::default());
        let listener: Arc<dyn Listener> = ear.clone();
        line.set_listener(Arc::downgrade(&listener));
        let hub = Hub::new(vec![line.clone()]);
        Self { line, hub, ear }
    }

    fn bridge(&self) -> ScriptedBridge {
        ScriptedBridge::calling(&self.hub, TOKEN)
    }

    /// Hands a task over, in a task of its own.
    fn run(&self, order: &str, valid: Duration, patience: Duration) -> Waiting {
        let (line, order) = (self.line.clone(), order.to_owned());
        Waiting(tokio::spawn(async move {
            line.run(trade(&order), valid, patience).await
        }))
    }
}

/// Somebody who waits for a result.
struct Waiting(JoinHandle<Ran>);

impl Waiting {
    /// How it ended.
    async fn ran(self) -> Ran {
        self.0.await.unwrap()
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits no longer.
    fn abort(self) {
        self.0.abort();
    }
}

/// Remembers what was said.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Said>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Session { journal: String, new_journal: bool },
    Facts(Box<SyncRequest>),
    Away,
}

impl Ear {
    fn all(&self) -> Vec<Said> {
        self.heard.lock().unwrap().clone()
    }

    /// Every result that was told, in order.
    fn results(&self) -> Vec<CommandResult> {
        let facts = self.all().into_iter().filter_map(|said| match said {
            Said::Facts(request) => Some(request.results),
            Said::Session { .. } | Said::Away => None,
        });
        facts.flatten().collect()
    }
}

impl Listener for Ear {
    fn heard(&self, heard: Heard<'_>) {
        let said = match heard {
            Heard::Session {
                bridge,
                new_journal,
            } => Said::Session {
                journal: bridge.journal.clone(),
                new_journal,
            },
            Heard::Facts(request) => Said::Facts(Box::new(request.clone())),
            Heard::Away => Said::Away,
        };
        self.heard.lock().unwrap().push(said);
    }
}

fn trade(order: &str) -> Task {
    Task::Trade {
        order: order.to_owned(),
        magic: 7,
        comment: "P7".to_owned(),
        reduces: false,
        requests: vec![TradeRequest {
            action: 1,
            symbol: "WINZ26".to_owned(),
            ..TradeRequest::default()
        }],
    }
}
