//! Keeps money paid beyond the debt, or says why there is none to keep.

use domain::id::PaymentId;
use domain::money::Money;
use domain::payment::{Event, Fact, ModificationKind, Payment, decide};

use super::Payments;
use super::choose::{back, wanted_back};
use crate::error::Error;
use crate::record::{self, Source};

/// The result of a decision to keep money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The payment afterwards.
    pub payment: Payment,
    /// The amount that this decision keeps, in minor units.
    pub now: i64,
    /// The amount that is kept in all and has not gone back, in minor units.
    pub in_all: i64,
}

impl Payments {
    /// Keeps money that was paid beyond the debt, instead of sending it back.
    ///
    /// # Errors
    /// There is no money that could be kept; the text says why and what to do.
    pub async fn keep(&self, id: &PaymentId) -> Result<Kept, Error> {
        self.stored(id).await?;
        let mut now = 0_i64;
        let recorded = record::record_if(&self.context, id, Source::Merchant(self.scope.actor()), |payment| {
            now = keeps(payment)?;
            Ok(Some(Fact::Keep))
        });
        let payment = recorded.await?.ok_or_else(|| Error::NotFound(format!("payment {id}")))?;
        let in_all = still_kept(&payment);
        Ok(Kept { payment, now, in_all })
    }
}

/// The amount that a decision to keep would keep, in minor units.
fn keeps(payment: &Payment) -> Result<i64, Error> {
    let amount = |event: &Event| if let Event::Kept { amount, .. } = event { *amount } else { 0 };
    match decide(payment, &Fact::Keep)?.iter().map(amount).fold(0, i64::saturating_add) {
        0 => Err(Error::Invalid(why_nothing(payment))),
        kept => Ok(kept),
    }
}

fn still_kept(payment: &Payment) -> i64 {
    payment.claims().map(|claim| claim.still_kept()).fold(0, i64::saturating_add)
}

/// The merchant's options for money that was paid beyond the debt and is held. Only captured money can be kept.
pub(crate) fn held_advice(payment: &Payment) -> String {
    let back = back(payment).join("` and `");
    match keeps(payment) {
        Ok(_) => {
            let loose = wanted_back(payment).iter().any(|(_, kind)| *kind == ModificationKind::Void);
            let what = if loose { "what was captured" } else { "it" };
            let keep = format!("till payment keep {}", payment.id);
            format!("more was paid than is owed; send it back: `{back}`, or keep {what}: `{keep}`")
        }
        Err(_) => format!(
            "more was authorised than is owed, and nothing of it has been captured; release it: `{back}`; it can be kept only after it \
             is captured"
        ),
    }
}

/// The words for a merchant who wants to keep money where there is none to keep.
fn why_nothing(payment: &Payment) -> String {
    let money = |minor| Money::new(minor, payment.amount.currency);
    let release = back(payment).join("` or `");
    match (still_kept(payment), payment.outstanding()) {
        // The money left to go back has not been captured: it is the authorisation of a second payer.
        _ if !release.is_empty() => format!(
            "there is nothing to keep: what was paid beyond the debt is only authorised; release it: `{release}`; it can be \
             kept only after it is captured"
        ),
        (_, open) if open > 0 => {
            format!(
                "there is nothing to keep: {} is being sent back; see `till payment show {}`",
                money(open),
                payment.id
            )
        }
        (kept, _) if kept > 0 => format!("there is nothing more to keep: {} is kept already", money(kept)),
        _ => "there is nothing to keep: no more was paid than is owed, or it has gone back".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::payment::{EntryState, Movement};

    use super::super::choose::tests::payment;
    use super::*;

    fn refusal(payment: &Payment) -> String {
        keeps(payment).unwrap_err().to_string()
    }

    #[test]
    fn only_what_is_there_is_kept_and_counted() {
        let mut twice = payment(&[(1000, 1000), (1000, 1000)]);
        assert_eq!(keeps(&twice).unwrap(), 1000);
        decide(&twice, &Fact::Keep).unwrap().iter().for_each(|event| twice.apply(event));
        assert_eq!((still_kept(&twice), twice.kept()), (1000, 1000));
        assert!(refusal(&twice).contains("EUR 10.00 is kept already"), "{}", refusal(&twice));
        // The second payer is refunded: the decision stays and keeps no money.
        let refund = Movement::Refund { reference: "R".into(), amount: 1000, state: EntryState::Succeeded };
        twice.attempts[1].book.join(&refund);
        assert_eq!((still_kept(&twice), twice.kept()), (0, 1000));
        assert!(refusal(&twice).contains("no more was paid than is owed"), "{}", refusal(&twice));
    }

    #[test]
    fn what_is_only_authorised_cannot_be_kept_and_the_words_name_what_can_be_done() {
        let held = payment(&[(1000, 1000), (1000, 0)]);
        let (text, second) = (refusal(&held), &held.attempts[1].id);
        let command = format!("till payment void {} --attempt {second}", held.id);
        assert!(text.contains("only authorised") && text.contains(&command), "{text}");
    }

    #[test]
    fn what_is_on_its_way_back_cannot_be_kept() {
        let mut twice = payment(&[(1000, 1000), (1000, 1000)]);
        let refund = Movement::Refund { reference: "R".into(), amount: 1000, state: EntryState::Pending };
        twice.attempts[1].book.join(&refund);
        assert!(refusal(&twice).contains("EUR 10.00 is being sent back"), "{}", refusal(&twice));
    }
}
