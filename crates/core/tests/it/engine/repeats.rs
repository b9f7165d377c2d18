//! When two alerts are one: explicit ids, times, and the window.

use super::check;
use super::world::policy;

#[test]
fn an_explicit_id() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 id x digest d | buy 1 id x digest d
            A2 duplicate of A1

        buy 1 id x digest d; wait 1000000 | buy 1 id x digest d
            A2 duplicate of A1

        buy 1 id x digest d | buy 2 id x digest e
            A2 refused of A1: id "x" of source main was used by A1 for something else; nothing was done with A2, give every signal its own id
            alarm id "x" of source main was used by A1 for something else; nothing was done with A2, give every signal its own id

        buy 1 id x digest d; buy 2 id x digest e | buy 2 id x digest e
            A3 refused of A1: id "x" of source main was used by A1 for something else; nothing was done with A3, give every signal its own id
            alarm id "x" of source main was used by A1 for something else; nothing was done with A3, give every signal its own id

        buy 1 id x digest d; buy 2 id x digest e | buy 1 id x digest d
            A3 duplicate of A1

        buy 1 id x digest d | buy 1 id y digest d
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1
        "#,
    );
}

#[test]
fn a_time_in_the_alert() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 bar 0 digest d; wait 100000 | buy 1 bar -100000 digest d
            A2 duplicate of A1

        buy 1 bar 0 digest d | buy 1 bar 60 digest e
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1
        "#,
    );
}

#[test]
fn the_window() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 1 digest d | buy 1 digest d
            A2 duplicate of A1

        buy 1 digest d; wait 45 | buy 1 digest d
            A2 duplicate of A1

        buy 1 digest d; wait 45.000001 | buy 1 digest d
            A2 accepted
            plan #2 entry buy 1
            > submit #2 1

        buy 1 digest d; wait 40; buy 1 digest d; wait 10 | buy 1 digest d
            A3 accepted
            plan #2 entry buy 1
            > submit #2 1

        buy 1 digest d; wait 50; buy 1 digest d; wait 40 | buy 1 digest d
            A3 duplicate of A2

        buy 1 digest d; wait -3600 | buy 1 digest d
            A2 duplicate of A1
        "#,
    );
}

#[test]
fn what_was_refused_is_remembered_too() {
    let policy = policy();
    check(
        &policy,
        r#"
        buy 0.05 digest d | buy 0.05 digest d
            A2 duplicate of A1

        halt block_entries; buy 1 digest d; resume | buy 1 digest d
            A2 duplicate of A1
        "#,
    );
}
