//! Reads plans and finds their faults.

use std::collections::BTreeSet;

use engine::store::seen::Seen;
use engine::store::{Connection, Dialect, Store};
use sqlx::{AssertSqlSafe, Executor, Row};

use super::fill::LARGE;

/// A plan.
pub struct Plan {
    /// The steps that read a whole table, use only an owner's index, or sort.
    pub scans: Vec<String>,
    /// The plan as the database prints it.
    pub text: String,
}

/// The plans of statements, in the same order.
pub async fn of(store: &Store, statements: &[Seen]) -> Vec<(Seen, Plan)> {
    let mut plans = vec![];
    for one in statements {
        // Read-only connections have other settings.
        let plan = if one.text.trim_start().starts_with("SELECT") && !one.text.contains("FOR UPDATE") {
            let mut reader = store.reader().await.unwrap();
            explain(&mut reader, store.dialect(), one).await
        } else {
            let mut tx = store.begin().await.unwrap();
            explain(&mut tx, store.dialect(), one).await
        };
        plans.push((one.clone(), plan));
    }
    plans
}

/// The plan of one statement.
pub async fn explain(connection: &mut Connection, dialect: Dialect, one: &Seen) -> Plan {
    match dialect {
        Dialect::Sqlite => of_sqlite(connection, one).await,
        Dialect::Postgres => of_postgres(connection, one).await,
    }
}

/// Partial indexes are small, and reading one as a whole is its purpose.
const PARTIAL: &str =
    "SELECT CAST(name AS TEXT) AS name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'";
const PARTIAL_POSTGRES: &str =
    "SELECT CAST(indexrelid::regclass AS TEXT) AS name FROM pg_index WHERE indpred IS NOT NULL";
/// This partial index has nearly all rows.
const NEARLY_ALL: [&str; 1] = ["jobs_due"];

async fn names(connection: &mut Connection, text: &'static str) -> BTreeSet<String> {
    let rows = sqlx::query(text).fetch_all(connection).await.unwrap();
    let names = rows.iter().map(|row| row.get::<String, _>("name"));
    names.filter(|name| !NEARLY_ALL.contains(&name.as_str())).collect()
}

/// Columns of which one value may own nearly all rows of a table. An index on such a column alone does not narrow a
/// search.
const OWNERS: [&str; 2] = ["account_id", "merchant_id"];

async fn of_sqlite(connection: &mut Connection, one: &Seen) -> Plan {
    let partial = names(connection, PARTIAL).await;
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", one.text))).fetch_all(&mut *connection).await;
    let rows = rows.unwrap_or_else(|error| panic!("{error}: {}", one.text));
    let lines: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let is_scan = |line: &&String| {
        let words: Vec<&str> = line.split(' ').collect();
        let by = words.iter().position(|word| *word == "INDEX").and_then(|at| words.get(at + 1));
        let scans =
            words[0] == "SCAN" && LARGE.contains(&words[1]) && !by.is_some_and(|index| partial.contains(*index));
        let by_owner = words[0] == "SEARCH"
            && OWNERS.iter().any(|owner| {
                line.ends_with(&format!(" ({owner}=?)")) || line.ends_with(&format!(" ({owner}=? AND live=?)"))
            });
        let by_owner = by_owner && LARGE.contains(&words[1]) && !by.is_some_and(|index| partial.contains(*index));
        // Rows that lack only the last key of their order are few at a time.
        let sorts = line.starts_with("USE TEMP B-TREE") && !line.contains(" PART ") && !line.contains("LAST");
        scans || by_owner || sorts
    };
    Plan { scans: lines.iter().filter(is_scan).cloned().collect(), text: lines.join("\n") }
}

async fn of_postgres(connection: &mut Connection, one: &Seen) -> Plan {
    let partial = names(connection, PARTIAL_POSTGRES).await;
    let types = if one.kinds.is_empty() { String::new() } else { format!("({})", one.kinds.join(", ")) };
    let values =
        if one.kinds.is_empty() { String::new() } else { format!("({})", vec!["NULL"; one.kinds.len()].join(", ")) };
    // A generic plan fits all values, as for a statement that is executed often.
    let script = format!("SET plan_cache_mode = force_generic_plan; PREPARE asked {types} AS {}", one.text);
    let prepared = connection.execute(sqlx::raw_sql(AssertSqlSafe(script))).await;
    prepared.unwrap_or_else(|error| panic!("{error}: {}", one.text));
    let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE asked {values}"));
    let rows = connection.fetch_all(sqlx::raw_sql(explain)).await.unwrap();
    connection.execute("DEALLOCATE asked; RESET plan_cache_mode").await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut scans = vec![];
    for (at, line) in lines.iter().enumerate() {
        let node = line.trim_start().trim_start_matches("->").trim_start();
        let words: Vec<&str> = node.split(' ').collect();
        let of =
            words.iter().position(|word| *word == "on").and_then(|on| words.get(on + 1)).copied().unwrap_or_default();
        let by = words.iter().position(|word| *word == "using").and_then(|using| words.get(using + 1)).copied();
        // A node's conditions follow it with a deeper indent.
        let indent = |line: &str| line.len() - line.trim_start().len();
        let inner = lines[at + 1..]
            .iter()
            .take_while(|next| indent(next) > indent(line) && !next.trim_start().starts_with("->"));
        let is_sought = inner.clone().any(|next| next.contains("Index Cond:") && !next.ends_with("IS NOT NULL)"));
        let is_index = ["Index Scan", "Index Only Scan", "Bitmap Index Scan"].iter().any(|kind| node.starts_with(kind));
        let is_owner = |next: &String| {
            let condition = next.trim_start().strip_prefix("Index Cond: (");
            let by = |condition: &str| OWNERS.iter().any(|owner| condition.starts_with(&format!("{owner} = $")));
            let of_mode = |condition: &str| condition.starts_with("(merchant_id = $1) AND (live = $2))");
            condition.is_some_and(|condition| by(condition) && !condition.contains(" AND ") || of_mode(condition))
        };
        let is_of_few = of.starts_with("provider_accounts");
        let is_scan = (node.starts_with("Seq Scan") || node.starts_with("Parallel Seq Scan")) && LARGE.contains(&of)
            || (node.starts_with("Index Scan") || node.starts_with("Index Only Scan"))
                && LARGE.contains(&of)
                && !is_sought
                && !by.is_some_and(|index| partial.contains(index))
            || node.starts_with("Bitmap Index Scan") && !is_sought && !partial.contains(of)
            || node.starts_with("Sort") && !node.starts_with("Sort Key")
            || is_index && inner.clone().any(is_owner) && !partial.contains(by.unwrap_or(of)) && !is_of_few;
        if is_scan {
            scans.push(node.to_owned());
        }
    }
    Plan { scans, text: lines.join("\n") }
}
