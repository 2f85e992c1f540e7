//! What every language must be able to say. A missing word does not compile.

use domain::checkout::Phase;
use domain::method::Method;
use domain::session::Notice;

/// What a sentence can be about. Amounts are written and names isolated already.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The merchant.
    pub merchant: String,
    /// What the order comes to.
    pub total: String,
    /// What has arrived.
    pub received: String,
    /// What went back.
    pub refunded: String,
    /// The amount that banks took back.
    pub returned: String,
    /// The amount that the merchant keeps beyond the order.
    pub kept: String,
    /// The amount that the merchant takes for the order, if that is less than it comes to.
    pub less: Option<String>,
    /// Whether something of the order went back.
    pub went_back: bool,
    /// Whether the shopper can begin anew after the end.
    pub can_renew: bool,
}

/// What a page says about a phase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// A word or two for the title of the tab.
    pub tab: &'static str,
    /// The heading.
    pub title: String,
    /// What has happened.
    pub body: String,
    /// What to do now.
    pub next: String,
}

/// Why there is no checkout to show. What is said depends on what is known about money, not on what broke.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Problem {
    /// Nothing is at this address.
    NotFound,
    /// A payment link was not opened: nothing has begun here.
    NotOpened,
    /// The state of a session cannot be shown: money may have been taken.
    Unsure,
    /// An action was not carried through, or its end is not known: something may have begun, or gone on.
    Setback,
    /// The server has no room now, for a page that has nothing to do with money.
    Busy,
    /// The request made no sense and was not carried out.
    BadRequest,
    /// The request came from somewhere it may not come from and was not carried out.
    Forbidden,
    /// Too many requests.
    TooMany,
    /// Something broke on our side, on a page that has nothing to do with money.
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

    /// Whether the same address may soon have an answer, so that the page asks again by itself. After a setback it does not: the words
    /// are shown only once and stay until the shopper has read them.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Problem::NotOpened | Problem::Unsure | Problem::Busy)
    }
}

/// The words of one language.
pub struct Words {
    /// What is said about each phase.
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
    /// After a tax that prices already hold.
    pub included: &'static str,
    /// The name of the sum.
    pub total: &'static str,
    /// Before a unit price.
    pub each: &'static str,
    /// That the provider's page comes next.
    pub redirect_hint: &'static str,
    /// Instead of the methods, when no account of the merchant takes the order: heading and advice.
    pub no_methods: (&'static str, &'static str),
    /// Asks for the same page once more.
    pub check_again: &'static str,
    /// Leads from a problem to the session's page.
    pub back: &'static str,
    /// The link back to the choice from the return page.
    pub not_finished: &'static str,
    /// Goes on to the open payment page.
    pub resume: &'static str,
    /// Goes on to the bank.
    pub to_bank: &'static str,
    /// Stops the payment under way.
    pub choose_again: &'static str,
    /// Asks for a new session.
    pub start_again: &'static str,
    /// Asks for more time.
    pub more_time: &'static str,
    /// That the end is near.
    pub ends_soon: &'static str,
    /// Before the countdown.
    pub time_left: &'static str,
    /// On a button while its work is under way.
    pub opening: &'static str,
    /// On any other button while its work is under way.
    pub working: &'static str,
    /// The reply to an action was lost, or was that it failed. What it has done is not known.
    pub unreachable: &'static str,
    /// The same, once the server has answered: what the page shows is known again.
    pub setback: &'static str,
    /// The title of the interstitial.
    pub redirecting: &'static str,
    /// What the interstitial says.
    pub redirecting_hint: &'static str,
    /// What the interstitial says where only the shopper's own press leads on.
    pub sending_hint: &'static str,
    /// The link of the interstitial.
    pub go_on: &'static str,
    /// The title of a page that shows a code for a payment app.
    pub code: &'static str,
    /// What to do with a code that is scanned.
    pub code_scan: &'static str,
    /// What to do with a code that an app opens.
    pub code_app: &'static str,
    /// The link that opens the app.
    pub open_app: &'static str,
    /// Before the merchant on a receipt.
    pub paid_to: &'static str,
    /// Before the reference.
    pub reference: &'static str,
    /// Before the support address.
    pub help: &'static str,
    /// `Secure checkout by Till`.
    pub by_till: &'static str,
    /// The badge of test mode.
    pub test_mode: &'static str,
    /// What the badge means.
    pub test_hint: &'static str,
    /// The name of the language switcher.
    pub languages: &'static str,
    /// The name of the tab on the page without a session.
    pub home: &'static str,
    /// What this address is for.
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
