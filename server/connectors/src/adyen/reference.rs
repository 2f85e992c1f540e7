//! Our references at Adyen. Of everything we can hand it, a webhook's signature covers the reference alone; so that is where
//! what we must know about a payment stands.

use domain::id::{AttemptId, ModificationId};
use domain::payment::Capture;

/// Marks a payment that is captured later. Webhooks do not say it, and for the money it makes all the difference.
const MANUAL: &str = "-m";

/// What a reference of ours names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ours {
    /// An attempt, and when its money is taken.
    Attempt(AttemptId, Capture),
    /// A capture, void or refund.
    Modification(ModificationId),
}

/// The reference of an attempt.
pub(super) fn of_attempt(attempt: &AttemptId, capture: Capture) -> String {
    match capture {
        Capture::Automatic => attempt.to_string(),
        Capture::Manual => format!("{attempt}{MANUAL}"),
    }
}

/// What a reference names, if it is one of ours.
pub(super) fn read(reference: &str) -> Option<Ours> {
    if let Ok(modification) = reference.parse() {
        return Some(Ours::Modification(modification));
    }
    let (attempt, capture) = match reference.strip_suffix(MANUAL) {
        Some(attempt) => (attempt, Capture::Manual),
        None => (reference, Capture::Automatic),
    };
    Some(Ours::Attempt(attempt.parse().ok()?, capture))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn references_read_back(random: [u8; 16], manual: bool) {
            let attempt = AttemptId::from_random(random);
            let capture = if manual { Capture::Manual } else { Capture::Automatic };
            prop_assert_eq!(read(&of_attempt(&attempt, capture)), Some(Ours::Attempt(attempt, capture)));
            let modification = ModificationId::from_random(random);
            prop_assert_eq!(read(modification.as_str()), Some(Ours::Modification(modification)));
        }

        #[test]
        fn other_references_are_not_ours(noise in ".{0,60}") {
            prop_assert_eq!(read(&noise), None);
        }
    }
}
