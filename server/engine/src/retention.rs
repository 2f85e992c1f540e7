//! How long rows are kept that are no longer needed.

use std::str::FromStr;

use thiserror::Error;

/// Days for each kind of rows. Any other kind is kept for good: payments that were started, and their books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The references that a delivery for an unknown payment waits for. After these days the delivery is not applied, even if its
    /// payment becomes known.
    pub waits: i64,
    /// The bytes of deliveries.
    pub bodies: i64,
    /// The record that an event was delivered. After these days a repetition would count as new, and Adyen signs no time.
    pub deliveries: i64,
    /// Exchanges between Till and providers.
    pub exchanges: i64,
    /// Events for merchants.
    pub events: i64,
    /// Jobs that were given up.
    pub dead_jobs: i64,
    /// Orders whose payment was never started, with their payments and sessions.
    pub unstarted: i64,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { waits: 30, bodies: 90, deliveries: 3_650, exchanges: 90, events: 90, dead_jobs: 400, unstarted: 30 }
    }
}

/// Names with the fewest and the most days.
const BOUNDS: [(&str, i64, i64); 7] = [
    ("waits", 2, 3_650),
    ("bodies", 2, 3_650),
    ("deliveries", 400, 36_500),
    ("exchanges", 1, 3_650),
    ("events", 7, 3_650),
    ("dead-jobs", 7, 3_650),
    ("unstarted", 2, 3_650),
];

impl Retention {
    /// The names of the kinds of rows.
    #[must_use]
    pub fn names() -> [&'static str; BOUNDS.len()] {
        BOUNDS.map(|(name, ..)| name)
    }

    fn field(&mut self, name: &str) -> Option<&mut i64> {
        Some(match name {
            "waits" => &mut self.waits,
            "bodies" => &mut self.bodies,
            "deliveries" => &mut self.deliveries,
            "exchanges" => &mut self.exchanges,
            "events" => &mut self.events,
            "dead-jobs" => &mut self.dead_jobs,
            "unstarted" => &mut self.unstarted,
            _ => return None,
        })
    }
}

/// Days that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RetentionError {
    /// A pair is not of the form `name=days`.
    #[error("{0:?} is no pair")]
    Form(String),
    /// There is nothing of this name.
    #[error("{0:?} is nothing that is kept")]
    Unknown(String),
    /// The days are outside of the bounds.
    #[error("{name} is not from {least} to {most}")]
    Days {
        /// The name.
        name: String,
        /// The fewest days.
        least: i64,
        /// The most days.
        most: i64,
    },
    /// A delivery that waits needs its bytes.
    #[error("waits={waits} is longer than bodies={bodies}")]
    WaitsWithoutBodies {
        /// The days that deliveries wait.
        waits: i64,
        /// The days that bytes are kept.
        bodies: i64,
    },
}

impl FromStr for Retention {
    type Err = RetentionError;

    /// From pairs such as `bodies=30,exchanges=14`. A kind that is not named keeps its default.
    fn from_str(text: &str) -> Result<Retention, RetentionError> {
        let mut retention = Retention::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, days) = pair.split_once('=').ok_or_else(|| RetentionError::Form(pair.to_owned()))?;
            let (name, days) = (name.trim(), days.trim());
            let bounds = BOUNDS.iter().find(|(known, ..)| *known == name);
            let (Some((_, least, most)), Some(field)) = (bounds, retention.field(name)) else {
                return Err(RetentionError::Unknown(name.to_owned()));
            };
            let days = days.parse().ok().filter(|days| (least..=most).contains(&days));
            let wrong = || RetentionError::Days { name: name.to_owned(), least: *least, most: *most };
            *field = days.ok_or_else(wrong)?;
        }
        if retention.waits > retention.bodies {
            let (waits, bodies) = (retention.waits, retention.bodies);
            return Err(RetentionError::WaitsWithoutBodies { waits, bodies });
        }
        Ok(retention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_keeps_its_days() {
        assert_eq!("".parse(), Ok(Retention::default()));
        let some = Retention { bodies: 40, exchanges: 14, ..Retention::default() };
        assert_eq!(" bodies=40, exchanges = 14,".parse(), Ok(some));
    }

    #[test]
    fn impossible_days_are_refused() {
        let error = |text: &str| text.parse::<Retention>().unwrap_err();
        assert_eq!(error("bodies"), RetentionError::Form("bodies".to_owned()));
        assert_eq!(error("ledger=1"), RetentionError::Unknown("ledger".to_owned()));
        for (name, least, most) in BOUNDS {
            for days in [(least - 1).to_string(), (most + 1).to_string(), "x".to_owned(), String::new()] {
                let expected = RetentionError::Days { name: name.to_owned(), least, most };
                assert_eq!(error(&format!("{name}={days}")), expected);
            }
        }
        assert_eq!(error("bodies=10"), RetentionError::WaitsWithoutBodies { waits: 30, bodies: 10 });
        assert!("bodies=10,waits=10".parse::<Retention>().is_ok());
    }

    #[test]
    fn the_defaults_are_within_their_bounds() {
        let mut retention = Retention::default();
        for (name, least, most) in BOUNDS {
            assert!((least..=most).contains(retention.field(name).unwrap()), "{name}");
        }
    }
}
