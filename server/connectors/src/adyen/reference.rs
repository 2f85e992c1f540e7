//! Our references at Adyen. Of everything we can hand it, a webhook's signature covers the reference alone; so that is where
//! what we must know about a payment stands: `att_…`, `-m` if it is captured later, and a mark of the account it belongs to.

use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::payment::Capture;

/// Marks a payment that is captured later. Webhooks do not say it, and for the money it makes all the difference.
const MANUAL: &str = "-m";
/// Characters of the account's mark. Several installations of Till can share a merchant account, and all hear of every payment.
const MARK_CHARS: usize = 8;

/// What a reference of ours names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ours {
    /// An attempt, and when its money is taken.
    Attempt(AttemptId, Capture),
    /// A capture, void or refund.
    Modification(ModificationId),
    /// An attempt at another account, by its mark.
    Elsewhere(String),
}

/// The reference of an attempt at an account.
pub(super) fn of_attempt(attempt: &AttemptId, capture: Capture, account: &ProviderAccountId) -> String {
    let manual = if capture == Capture::Manual { MANUAL } else { "" };
    format!("{attempt}{manual}-{}", mark(account))
}

/// The end of an account's id.
fn mark(account: &ProviderAccountId) -> &str {
    let id = account.as_str();
    id.get(id.len() - MARK_CHARS..).unwrap_or(id)
}

/// What a reference names, if it is one of Till's. Older ones bear no mark.
pub(super) fn read(reference: &str, account: &ProviderAccountId) -> Option<Ours> {
    if let Ok(modification) = reference.parse() {
        return Some(Ours::Modification(modification));
    }
    let marked = reference.rsplit_once('-').filter(|(_, mark)| mark.len() == MARK_CHARS);
    let (rest, theirs) = marked.map_or((reference, None), |(rest, mark)| (rest, Some(mark)));
    let (attempt, capture) = match rest.strip_suffix(MANUAL) {
        Some(attempt) => (attempt, Capture::Manual),
        None => (rest, Capture::Automatic),
    };
    let attempt = attempt.parse().ok()?;
    match theirs.filter(|theirs| *theirs != mark(account)) {
        Some(theirs) => Some(Ours::Elsewhere(theirs.to_owned())),
        None => Some(Ours::Attempt(attempt, capture)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Characters of a merchant reference at Adyen at most.
    const REFERENCE_CHARS_MAX: usize = 80;

    fn account(end: u8) -> ProviderAccountId {
        ProviderAccountId::from_random([end; 16])
    }

    proptest! {
        #[test]
        fn references_read_back(random: [u8; 16], manual: bool) {
            let attempt = AttemptId::from_random(random);
            let capture = if manual { Capture::Manual } else { Capture::Automatic };
            let (account, other) = (account(1), account(2));
            let reference = of_attempt(&attempt, capture, &account);
            prop_assert!(reference.len() <= REFERENCE_CHARS_MAX);
            prop_assert_eq!(read(&reference, &account), Some(Ours::Attempt(attempt.clone(), capture)));
            prop_assert_eq!(read(&reference, &other), Some(Ours::Elsewhere(mark(&account).to_owned())));
            let unmarked = format!("{attempt}{}", if manual { MANUAL } else { "" });
            prop_assert_eq!(read(&unmarked, &account), Some(Ours::Attempt(attempt, capture)));
            let modification = ModificationId::from_random(random);
            prop_assert_eq!(read(modification.as_str(), &account), Some(Ours::Modification(modification)));
        }

        #[test]
        fn other_references_are_not_ours(noise in ".{0,60}") {
            prop_assert_eq!(read(&noise, &account(1)), None);
        }
    }
}
