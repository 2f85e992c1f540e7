//! How long rows are kept that are no longer needed.

use std::str::FromStr;

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

impl FromStr for Retention {
    type Err = String;

    /// From pairs such as `bodies=30,exchanges=14`. A kind that is not named keeps its default.
    fn from_str(text: &str) -> Result<Retention, String> {
        let mut retention = Retention::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, days) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not of the form name=days"))?;
            let (name, days) = (name.trim(), days.trim());
            let bounds = BOUNDS.iter().find(|(known, ..)| *known == name);
            let (Some((_, least, most)), Some(field)) = (bounds, retention.field(name)) else {
                let known = BOUNDS.map(|(name, ..)| name).join(", ");
                return Err(format!("{name:?} is nothing that is kept; there are {known}"));
            };
            let days = days.parse().ok().filter(|days| (least..=most).contains(&days));
            *field = days.ok_or_else(|| format!("{name} must be a number of days from {least} to {most}"))?;
        }
        if retention.waits > retention.bodies {
            return Err(format!(
                "waits={} is longer than bodies={}; a delivery that waits needs its bytes, so raise bodies or lower waits",
                retention.waits, retention.bodies
            ));
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
    fn impossible_days_say_what_to_change() {
        let error = |text: &str| text.parse::<Retention>().unwrap_err();
        assert_eq!(error("bodies"), "\"bodies\" is not of the form name=days");
        assert!(error("ledger=1").contains("waits, bodies, deliveries"));
        for (name, least, most) in BOUNDS {
            for days in [(least - 1).to_string(), (most + 1).to_string(), "x".to_owned(), String::new()] {
                assert_eq!(
                    error(&format!("{name}={days}")),
                    format!("{name} must be a number of days from {least} to {most}")
                );
            }
        }
        assert!(error("bodies=10").contains("waits=30 is longer than bodies=10"));
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
