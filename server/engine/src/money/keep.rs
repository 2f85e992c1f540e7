//! Keeps money paid beyond the debt, or finds out why there is none to keep.

use domain::id::PaymentId;
use domain::money::Money;
use domain::payment::{Event, Fact, ModificationKind, Payment, decide};

use super::Payments;
use super::choose::{back, wanted_back};
use crate::error::{Error, Thing};
use crate::problem::{MoneyProblem, NothingToKeep, Proposal};
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
    /// There is no money that could be kept.
    pub async fn keep(&self, id: &PaymentId) -> Result<Kept, Error> {
        self.stored(id).await?;
        let mut now = 0_i64;
        let recorded = record::record_if(&self.context, id, Source::Merchant(self.scope.actor()), |payment| {
            now = keeps(payment)?;
            Ok(Some(Fact::Keep))
        });
        let payment = recorded.await?.ok_or_else(|| Error::NotFound(Thing::Payment(id.clone())))?;
        let in_all = still_kept(&payment);
        Ok(Kept { payment, now, in_all })
    }
}

/// The amount that a decision to keep would keep, in minor units.
fn keeps(payment: &Payment) -> Result<i64, Error> {
    let amount = |event: &Event| if let Event::Kept { amount, .. } = event { *amount } else { 0 };
    match decide(payment, &Fact::Keep)?.iter().map(amount).fold(0, i64::saturating_add) {
        0 => Err(MoneyProblem::NothingToKeep(why_nothing(payment)).into()),
        kept => Ok(kept),
    }
}

fn still_kept(payment: &Payment) -> i64 {
    payment.claims().map(|claim| claim.still_kept()).fold(0, i64::saturating_add)
}

/// The merchant's options for money that was paid beyond the debt and is held. Only captured money can be kept.
pub(crate) fn held_advice(payment: &Payment) -> String {
    let back = back(payment).iter().map(Proposal::command).collect::<Vec<_>>().join("` and `");
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

/// Why there is none to keep.
fn why_nothing(payment: &Payment) -> NothingToKeep {
    let money = |minor| Money::new(minor, payment.amount.currency);
    let release = back(payment);
    match (still_kept(payment), payment.outstanding()) {
        // The money left to go back has not been captured: it is the authorisation of a second payer.
        _ if !release.is_empty() => NothingToKeep::OnlyAuthorised(release),
        (_, open) if open > 0 => NothingToKeep::GoingBack { payment: payment.id.clone(), amount: money(open) },
        (kept, _) if kept > 0 => NothingToKeep::Kept(money(kept)),
        _ => NothingToKeep::NotPaid,
    }
}

#[cfg(test)]
mod tests {
    use domain::payment::{EntryState, Movement};

    use super::super::choose::tests::payment;
    use super::*;

    fn refusal(payment: &Payment) -> NothingToKeep {
        let Err(Error::Money(problem)) = keeps(payment) else { panic!("{payment:?}") };
        let MoneyProblem::NothingToKeep(why) = *problem else { panic!("{problem:?}") };
        why
    }

    fn ten(payment: &Payment) -> Money {
        Money::new(1000, payment.amount.currency)
    }

    #[test]
    fn only_what_is_there_is_kept_and_counted() {
        let mut twice = payment(&[(1000, 1000), (1000, 1000)]);
        assert_eq!(keeps(&twice).unwrap(), 1000);
        decide(&twice, &Fact::Keep).unwrap().iter().for_each(|event| twice.apply(event));
        assert_eq!((still_kept(&twice), twice.kept()), (1000, 1000));
        assert_eq!(refusal(&twice), NothingToKeep::Kept(ten(&twice)));
        // The second payer is refunded: the decision stays and keeps no money.
        let refund = Movement::Refund { reference: "R".into(), amount: 1000, state: EntryState::Succeeded };
        twice.attempts[1].book.join(&refund);
        assert_eq!((still_kept(&twice), twice.kept()), (0, 1000));
        assert_eq!(refusal(&twice), NothingToKeep::NotPaid);
    }

    #[test]
    fn what_is_only_authorised_cannot_be_kept_and_its_release_is_proposed() {
        let held = payment(&[(1000, 1000), (1000, 0)]);
        let NothingToKeep::OnlyAuthorised(release) = refusal(&held) else { panic!("{held:?}") };
        let command = format!("till payment void {} --attempt {}", held.id, held.attempts[1].id);
        assert_eq!(release.iter().map(Proposal::command).collect::<Vec<_>>(), [command]);
    }

    #[test]
    fn what_is_on_its_way_back_cannot_be_kept() {
        let mut twice = payment(&[(1000, 1000), (1000, 1000)]);
        let refund = Movement::Refund { reference: "R".into(), amount: 1000, state: EntryState::Pending };
        twice.attempts[1].book.join(&refund);
        let back = NothingToKeep::GoingBack { payment: twice.id.clone(), amount: ten(&twice) };
        assert_eq!(refusal(&twice), back);
    }
}
