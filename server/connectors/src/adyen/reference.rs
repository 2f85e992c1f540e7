//! Our references at Adyen. The merchant reference is the only value of ours that a webhook's signature covers, so it carries all facts
//! that we need about a payment: `att_…`, `-m` if the payment is captured later, and a mark of its account.

use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::payment::Capture;

/// Marks a payment that is captured later. Webhooks do not name the capture mode, which decides whether a successful payment is already
/// captured.
const MANUAL: &str = "-m";
/// The characters of the account's mark. Several installations of Till can share a merchant account, and every installation receives the
/// events of every payment.
const MARK_CHARS: usize = 8;

/// The object that a reference of ours names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ours {
    /// An attempt, and whether its money is captured at once or later.
    Attempt(AttemptId, Capture),
    /// A capture, void or refund.
    Modification(ModificationId),
    /// An attempt at another account, with that account's mark.
    Elsewhere(String),
}

/// The reference of an attempt at an account.
pub(super) fn of_attempt(attempt: &AttemptId, capture: Capture, account: &ProviderAccountId) -> String {
    let manual = if capture == Capture::Manual { MANUAL } else { "" };
    format!("{attempt}{manual}-{}", mark(account))
}

/// The mark: the end of the account's id.
fn mark(account: &ProviderAccountId) -> &str {
    let id = account.as_str();
    id.get(id.len() - MARK_CHARS..).unwrap_or(id)
}

/// The object that a reference names, if the reference is Till's. Older references have no mark.
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

    /// The most characters of a merchant reference at Adyen.
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
