//! Sessions and intents in the domain's words. Events and fetches share this module.

use domain::Millis;
use domain::decline::{Decline, DeclineClass};
use domain::payment::{CloseReason, Movement, News, Observation, Refs, Step};

use super::decline::decline;
use super::object::{CAPTURE, Expandable, Intent, Session, money};

/// The observation of a session, and of the intent inside it if that was expanded.
pub(super) fn of_session(session: &Session, at: Millis) -> Observation {
    let (payment, intent) = match &session.payment_intent {
        Some(Expandable::Id(id)) => (Some(id.clone()), None),
        Some(Expandable::Object(intent)) => (Some(intent.id.clone()), Some(intent)),
        None => (None, None),
    };
    let debt = money(session.amount_total, session.currency.as_deref());
    let mut news = intent.map(intent_news).unwrap_or_default();
    news.extend(session_news(session, debt.map(|debt| debt.minor)));
    if news.is_empty() && session.status.as_deref() == Some("open") {
        news.push(News::Step(Step::Waiting));
    }
    let refs = Refs { session: Some(session.id.clone()), payment };
    Observation { at, refs, debt, currency: None, modification: None, news }
}

fn session_news(session: &Session, total: Option<i64>) -> Vec<News> {
    let manual = session.metadata.as_ref().is_some_and(|all| all.get(CAPTURE).is_some_and(|mode| mode == "manual"));
    match (session.status.as_deref(), session.payment_status.as_deref(), total) {
        // With manual capture "paid" may mean authorised; the intent's own events report the capture.
        (Some("complete"), Some("paid"), Some(total)) if !manual => {
            vec![News::Moved(Movement::Captured { total })]
        }
        (Some("complete"), Some("unpaid"), _) if !manual && session.is_pending() => {
            vec![News::Step(Step::Processing)]
        }
        // An asynchronous method failed after completion: this session can never be paid.
        (Some("complete"), Some("unpaid"), _) if session.has_failed() => vec![News::Closed(CloseReason::Failed)],
        (Some("expired"), _, _) => vec![News::Closed(CloseReason::Expired)],
        _ => vec![],
    }
}

impl Session {
    fn has_failed(&self) -> bool {
        let failed = |intent: &Intent| matches!(intent.status.as_deref(), Some("requires_payment_method" | "canceled"));
        matches!(&self.payment_intent, Some(Expandable::Object(intent)) if failed(intent))
    }

    /// Whether a complete but unpaid session is being processed. An expanded intent may say otherwise.
    fn is_pending(&self) -> bool {
        match &self.payment_intent {
            // Once the session is complete, an action of the shopper, such as confirming a bank account, takes place outside the page.
            Some(Expandable::Object(intent)) => {
                matches!(intent.status.as_deref(), Some("processing" | "requires_action"))
            }
            _ => true,
        }
    }
}

/// The news of an asynchronous method that failed after completion: this session can never be paid.
pub(super) fn async_failure() -> Vec<News> {
    let decline = Decline { class: DeclineClass::Generic, code: "async_payment_failed".to_owned() };
    vec![News::Step(Step::Declined(decline)), News::Closed(CloseReason::Failed)]
}

/// The observation of an intent.
pub(super) fn of_intent(intent: &Intent, at: Millis) -> Observation {
    let debt = money(intent.amount, intent.currency.as_deref());
    let refs = Refs { session: None, payment: Some(intent.id.clone()) };
    Observation { at, refs, debt, currency: None, modification: None, news: intent_news(intent) }
}

fn intent_news(intent: &Intent) -> Vec<News> {
    let minor = |amount| money(Some(amount), intent.currency.as_deref()).map(|money| money.minor);
    let moved = |movement: Option<Movement>| movement.map(News::Moved).into_iter().collect::<Vec<_>>();
    match intent.status.as_deref() {
        Some("succeeded") => {
            let mut news = moved(minor(intent.amount_received).map(|total| Movement::Captured { total }));
            // One capture ends the payment, and the rest is released.
            if intent.amount_received > 0 && intent.amount.is_some_and(|amount| intent.amount_received < amount) {
                news.push(News::Moved(Movement::Voided));
            }
            news
        }
        Some("requires_capture") => {
            let total = intent.amount_capturable.checked_add(intent.amount_received);
            moved(total.and_then(minor).map(|total| Movement::Authorised { total }))
        }
        Some("processing") => vec![News::Step(Step::Processing)],
        Some("requires_action") => vec![News::Step(Step::ActionRequired)],
        Some("canceled") => vec![News::Moved(Movement::Voided), News::Closed(CloseReason::Cancelled)],
        Some("requires_payment_method") => match &intent.last_payment_error {
            Some(error) => vec![News::Step(Step::Declined(decline(error)))],
            None => vec![],
        },
        _ => vec![],
    }
}
