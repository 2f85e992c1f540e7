//! How the engine is sized: its inbox, and what shoppers have under way.

use std::time::Duration;

use domain::{Millis, SECOND};

use crate::retention::Retention;
use crate::store::Dialect;

/// How deliveries are stored. All but the first are for comparison in benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// Those that arrive together share a transaction.
    Group,
    /// Each has a transaction of its own.
    Single,
    /// Authenticated and thrown away. Never for real deliveries.
    Discard,
}

/// How the engine is sized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// How deliveries are stored.
    pub intake: Intake,
    /// Deliveries that wait for their commit at most; further ones are asked to come again.
    pub queue: usize,
    /// Their bytes at most.
    pub queue_bytes: usize,
    /// Events of one transaction.
    pub batch: usize,
    /// Transactions under way that store.
    pub committers: usize,
    /// Transactions under way that apply.
    pub appliers: usize,
    /// Events that wait in memory to be applied.
    pub handover: usize,
    /// How long an event is its taker's, in milliseconds. Applying takes a fraction of it.
    pub lease: Millis,
    /// Actions of shoppers that go on at a time, whether or not anybody still waits for them.
    pub actions: usize,
    /// How long a shopper waits after one click, whatever it takes. The action goes on, and the page shows what comes of it.
    pub click: Duration,
    /// Payments that a walk through a merchant's payments looks at in one transaction.
    pub walk: i64,
    /// How long what is not needed any more is kept.
    pub retention: Retention,
}

impl Tuning {
    /// What was measured to do well (docs/decisions/0006-group-commit.md).
    #[must_use]
    pub fn of(dialect: Dialect) -> Tuning {
        let (committers, appliers) = match dialect {
            // One writer at a time; while one batch is applied, the next gathers.
            Dialect::Sqlite => (1, 1),
            Dialect::Postgres => (2, 2),
        };
        Tuning {
            intake: Intake::Group,
            queue: 1_024,
            queue_bytes: 64 * 1024 * 1024,
            batch: 256,
            committers,
            appliers,
            handover: 2_048,
            lease: 15 * SECOND,
            actions: 256,
            click: Duration::from_secs(12),
            walk: 500,
            retention: Retention::default(),
        }
    }

    /// The same with another way of storing. With a transaction for each delivery, as many are under way as the database
    /// bears.
    #[must_use]
    pub fn with(self, intake: Intake, dialect: Dialect) -> Tuning {
        match (intake, dialect) {
            (Intake::Single, Dialect::Sqlite) => Tuning { intake, batch: 1, ..self },
            (Intake::Single, Dialect::Postgres) => Tuning { intake, batch: 1, committers: 14, ..self },
            _ => Tuning { intake, ..self },
        }
    }
}
