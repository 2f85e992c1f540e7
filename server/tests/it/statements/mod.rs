//! Checks the plans of both databases for each statement of the store once the tables are large.
//!
//! The store notes the statements that it executes. This test executes all of them, asks the databases for their plans,
//! and compares the executed statements with the store's source, so that no new statement is left out.

mod calls;
mod fill;
mod plans;
mod source;

use std::collections::BTreeSet;

use engine::store::seen::{self, Seen};
use engine::store::{Dialect, Store};
use sqlx::Executor;

use crate::world::{Database, World};
use plans::Plan;

/// Statements that read a whole table or sort their rows, each with the reason that permits this. A statement is known
/// by its beginning, without the values put into it.
const ALLOWED: &[(&str, &str)] = &[
    ("SELECT COUNT(*) AS known FROM (SELECT event FROM inbox", "no more than QUIET of an account's"),
    ("SELECT MIN(next) AS next FROM ( SELECT CASE WHEN leased_until > run_at", "the first hundred jobs in their order"),
    ("SELECT * FROM balances", "the check of the ledger compares all of them; a merchant has a few dozen"),
    ("SELECT currency, account, CAST(SUM(amount)", "all sums of one merchant and mode: a few dozen rows"),
    (
        "SELECT id, account_id, event, state, kind, note, received, pack, pack_start, pack_size FROM (SELECT *",
        "few: QUIET",
    ),
    ("SELECT COUNT(*) AS more FROM (SELECT id FROM (SELECT * FROM inbox", "few: QUIET"),
    (
        "SELECT * FROM sessions WHERE merchant_id = ? AND live = ? AND order_id",
        "an order has a session for each time that one expired",
    ),
    ("SELECT * FROM exchanges WHERE attempt_id", "an attempt has a few dozen exchanges"),
    ("SELECT * FROM provider_accounts", "accounts are few, and at the start all are looked at"),
];

/// Statements whose rows PostgreSQL may or may not sort, as its planner decides.
const SOMETIMES: &[(&str, &str)] = &[
    ("SELECT id FROM payments WHERE merchant_id = ? AND status IN", "an index of those of which too much came"),
    ("UPDATE inbox SET due = ?, state = 'pending'", "those that wait for the same few references"),
    ("SELECT id, merchant_id, live, currency, amount", "as many as were asked for; sorted to be locked in one order"),
    ("SELECT payment_id, data FROM attempts WHERE payment_id IN", "as many as were asked for"),
    ("SELECT jobs.*, CASE WHEN dead IS NULL", "an index of the jobs that fail, which are few"),
    ("SELECT COUNT(*) AS more FROM (SELECT id FROM jobs", "an index of the jobs that fail, which are few"),
];

/// Statements about a row that a merchant has once for both modes, by their beginning, each with the reason.
const OF_BOTH_MODES: &[(&str, &str)] = &[("SELECT * FROM merchants WHERE id = $1", "the merchant itself")];

/// Statements that see rows outside their scope, as far as the text tells: a statement of a scope must compare or insert the merchant
/// and the mode that are bound as `$1` and `$2`.
fn out_of_scope(statements: &[Seen]) -> Vec<String> {
    let strays = |one: &&Seen| {
        // SQLite's texts differ only in their parameters, which have no names there.
        let text = one.text.split_whitespace().collect::<Vec<_>>().join(" ");
        match one.reach {
            "scope" => {
                let compares = text.contains("merchant_id = $1 AND live = $2")
                    || text.contains("payments.merchant_id = $1 AND payments.live = $2");
                let inserts = text.contains("(merchant_id, live, ") && text.contains("VALUES ($1, $2, ");
                !(compares || inserts)
            }
            "merchant" => !OF_BOTH_MODES.iter().any(|(begins, _)| text.starts_with(begins)),
            "token" => !text.contains("WHERE token = $1"),
            "nothing" => !text.starts_with("SELECT CAST(pg_notify("),
            other => other != "installation",
        }
    };
    statements.iter().filter(strays).map(|one| format!("sees more than its {}: {}", one.reach, one.text)).collect()
}

#[test]
fn a_statement_that_forgets_the_mode_is_noticed() {
    let seen = |text: &str| Seen { backend: String::new(), reach: "scope", text: text.to_owned(), kinds: vec![] };
    let wrong = [
        "SELECT * FROM payments WHERE merchant_id = $1 AND id = $3",
        "SELECT * FROM payments WHERE id = $3 AND live = $2",
        "SELECT * FROM payments WHERE merchant_id = $3 AND live = $2",
        "INSERT INTO payments (id, merchant_id, live) VALUES ($1, $2, $3)",
    ];
    assert_eq!(out_of_scope(&wrong.map(seen)).len(), wrong.len());
    assert!(
        out_of_scope(&[seen("SELECT * FROM payments WHERE merchant_id = $1 AND live = $2 AND id = $3")]).is_empty()
    );
}

/// The result for a database.
struct Executed {
    statements: Vec<Seen>,
    /// The faults of their plans.
    wrong: Vec<String>,
    /// The entries of [`ALLOWED`] that were needed.
    used: BTreeSet<&'static str>,
}

/// Executes every statement on a database that has grown, and checks the plans.
async fn executed(database: Database) -> Executed {
    seen::begin();
    let world = World::new(database).await;
    let store = world.engine().store().clone();
    calls::journey(&world).await;
    world.node.stop_background();
    fill::fill(&store, &world.database.url).await;
    calls::all(&world).await;
    let name = match store.dialect() {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    };
    let statements: Vec<Seen> = seen::all().into_iter().filter(|one| one.backend == name).collect();
    let mut wrong = vec![];
    let mut used = BTreeSet::new();
    for (one, plan) in plans::of(&store, &statements).await {
        if one.text.starts_with("SELECT id FROM inbox WHERE state = 'pending' AND received") {
            assert!(plan.text.contains("inbox_pending_of"), "asked by every page that waits for news: {}", plan.text);
        }
        let allowed = ALLOWED.iter().chain(SOMETIMES).find(|(begins, _)| plain(&one.text).starts_with(&plain(begins)));
        match (plan, allowed) {
            (Plan { scans, .. }, Some((begins, _))) if !scans.is_empty() => {
                used.insert(*begins);
            }
            (Plan { scans, text }, None) if !scans.is_empty() => {
                wrong.push(format!("{}\n  {}\n{text}", plain(&one.text), scans.join("; ")));
            }
            _ => {}
        }
    }
    notices_a_missing_index(&store, &statements).await;
    Executed { statements, wrong, used }
}

/// Checks that the test notices a missing index: otherwise finding no fault would prove nothing.
async fn notices_a_missing_index(store: &Store, statements: &[Seen]) {
    let payments =
        statements.iter().find(|one| one.text.starts_with("SELECT * FROM payments WHERE merchant_id")).unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(plans::explain(&mut tx, store.dialect(), payments).await.scans.is_empty());
    tx.execute("DROP INDEX payments_of_merchant").await.unwrap();
    assert!(!plans::explain(&mut tx, store.dialect(), payments).await.scans.is_empty());
    tx.rollback().await.unwrap();
}

/// A statement without the differences between its sizes and databases.
fn plain(text: &str) -> String {
    source::plain(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_finds_its_rows_in_an_index() {
    let (sqlite, postgres) = (executed(Database::sqlite()).await, executed(Database::postgres().await).await);
    let mut wrong = [sqlite.wrong, postgres.wrong].concat();
    wrong.extend(source::not_among(&sqlite.statements, &postgres.statements));
    wrong.extend(out_of_scope(&postgres.statements));
    let idle = ALLOWED.iter().filter(|(begins, _)| !sqlite.used.contains(begins) && !postgres.used.contains(begins));
    wrong.extend(idle.map(|(begins, _)| format!("needs no exception: {begins}")));
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}
