//! Who may import whom: dependencies point inward, and the clock is read in one place.

use super::Findings;
use super::scan::{self, Token};
use super::tree::{Tree, is_below};

/// Sources that must not mention some paths.
struct Fence {
    /// The sources meant, as path without `.rs`.
    inside: &'static [&'static str],
    /// The sources among them that are not meant.
    except: &'static [&'static str],
    /// Paths that must not be mentioned, nor anything below them.
    never: &'static [&'static str],
    /// What to do instead.
    cure: &'static str,
}

const CORE: &str = "crates/core/src";
const VENUE: &str = "crates/venue/src";
const VENUE_FACES: &[&str] = &["crates/venue/src/faces", "crates/venue/src/lib"];
const PONTE: &str = "crates/ponte/src";

const FENCES: &[Fence] = &[
    Fence {
        inside: &[CORE],
        except: &[],
        never: OUTER_WORLD,
        cure: "take it as an argument: the core has no clock, randomness, file, socket or thread",
    },
    Fence {
        inside: &[VENUE],
        except: VENUE_FACES,
        never: OUTER_WORLD,
        cure: "keep the matching deterministic: input and output belong to crates/venue/src/faces",
    },
    Fence {
        inside: &[VENUE],
        except: &[],
        never: &["ponte_core"],
        cure: "let the venue stand alone, so that it can't share a misunderstanding with Ponte",
    },
    Fence {
        inside: &[CORE],
        except: &[],
        never: &["ponte_venue"],
        cure: "turn the dependency around: nothing of ours is known to the core",
    },
    Fence {
        inside: &["crates/ponte/src/intake"],
        except: &[],
        never: &["crate::brokers", "crate::execution", "crate::admin"],
        cure: "hand the alert to the journal: intake knows HTTP and formats, nothing of accounts",
    },
    Fence {
        inside: &["crates/ponte/src/admin"],
        except: &[],
        never: &["crate::brokers", "crate::execution", "crate::intake"],
        cure: "make it an input for the engine: an operator's order goes the way of an alert",
    },
    Fence {
        inside: &["crates/ponte/src/brokers"],
        except: &[],
        never: &[
            "crate::journal",
            "crate::intake",
            "crate::admin",
            "crate::execution",
            "crate::engine",
        ],
        cure: "return it as an answer or a report: an adapter is a translator without policy",
    },
    Fence {
        inside: &["crates/ponte/src/execution"],
        except: &[],
        never: &["crate::intake", "crate::admin"],
        cure: "turn the dependency around: execution carries out committed commands, nothing else",
    },
    Fence {
        inside: &["crates/ponte/src/journal"],
        except: &[],
        never: &[
            "crate::brokers",
            "crate::intake",
            "crate::admin",
            "crate::execution",
        ],
        cure: "turn the dependency around: the journal records facts and knows nobody who uses them",
    },
    Fence {
        inside: &["crates/ponte/src/prices"],
        except: &[],
        never: &[
            "crate::journal",
            "crate::brokers",
            "crate::intake",
            "crate::admin",
            "crate::execution",
            "crate::engine",
            "crate::config",
        ],
        cure: "turn the dependency around: a feed knows prices and nobody who uses them",
    },
    Fence {
        inside: &[PONTE],
        except: &[
            "crates/ponte/src/app",
            "crates/ponte/src/brokers/paper",
            "crates/ponte/src/prices",
        ],
        never: &["crate::prices"],
        cure: "let app hand over what is needed: engine and rules learn prices as quotes",
    },
    Fence {
        inside: &["crates/ponte/src/bridge"],
        except: &[],
        never: &[
            "crate::journal",
            "crate::brokers",
            "crate::intake",
            "crate::admin",
            "crate::execution",
            "crate::engine",
            "crate::config",
            "crate::prices",
        ],
        cure: "tell it to the listener: the line carries words, what they mean is the adapter's",
    },
    Fence {
        inside: &[PONTE],
        except: &[
            "crates/ponte/src/app",
            "crates/ponte/src/bridge",
            "crates/ponte/src/brokers/mt5",
        ],
        never: &["crate::bridge"],
        cure: "go through the adapter or app: only they know that there is a line to a terminal",
    },
    Fence {
        inside: &["crates/ponte/src/server"],
        except: &[],
        never: &[
            "crate::journal",
            "crate::brokers",
            "crate::bridge",
            "crate::intake",
            "crate::admin",
            "crate::execution",
            "crate::engine",
            "crate::config",
            "crate::prices",
        ],
        cure: "take a router: a listener serves any of them",
    },
    Fence {
        inside: &["crates/ponte/src/brokers/paper"],
        except: &[],
        never: &["crate::prices::binance"],
        cure: "take a PriceFeed: which market gives the prices is decided in app",
    },
    Fence {
        inside: &["crates/ponte/src/clock", "crates/ponte/src/secret"],
        except: &[],
        never: &[
            "crate::journal",
            "crate::brokers",
            "crate::intake",
            "crate::admin",
            "crate::execution",
            "crate::config",
        ],
        cure: "turn the dependency around: everybody uses this module, so it can use nobody",
    },
    Fence {
        inside: &[PONTE],
        except: &[
            "crates/ponte/src/app",
            "crates/ponte/src/cli",
            "crates/ponte/src/demo",
            "crates/ponte/src/main",
            "crates/ponte/src/lib",
        ],
        never: &["crate::app", "crate::cli"],
        cure: "take what is needed as an argument: only app, cli and main know all parts",
    },
];

/// What a pure crate must not reach.
const OUTER_WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "axum",
    "chrono",
    "fastrand",
    "getrandom",
    "hyper",
    "hyper_util",
    "rand",
    "reqwest",
    "rusqlite",
    "tokio",
    "tracing",
    "uuid",
];

/// Names that a pure crate must not use, however it came by them.
const WORDS_OF_OUTER_WORLD: &[&str] = &[
    "Instant",
    "SystemTime",
    "eprint",
    "eprintln",
    "print",
    "println",
    "thread_local",
];

/// The clocks that only `clock.rs` reads.
const CLOCKS: &[&str] = &[
    "Instant",
    "SystemTime",
    "Timestamp",
    "Zoned",
    "Utc",
    "Local",
];

/// No source mentions what lies on the other side of its fence.
pub(super) fn check_fences(tree: &Tree, findings: &mut Findings) {
    for fence in FENCES {
        let files = fence.inside.iter().flat_map(|folder| tree.rust(folder));
        for file in files.filter(|file| {
            !fence
                .except
                .iter()
                .any(|except| is_below(&file.path, except))
        }) {
            for mention in file.mentions() {
                if fence.never.iter().any(|root| mention.is_within(root)) {
                    let what = format!("mentions {}", mention.path);
                    findings.add(&file.path, mention.line, what, fence.cure);
                }
            }
        }
    }
}

/// The pure crates don't even name a clock or a printing macro.
pub(super) fn check_words_of_pure_crates(tree: &Tree, findings: &mut Findings) {
    let venue = tree.rust(VENUE).into_iter();
    let pure_venue = venue.filter(|file| {
        !VENUE_FACES
            .iter()
            .any(|except| is_below(&file.path, except))
    });
    for file in tree.rust(CORE).into_iter().chain(pure_venue) {
        for placed in scan::tokens(&file.masked.code) {
            if let Token::Word(word) = placed.token
                && WORDS_OF_OUTER_WORLD.contains(&word)
            {
                let what = format!("mentions {word}");
                findings.add(
                    &file.path,
                    placed.line,
                    what,
                    "take the moment or return the text",
                );
            }
        }
    }
}

/// A broker's folder doesn't know its siblings.
pub(super) fn check_sibling_adapters(tree: &Tree, findings: &mut Findings) {
    let folder = format!("{PONTE}/brokers");
    let adapters = tree.folders_in(&folder);
    for adapter in &adapters {
        for file in tree.rust(&format!("{folder}/{adapter}")) {
            for mention in file.mentions() {
                let sibling = adapters.iter().find(|other| {
                    *other != adapter && mention.is_within(&format!("crate::brokers::{other}"))
                });
                if let Some(sibling) = sibling {
                    let what = format!("the {adapter} adapter mentions the {sibling} adapter");
                    let cure =
                        "move what both need into a file of brokers/ that belongs to no broker";
                    findings.add(&file.path, mention.line, what, cure);
                }
            }
        }
    }
}

/// Only `clock.rs` of the program reads a clock.
pub(super) fn check_clock(tree: &Tree, findings: &mut Findings) {
    let clock = format!("{PONTE}/clock");
    for file in tree
        .rust(PONTE)
        .into_iter()
        .filter(|file| !is_below(&file.path, &clock))
    {
        for mention in file.mentions() {
            let mut last = mention.path.rsplit("::");
            let reads = last.next() == Some("now")
                && last.next().is_some_and(|name| CLOCKS.contains(&name));
            if reads || mention.path.split("::").any(|name| name == "SystemTime") {
                let what = format!("reads a clock through {}", mention.path);
                findings.add(
                    &file.path,
                    mention.line,
                    what,
                    "take the moment, or ask crate::clock",
                );
            }
        }
    }
}
