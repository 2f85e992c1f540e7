//! The words that every language must have. A missing word does not compile.

use domain::checkout::Phase;
use domain::method::Method;
use domain::session::Notice;

/// The values for sentences. Amounts are already written in the language's way, and names are isolated.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The merchant.
    pub merchant: String,
    /// The order's total.
    pub total: String,
    /// The amount received.
    pub received: String,
    /// The amount refunded.
    pub refunded: String,
    /// The amount that banks took back.
    pub returned: String,
    /// The amount that the merchant keeps beyond the order.
    pub kept: String,
    /// The amount that the merchant takes for the order, if it is less than the total.
    pub less: Option<String>,
    /// Whether money of the order was refunded.
    pub went_back: bool,
    /// Whether the shopper can begin a new session after the end.
    pub can_renew: bool,
}

/// The words for a phase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// A word or two for the title of the tab.
    pub tab: &'static str,
    /// The heading.
    pub title: String,
    /// The explanation.
    pub body: String,
    /// The next step.
    pub next: String,
}

/// A reason why there is no checkout to show. The words depend on what is known about the money, not on the broken part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Problem {
    /// The address leads to no page.
    NotFound,
    /// A payment link was not opened. No payment has begun.
    NotOpened,
    /// The state of a session cannot be shown. Money may have been taken.
    Unsure,
    /// An action failed, or its outcome is not known. A payment may have begun or continued.
    Setback,
    /// The server has no room now for a page that does not concern a payment.
    Busy,
    /// The request made no sense and was not carried out.
    BadRequest,
    /// The request came from a forbidden place and was not carried out.
    Forbidden,
    /// Too many requests.
    TooMany,
    /// An internal failure on a page that does not concern a payment.
    Internal,
}

impl Problem {
    /// Every problem.
    pub const ALL: [Problem; 9] = [
        Problem::NotFound,
        Problem::NotOpened,
        Problem::Unsure,
        Problem::Setback,
        Problem::Busy,
        Problem::BadRequest,
        Problem::Forbidden,
        Problem::TooMany,
        Problem::Internal,
    ];

    /// The name in `data-problem`, for tests and styles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Problem::NotFound => "not_found",
            Problem::NotOpened => "not_opened",
            Problem::Unsure => "unsure",
            Problem::Setback => "setback",
            Problem::Busy => "busy",
            Problem::BadRequest => "bad_request",
            Problem::Forbidden => "forbidden",
            Problem::TooMany => "too_many",
            Problem::Internal => "internal",
        }
    }

    /// Whether the same address may soon work, so that the page loads it again by itself. A page about a setback does not reload: its words
    /// are shown only once and stay until the shopper has read them.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Problem::NotOpened | Problem::Unsure | Problem::Busy)
    }
}

/// The words of one language.
pub struct Words {
    /// The words for each phase.
    pub phase: fn(Phase, &Facts) -> Said,
    /// The outcome of the last action.
    pub notice: fn(Notice) -> &'static str,
    /// The name of a method.
    pub method: fn(Method) -> &'static str,
    /// One line about a method.
    pub method_hint: fn(Method) -> &'static str,
    /// A page without a checkout: heading and advice.
    pub problem: fn(Problem) -> (&'static str, &'static str),
    /// `Pay €30.98`.
    pub pay: fn(&str) -> String,
    /// `Quantity 2`, for `× 2`.
    pub quantity: fn(u32) -> String,
    /// `Show 4 more items`.
    pub more_items: fn(usize) -> String,
    /// The heading of a link that cannot be paid, and the advice, by merchant.
    pub inactive: fn(&str) -> (&'static str, String),
    /// `Back to Nordlicht`, by merchant.
    pub back_to: fn(&str) -> String,
    /// The legend of the methods.
    pub methods: &'static str,
    /// The heading of the order.
    pub order: &'static str,
    /// The name of the sum of the lines, before discount, shipping and taxes.
    pub subtotal: &'static str,
    /// The note after a tax that prices already contain.
    pub included: &'static str,
    /// The name of the sum.
    pub total: &'static str,
    /// The word after a unit price.
    pub each: &'static str,
    /// The hint that the provider's page comes next.
    pub redirect_hint: &'static str,
    /// The words in place of the methods, when no account of the merchant takes the order: heading and advice.
    pub no_methods: (&'static str, &'static str),
    /// The link that loads the same page again.
    pub check_again: &'static str,
    /// The link from a problem to the session's page.
    pub back: &'static str,
    /// The link back to the choice from the return page.
    pub not_finished: &'static str,
    /// The link to the open payment page.
    pub resume: &'static str,
    /// The link to the bank's page.
    pub to_bank: &'static str,
    /// The button that stops the payment under way, and the link back from the interstitial.
    pub choose_again: &'static str,
    /// The button for a new session.
    pub start_again: &'static str,
    /// The button for more time.
    pub more_time: &'static str,
    /// The sentence that the session ends soon.
    pub ends_soon: &'static str,
    /// The words before the countdown.
    pub time_left: &'static str,
    /// The label of the button that starts a payment, while the payment is being opened.
    pub opening: &'static str,
    /// The label of any other button while its form is being sent.
    pub working: &'static str,
    /// The alert about an action that failed or whose reply was lost. The action's outcome is not known.
    pub unreachable: &'static str,
    /// The alert after a failed action once the server has replied: the page shows the present state again.
    pub setback: &'static str,
    /// The title of the interstitial.
    pub redirecting: &'static str,
    /// The hint on the interstitial.
    pub redirecting_hint: &'static str,
    /// The hint on an interstitial that continues only at the shopper's press.
    pub sending_hint: &'static str,
    /// The link of the interstitial.
    pub go_on: &'static str,
    /// The title of a page that shows a code for a payment app.
    pub code: &'static str,
    /// The advice for a code to scan.
    pub code_scan: &'static str,
    /// The advice for a code that an app opens.
    pub code_app: &'static str,
    /// The link that opens the app.
    pub open_app: &'static str,
    /// The words before the merchant on a receipt.
    pub paid_to: &'static str,
    /// The words before the reference.
    pub reference: &'static str,
    /// The words before the support address.
    pub help: &'static str,
    /// `Secure checkout by Till`.
    pub by_till: &'static str,
    /// The badge of test mode.
    pub test_mode: &'static str,
    /// The meaning of the badge.
    pub test_hint: &'static str,
    /// The name of the language switcher.
    pub languages: &'static str,
    /// The heading of the page at the root.
    pub home: &'static str,
    /// The purpose of the address.
    pub home_hint: &'static str,
    /// The link that jumps to the payment.
    pub skip: &'static str,
}

#[cfg(test)]
mod tests {
    use domain::decline::DeclineClass;

    use super::*;
    use crate::lang::Lang;
    use crate::pages::sample;

    #[test]
    fn every_language_has_words_and_a_next_step_for_every_phase() {
        let facts = sample::facts();
        for lang in Lang::ALL {
            let words = lang.words();
            for phase in sample::phases() {
                let said = (words.phase)(phase, &facts);
                let texts = [said.tab, &said.title, &said.body, &said.next];
                assert!(texts.iter().all(|text| !text.is_empty()), "{lang:?} {phase:?}");
            }
            for notice in sample::NOTICES {
                assert!(!(words.notice)(notice).is_empty());
            }
            for problem in Problem::ALL {
                assert!(!(words.problem)(problem).1.is_empty());
            }
        }
    }

    #[test]
    fn only_what_is_known_is_said_of_a_payment_that_cannot_be_shown() {
        let nothing = ["Nothing", "nichts", "لم يُخصم"];
        let wait = ["Do not pay again", "Bezahlen Sie nicht noch einmal", "لا تدفع مرة أخرى"];
        for ((lang, nothing), wait) in Lang::ALL.into_iter().zip(nothing).zip(wait) {
            let words = lang.words();
            for unsure in [Problem::Unsure, Problem::Setback]
                .map(|kind| (words.problem)(kind).1)
                .into_iter()
                .chain([words.unreachable])
            {
                assert!(unsure.contains(wait) && !unsure.contains(nothing), "{lang:?}: {unsure}");
            }
            for problem in [Problem::Busy, Problem::Internal, Problem::TooMany, Problem::NotFound] {
                assert!(!(words.problem)(problem).1.contains(nothing), "{lang:?} {problem:?}");
            }
        }
    }

    #[test]
    fn a_merchants_decision_about_a_surplus_is_not_said_to_be_still_to_come() {
        let facts = sample::facts();
        let again = ["Do not pay again", "Bezahlen Sie nicht noch einmal", "لا تدفع مرة أخرى"];
        for (lang, again) in Lang::ALL.into_iter().zip(again) {
            let said = |phase| (lang.words().phase)(phase, &facts);
            let (open, kept, paid) = (said(Phase::Overpaid), said(Phase::OverpaidKept), said(Phase::Paid));
            assert!(kept.next != open.next && kept.body.contains(&facts.kept), "{lang:?}");
            assert!(said(Phase::PaidCancelled).title != paid.title, "{lang:?}");
            for phase in [Phase::Overpaid, Phase::OverpaidKept, Phase::PaidCancelled, Phase::Cancelling, Phase::Unclear]
            {
                assert!(said(phase).next.contains(again), "{lang:?} {phase:?}");
            }
        }
    }

    #[test]
    fn no_language_hints_at_suspicion() {
        let facts = sample::facts();
        for lang in Lang::ALL {
            let said = |class| (lang.words().phase)(Phase::Declined(class), &facts);
            let generic = said(DeclineClass::Generic);
            assert_eq!(said(DeclineClass::SuspectedFraud), generic);
            assert_eq!(said(DeclineClass::DoNotRetry), generic);
        }
    }
}
