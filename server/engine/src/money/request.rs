//! A merchant's request for a capture, void or refund: its attempt, its amount and its key.
//!
//! A key names one request. Repeating the request with its key reports the request's result. A request without a key of the merchant's
//! own is refused while an equal one is recent, because it is most likely the same command sent twice.

use domain::id::{AttemptId, PaymentId};
use domain::payment::{Attempt, Fact, Modification, ModificationKind, Outcome, Payment, RequestKey};
use domain::{MINUTE, Millis};

use super::choose::{choose, proposal};
use super::{Modified, Payments};
use crate::error::Error;
use crate::problem::{MoneyProblem, Request};
use crate::record::{self, Source};
use crate::store::requests::{self, KeyRow};

/// How long an equal request counts as the same one sent twice.
const REPEATED: Millis = 10 * MINUTE;

/// The parameters of a merchant's request besides the amount.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The attempt. It must be named where several are possible.
    pub attempt: Option<AttemptId>,
    /// The idempotency key of this request.
    pub key: Option<RequestKey>,
    /// Whether the merchant chose the key. Then an equal request under another key is a request of its own.
    pub chosen: bool,
    /// Called with the request's key once the request is stored and before it is sent. A refused request is not stored.
    pub stored: Option<fn(&RequestKey)>,
}

/// The modification that a merchant asks for. Amounts are minor units; no amount means all that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Capture { amount: Option<i64>, last: bool },
    Void,
    Refund { amount: Option<i64> },
}

impl Wanted {
    /// The most that an attempt allows of this modification, in minor units.
    pub fn possible(&self, attempt: &Attempt) -> i64 {
        match self {
            Wanted::Capture { .. } => attempt.capturable(),
            Wanted::Void if attempt.has_money() && attempt.book.captured_net() == 0 => attempt.book.authorised,
            Wanted::Void => 0,
            Wanted::Refund { .. } => attempt.refundable(),
        }
    }

    /// The modification of an attempt, of `most` minor units at most.
    pub fn kind(&self, attempt: &Attempt, most: Option<i64>) -> ModificationKind {
        let all = self.possible(attempt);
        let amount = |asked: Option<i64>| most.map_or(asked.unwrap_or(all), |most| asked.unwrap_or(all).min(most));
        match *self {
            Wanted::Capture { amount: asked, last } => ModificationKind::Capture { amount: amount(asked), last },
            Wanted::Void => ModificationKind::Void,
            Wanted::Refund { amount: asked } => ModificationKind::Refund { amount: amount(asked) },
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self, Wanted::Capture { amount: None, .. } | Wanted::Refund { amount: None })
    }

    /// Whether a modification was asked for with these parameters. A named amount also matches a request for all that was left, if the
    /// amounts are equal.
    fn is_of(&self, known: &Modification) -> bool {
        let fits = |asked: Option<i64>, amount| asked.map_or(known.whole, |asked| asked == amount);
        match (*self, known.kind) {
            (Wanted::Capture { amount: asked, last }, ModificationKind::Capture { amount, last: was }) => {
                last == was && fits(asked, amount)
            }
            (Wanted::Refund { amount: asked }, ModificationKind::Refund { amount }) => fits(asked, amount),
            (Wanted::Void, ModificationKind::Void) => true,
            _ => false,
        }
    }
}

impl Payments {
    /// Captures authorised money of one attempt: an amount in minor units, or all that is left. `last` releases the rest.
    ///
    /// # Errors
    /// As [`Payments::capture`]; several attempts are possible; the key names another request; or an equal request is recent.
    pub async fn capture_as(
        &self,
        payment: &PaymentId,
        amount: Option<i64>,
        last: bool,
        asked: &Asked,
    ) -> Result<Modified, Error> {
        self.ask(payment, Wanted::Capture { amount, last }, asked).await
    }

    /// Releases the authorisation of one attempt.
    ///
    /// # Errors
    /// As [`Payments::void`]; several attempts are possible; or the key names another request.
    pub async fn void_as(&self, payment: &PaymentId, asked: &Asked) -> Result<Modified, Error> {
        self.ask(payment, Wanted::Void, asked).await
    }

    /// Sends captured money of one attempt back: an amount in minor units, or all that is left.
    ///
    /// # Errors
    /// As [`Payments::refund`]; several attempts are possible; the key names another request; or an equal request is recent.
    pub async fn refund_as(&self, payment: &PaymentId, amount: Option<i64>, asked: &Asked) -> Result<Modified, Error> {
        self.ask(payment, Wanted::Refund { amount }, asked).await
    }

    pub(super) async fn ask(&self, id: &PaymentId, wanted: Wanted, asked: &Asked) -> Result<Modified, Error> {
        let payment = self.stored(id).await?;
        if let Some(known) = self.of_key(asked).await? {
            return self.asked_before(&payment, known, wanted, asked).await;
        }
        let attempt = choose(&payment, &wanted, asked.attempt.as_ref())?;
        let kind = wanted.kind(attempt, None);
        self.attempts().check_part(&attempt.id, kind).await?;
        let (attempt, whole) = (attempt.id.clone(), wanted.is_whole());
        let (modification, limits) = self.attempts().modification(&attempt, kind).await?;
        // The modification's own id can be the key. A merchant's modification always has a key; a modification that Till begins by
        // itself has none.
        let key = asked.key.clone().or_else(|| modification.id.as_str().parse().ok());
        let modification = Box::new(Modification { key, whole, ..modification });
        let (new, now) = (modification.id.clone(), self.context.env().now());
        let recorded = record::record_if(&self.context, id, Source::Merchant(self.scope.actor()), |payment| {
            if !asked.chosen {
                refuse_repetition(payment, &attempt, kind, now)?;
            }
            Ok(Some(Fact::Modify { attempt: attempt.clone(), modification, limits }))
        });
        if let Err(error) = recorded.await {
            // Two requests with one key may have arrived at once, and the other one was faster.
            return match self.of_key(asked).await? {
                Some(known) => self.asked_before(&payment, known, wanted, asked).await,
                None => Err(error),
            };
        }
        if let (Some(stored), Some(key)) = (asked.stored, &asked.key) {
            stored(key);
        }
        self.attempts().send_first(&attempt, &new).await
    }

    async fn of_key(&self, asked: &Asked) -> Result<Option<KeyRow>, Error> {
        let Some(key) = &asked.key else { return Ok(None) };
        requests::find(&mut *self.context.store().reader().await?, &self.scope, key).await
    }

    /// The result of the earlier request with this key, if the two requests are equal.
    async fn asked_before(
        &self,
        payment: &Payment,
        known: KeyRow,
        wanted: Wanted,
        asked: &Asked,
    ) -> Result<Modified, Error> {
        let modified = self.attempts().modified(known.attempt.as_str(), &known.modification).await?;
        let same_attempt = asked.attempt.as_ref().is_none_or(|attempt| *attempt == known.attempt);
        if known.payment == payment.id && same_attempt && wanted.is_of(&modified.modification) {
            return Ok(modified);
        }
        let of = if known.payment == payment.id { payment.clone() } else { self.stored(&known.payment).await? };
        let asked = proposal(&of, &known.attempt, modified.modification.kind);
        let its = Request { asked, key: modified.modification.key };
        Err(MoneyProblem::KeyTaken { key: known.key, known: its }.into())
    }
}

/// Refuses a request that equals a recent one which has not failed: most likely the same command was sent twice.
fn refuse_repetition(payment: &Payment, id: &AttemptId, kind: ModificationKind, now: Millis) -> Result<(), Error> {
    let Some(attempt) = payment.attempt(id) else { return Ok(()) };
    let equal = |known: &&Modification| {
        known.kind == kind && now - known.created < REPEATED && known.outcome(&attempt.book) != Outcome::Failed
    };
    let Some(known) = attempt.modifications.iter().rev().find(equal) else { return Ok(()) };
    let asked = Request { asked: proposal(payment, id, known.kind), key: known.key.clone() };
    Err(MoneyProblem::Repeated { known: asked, modification: known.id.clone(), at: known.created }.into())
}
