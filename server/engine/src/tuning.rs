//! The size of the engine: its inbox, and the shoppers' actions under way.

use std::time::Duration;

use domain::{Millis, SECOND};

use crate::retention::Retention;
use crate::store::Dialect;

/// How deliveries are stored. All ways but the first are for comparison in benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// Deliveries that arrive together share a transaction.
    Group,
    /// Each delivery has a transaction of its own.
    Single,
    /// Deliveries are authenticated and thrown away. Never for real deliveries.
    Discard,
}

/// The size of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// How deliveries are stored.
    pub intake: Intake,
    /// The most deliveries that wait for their commit. The provider is asked to send further ones again.
    pub queue: usize,
    /// The most bytes of the deliveries that wait for their commit.
    pub queue_bytes: usize,
    /// The most events of one transaction.
    pub batch: usize,
    /// The most transactions under way that store deliveries.
    pub committers: usize,
    /// The most transactions under way that apply events.
    pub appliers: usize,
    /// The most events that wait in memory to be applied.
    pub handover: usize,
    /// How long an event is leased, in milliseconds. Applying takes a fraction of the lease.
    pub lease: Millis,
    /// The most actions of shoppers under way, whether or not a shopper still waits for them.
    pub actions: usize,
    /// The longest time a shopper waits after one click. The action continues, and the page shows its outcome.
    pub click: Duration,
    /// The most payments that a walk through a merchant's payments examines in one transaction.
    pub walk: i64,
    /// How long data is kept that is no longer needed.
    pub retention: Retention,
}

impl Tuning {
    /// The size that did well in measurements (docs/decisions/0006-group-commit.md).
    #[must_use]
    pub fn of(dialect: Dialect) -> Tuning {
        let (committers, appliers) = match dialect {
            // SQLite has one writer at a time. While one batch is applied, the next gathers.
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

    /// The same size with another way of storing. With a transaction for each delivery, as many transactions are under way as the
    /// database bears.
    #[must_use]
    pub fn with(self, intake: Intake, dialect: Dialect) -> Tuning {
        match (intake, dialect) {
            (Intake::Single, Dialect::Sqlite) => Tuning { intake, batch: 1, ..self },
            (Intake::Single, Dialect::Postgres) => Tuning { intake, batch: 1, committers: 14, ..self },
            _ => Tuning { intake, ..self },
        }
    }
}
