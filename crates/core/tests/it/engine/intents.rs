//! Every intent against every position.

use super::check;
use super::world::policy;

#[test]
fn a_buy_when_flat_enters() {
    check(
        &policy(),
        "",
        "buy 2",
        r#"
        A1 accepted
        plan #1 entry buy 2
        > submit #1 2
        "#,
    );
}
