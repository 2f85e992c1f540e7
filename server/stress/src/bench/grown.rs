//! Measures the most frequent queries on a database that has grown: a million payments and deliveries, made by the
//! database itself.

use std::time::{Duration, Instant};

use domain::id::{AttemptId, MerchantId, PaymentId, ProviderAccountId, SessionId};
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::order::{Basket, Customer, Metadata, Policies, Returns};
use domain::payment::{Attempt, Refs, Stage};
use domain::{HOUR, Mode};
use engine::store::{Dialect, Store, journal, links, payments};
use engine::{Installation, Page, Scope};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::intake::{micros, stop};
use super::report::percentile;
use super::site::BenchSite;
use crate::Failure;
use crate::clock;
use crate::http::Client;
use crate::random::Random;

/// The bound in microseconds. A query that exceeds it at the 99th percentile fails the benchmark.
const P99_MAX_MICROS: u64 = 10_000;
/// How often each query is run; the warm-up before is not counted.
const ASKED: usize = 500;
const WARM_UP: usize = 50;
/// The number of links that the payments belong to.
const LINKS: usize = 20_000;
/// The rows of one list.
const LISTED: i64 = 50;
/// After this time a page counts as not answered.
const PATIENCE: Duration = Duration::from_secs(15);

/// The times of each query, by its name: sorted, in microseconds.
pub struct Grown {
    database: &'static str,
    rows: usize,
    questions: Vec<(&'static str, Vec<u64>)>,
}

impl Grown {
    /// The queries that exceed the bound.
    pub fn beyond(&self) -> impl Iterator<Item = String> + '_ {
        let slow = |(name, took): &(&str, Vec<u64>)| {
            let p99 = percentile(took, 99);
            (p99 > P99_MAX_MICROS).then(|| {
                let Grown { database, rows, .. } = self;
                format!(
                    "{database}: {name} takes {p99} µs (p99) with {rows} payments, and {P99_MAX_MICROS} are the most"
                )
            })
        };
        self.questions.iter().filter_map(slow)
    }

    /// A line for each query.
    pub fn lines(&self) -> Vec<String> {
        let line = |(name, took): &(&str, Vec<u64>)| {
            let ms = |percent| {
                let micros = percentile(took, percent);
                format!("{}.{:03}", micros / 1000, micros % 1000)
            };
            format!("{:<10}{name:<16}p50 {:>9} ms   p99 {:>9} ms", self.database, ms(50), ms(99))
        };
        self.questions.iter().map(line).collect()
    }

    /// The same as JSON.
    pub fn json(&self) -> Value {
        let one = |(name, took): &(&'static str, Vec<u64>)| {
            ((*name).to_owned(), json!({"p50_us": percentile(took, 50), "p99_us": percentile(took, 99)}))
        };
        let questions: serde_json::Map<_, _> = self.questions.iter().map(one).collect();
        json!({"rows": self.rows, "questions": questions})
    }
}

/// Fills the site's database and runs the queries.
pub async fn measure(site: &BenchSite, rows: usize, random: &mut Random) -> Result<Grown, Failure> {
    let began = Instant::now();
    let store = Store::connect(&site.shop.database.url).await?;
    fill(site, &store, rows).await?;
    println!("{}: {rows} payments and deliveries made in {} s", site.shop.database.name, began.elapsed().as_secs());
    let merchant: MerchantId = site.shop.merchant.parse()?;
    let scope = Installation::operator().acting_for(&merchant, Mode::Test);
    let mut questions = vec![];
    for list in [List::Payments, List::Links, List::Balances] {
        let mut took = vec![];
        for number in 0..WARM_UP + ASKED {
            let began = Instant::now();
            list.ask(&store, &scope, rows, random).await?;
            took.extend((number >= WARM_UP).then(|| micros(began.elapsed())));
        }
        took.sort_unstable();
        questions.push((list.name(), took));
    }
    let mut server = site.serve().await?;
    for (name, path, suffix, among) in [("return page", "c", "/return", rows), ("link page", "l", "", LINKS)] {
        let mut client = Client::new(site.shop.address, PATIENCE);
        let mut took = vec![];
        for number in 0..WARM_UP + ASKED {
            let row = 1 + random.below(u64::try_from(among)?);
            let began = Instant::now();
            let reply = client.get(&format!("/{path}/{row:026}{suffix}"), &[]).await?;
            if !matches!(reply.status, 200 | 303) {
                return Err(format!("the {name} of row {row} was answered with {}", reply.status).into());
            }
            took.extend((number >= WARM_UP).then(|| micros(began.elapsed())));
        }
        took.sort_unstable();
        questions.push((name, took));
    }
    stop(&mut server).await?;
    Ok(Grown { database: site.shop.database.name, rows, questions })
}

/// A merchant's lists. They are read from the store: there is no page for them yet, and a measurement of the command
/// line would include its start.
#[derive(Clone, Copy)]
enum List {
    Payments,
    Links,
    Balances,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            List::Payments => "payment list",
            List::Links => "link list",
            List::Balances => "balances",
        }
    }

    /// Reads the first page of a list, or one from the middle.
    async fn ask(self, store: &Store, scope: &Scope, rows: usize, random: &mut Random) -> Result<(), Failure> {
        let mut page = |prefix: &str, among: usize| -> Result<Page, Failure> {
            let row = 1 + random.below(u64::try_from(among)?);
            let after = random.percent(50).then(|| format!("{prefix}_{row:026}"));
            Ok(Page { after, limit: LISTED })
        };
        let mut connection = store.reader().await?;
        match self {
            List::Payments => {
                payments::of_merchant(&mut connection, scope, &page("pi", rows)?).await?;
            }
            List::Links => {
                let listed = links::of_merchant(&mut connection, scope, &page("plink", LINKS)?).await?;
                let ids: Vec<_> = listed.rows.into_iter().map(|link| link.id).collect();
                payments::paid_of_links(&mut connection, scope, &ids).await?;
            }
            List::Balances => {
                journal::balances(&mut connection, scope).await?;
            }
        }
        Ok(())
    }
}

/// Makes the rows: each payment has an order, an attempt with two references, a capture, an event of each kind, a session, a
/// transaction of the journal and a delivery.
async fn fill(site: &BenchSite, store: &Store, rows: usize) -> Result<(), Failure> {
    install_default_drivers();
    let mut connection = AnyConnection::connect(&site.shop.database.url).await?;
    let begin = match store.dialect() {
        Dialect::Sqlite => {
            "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;
             PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE"
        }
        Dialect::Postgres => "SET session_replication_role = replica; SET synchronous_commit = off; BEGIN",
    };
    connection.execute(begin).await?;
    for (table, count, columns) in tables(site, rows)? {
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let values = columns.iter().map(|(_, value)| expanded(value)).collect::<Vec<_>>().join(", ");
        let text = format!(
            "INSERT INTO {table} ({names}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             SELECT {values} FROM n"
        );
        connection.execute(AssertSqlSafe(text)).await.map_err(|error| format!("{table}: {error}"))?;
    }
    connection.execute("COMMIT").await?;
    if store.dialect() == Dialect::Postgres {
        connection.execute("VACUUM ANALYZE").await?;
    }
    connection.close().await?;
    Ok(())
}

/// A table, how many rows it gets, and the value of each column in row `i`.
type Table = (&'static str, usize, Vec<(&'static str, String)>);

fn tables(site: &BenchSite, rows: usize) -> Result<Vec<Table>, Failure> {
    let now = clock::millis();
    let (merchant, account) = (format!("'{}'", site.shop.merchant), format!("'{}'", site.shop.account.id));
    // The newest rows are of this moment, and the rows lie a second apart.
    let at = format!("{now} - ({rows} - i) * 1000");
    let link = format!("@plink % {LINKS}");
    let attempt = attempt(&site.shop.account.id, now)?;
    let unit = Money::new(3098, "EUR".parse()?);
    let lines = vec![Line { name: "Tea".to_owned(), description: None, unit, quantity: 1, tax: None }];
    let (basket, customer) = (json_text(&Basket::of(lines))?, json_text(&Customer::default())?);
    let (metadata, returns) = (json_text(&Metadata::default())?, json_text(&Returns::default())?);
    let policies = json_text(&Policies::default())?;
    let reference = |kind: &'static str, name: &'static str| {
        let of_row = [("reference", name), ("attempt_id", "@att"), ("payment_id", "@pi")];
        [[("account_id", account.as_str()), ("kind", kind)].as_slice(), &of_row].concat()
    };
    let entry = |line: &'static str, kind: &'static str, party, amount| {
        let of_row = [("source_id", "@pi"), ("number", "1"), ("line", line), ("business", "'capture'")];
        [of_row.as_slice(), &[("account", kind), ("party", party), ("currency", "'EUR'"), ("amount", amount)]].concat()
    };
    let (each, negative) = ((rows / 8 * 3098).to_string(), format!("-{}", rows / 8 * 3098));
    let balance = |kind: &'static str, party, amount| {
        let of_merchant = [("merchant_id", merchant.as_str()), ("live", "0"), ("currency", "'EUR'")];
        [of_merchant.as_slice(), &[("account", kind), ("party", party), ("shard", "i - 1"), ("amount", amount)]]
            .concat()
    };
    let table = |name, count, columns: &[(&'static str, &str)]| -> Table {
        (name, count, columns.iter().map(|(column, value)| (*column, (*value).to_owned())).collect())
    };
    Ok(vec![
        table(
            "links",
            LINKS,
            &[
                ("id", "@plink"),
                ("token", "@"),
                ("merchant_id", &merchant),
                ("state", "'active'"),
                ("once", "0"),
                ("live", "0"),
                ("currency", "'EUR'"),
                ("total", "3098"),
                ("basket", &basket),
                ("metadata", &metadata),
                ("returns", &returns),
                ("policies", &policies),
                ("created", &at),
            ],
        ),
        table(
            "orders",
            rows,
            &[
                ("id", "@ord"),
                ("merchant_id", &merchant),
                ("live", "0"),
                ("link_id", &link),
                ("once", "0"),
                ("currency", "'EUR'"),
                ("total", "3098"),
                ("basket", &basket),
                ("customer", &customer),
                ("fields", "'[]'"),
                ("metadata", &metadata),
                ("returns", &returns),
                ("policies", &policies),
                ("created", &at),
            ],
        ),
        table(
            "payments",
            rows,
            &[
                ("id", "@pi"),
                ("merchant_id", &merchant),
                ("order_id", "@ord"),
                ("link_id", &link),
                ("live", "0"),
                ("currency", "'EUR'"),
                ("amount", "3098"),
                ("capture", "'automatic'"),
                ("canceled", "0"),
                ("status", "CASE WHEN i % 2 = 0 THEN 'succeeded' ELSE 'requires_payment' END"),
                ("authorised", "3098 * (1 - i % 2)"),
                ("captured", "3098 * (1 - i % 2)"),
                ("refunded", "0"),
                ("seq", "1"),
                ("told", "1"),
                ("revision", "1"),
                ("created", &at),
                ("updated", &at),
            ],
        ),
        table(
            "attempts",
            rows,
            &[
                ("id", "@att"),
                ("payment_id", "@pi"),
                ("account_id", &account),
                ("ordinal", "0"),
                ("live", "1"),
                ("data", &attempt),
                ("created", &at),
                ("updated", &at),
            ],
        ),
        table("attempt_references", rows, &reference("'session'", "@cs")),
        table("attempt_references", rows, &reference("'payment'", "@pi")),
        table(
            "movements",
            rows,
            &[
                ("id", "@cap"),
                ("merchant_id", &merchant),
                ("live", "0"),
                ("payment_id", "@pi"),
                ("attempt_id", "@att"),
                ("kind", "'capture'"),
                ("currency", "'EUR'"),
                ("amount", "3098"),
                ("lost", "0"),
                ("state", "'succeeded'"),
                ("reference", "@ref"),
                ("created", &at),
                ("updated", &at),
            ],
        ),
        table(
            "events",
            rows,
            &[
                ("id", "@evt"),
                ("merchant_id", &merchant),
                ("live", "0"),
                ("name", "'x'"),
                ("object_kind", "'payment'"),
                ("object_id", "@pi"),
                ("payment_id", "@pi"),
                ("number", "1"),
                ("seq", "1"),
                ("change", "'{}'"),
                ("snapshot", "'{}'"),
                ("source", "'engine'"),
                ("actor", "'engine'"),
                ("created", &at),
            ],
        ),
        table(
            "payment_events",
            rows,
            &[
                ("payment_id", "@pi"),
                ("seq", "1"),
                ("name", "'x'"),
                ("data", "'{}'"),
                ("source", "'engine'"),
                ("actor", "'engine'"),
                ("at", &at),
            ],
        ),
        table(
            "sessions",
            rows,
            &[
                ("id", "@cs"),
                ("token", "@"),
                ("merchant_id", &merchant),
                ("live", "0"),
                ("order_id", "@ord"),
                ("payment_id", "@pi"),
                ("state", "'open'"),
                ("extension", "0"),
                ("expires", &format!("{now} + {HOUR}")),
                ("revision", "0"),
                ("created", &at),
            ],
        ),
        table(
            "transactions",
            rows,
            &[
                ("source", "'payment_event'"),
                ("source_id", "@pi"),
                ("number", "1"),
                ("merchant_id", &merchant),
                ("live", "0"),
                ("at", &at),
            ],
        ),
        table("entries", rows, &entry("0", "'provider_receivable'", &account, "3098")),
        table("entries", rows, &entry("1", "'merchant_payable'", "''", "-3098")),
        // A merchant's sums are spread over this many rows.
        table("balances", 8, &balance("'provider_receivable'", &account, &each)),
        table("balances", 8, &balance("'merchant_payable'", "''", &negative)),
        // One delivery in a hundred waits for its payment.
        table(
            "inbox",
            rows,
            &[
                ("id", "@in"),
                ("account_id", &account),
                ("event", "@evt"),
                ("state", "CASE WHEN i % 100 = 0 THEN 'waiting' ELSE 'applied' END"),
                ("pack", "@in"),
                ("due", &format!("{now} + {HOUR}")),
                ("received", &at),
            ],
        ),
        table("inbox_packs", rows / 16, &[("id", "@in"), ("bytes", "''")]),
        table("inbox_waits", rows / 100, &[("wanted", "@att"), ("inbox_id", "@in")]),
    ])
}

/// A value as an SQL text literal.
fn json_text<T: Serialize>(value: &T) -> Result<String, Failure> {
    Ok(format!("'{}'", serde_json::to_string(value)?.replace('\'', "''")))
}

/// An attempt with an open page in its stored form, with the ids of row `i`.
fn attempt(account: &str, now: i64) -> Result<String, Failure> {
    let account: ProviderAccountId = account.parse()?;
    let (id, session) = (AttemptId::from_random([1; 16]), SessionId::from_random([2; 16]));
    let owed = Money::new(3098, "EUR".parse()?);
    let mut attempt = Attempt::new(id.clone(), session.clone(), account, Method::Card, owed, now, now + HOUR);
    attempt.stage = Stage::Open;
    attempt.refs =
        Refs { session: Some("cs_ref".to_owned()), payment: Some(PaymentId::from_random([3; 16]).to_string()) };
    let stored = serde_json::to_string(&attempt)?.replace('\'', "''");
    Ok(format!("REPLACE(REPLACE('{stored}', '{id}', {}), '{session}', {})", expanded("@att"), expanded("@cs")))
}

/// An expression with ids written out: `@pi` is the id of row `i` with the prefix `pi`.
fn expanded(value: &str) -> String {
    let Some(id) = value.strip_prefix('@') else { return value.to_owned() };
    let (prefix, number) = match id.split_once(" % ") {
        Some((prefix, of)) => (prefix, format!("(i % {of} + 1)")),
        None => (id, "i".to_owned()),
    };
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}_") };
    let digits = format!("CAST({number} AS TEXT)");
    format!("'{prefix}' || SUBSTR('{}' || {digits}, LENGTH({digits}) + 1)", "0".repeat(26))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_takes_too_long_is_told() {
        let took = |slow: u64| [vec![1_000; 98], vec![slow, slow]].concat();
        let questions = vec![("link page", took(P99_MAX_MICROS)), ("balances", took(P99_MAX_MICROS + 1))];
        let grown = Grown { database: "sqlite", rows: 7, questions };
        let beyond: Vec<String> = grown.beyond().collect();
        assert_eq!(beyond.len(), 1, "{beyond:?}");
        assert!(beyond[0].starts_with("sqlite: balances takes 10001 µs"), "{beyond:?}");
        assert_eq!(grown.json()["questions"]["link page"]["p50_us"], 1_000);
    }

    #[test]
    fn ids_are_of_their_row() {
        assert_eq!(expanded("i % 2"), "i % 2");
        assert!(expanded("@plink % 10").starts_with("'plink_' || SUBSTR('00000"));
    }
}
