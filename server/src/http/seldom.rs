//! Logs repeated messages seldom: many requests may have one cause, and a log is for reading.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two log lines about the same cause.
const PAUSE: Duration = Duration::from_secs(60);

/// The time of the last message.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Calls `say`, unless that happened less than a minute ago.
    pub fn seldom(&self, say: impl FnOnce()) {
        self.at(Instant::now(), say);
    }

    fn at(&self, now: Instant, say: impl FnOnce()) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| now.duration_since(said) > PAUSE) {
            *said = Some(now);
            say();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute() {
        let (seldom, begun, mut said) = (Seldom::default(), Instant::now(), 0);
        for (seconds, expected) in [(0, 1), (1, 1), (60, 1), (61, 2), (62, 2), (121, 2), (122, 3)] {
            seldom.at(begun + Duration::from_secs(seconds), || said += 1);
            assert_eq!(said, expected, "after {seconds} seconds");
        }
    }
}
