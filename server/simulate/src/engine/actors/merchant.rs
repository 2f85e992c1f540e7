//! The merchant: captures, voids, refunds, cancels.

use domain::id::PaymentId;
use engine::problem::MoneyProblem;
use engine::store::merchants::SurplusPolicy;
use engine::{Asked, Error, Installation, Modified, Payments};

use crate::engine::World;
use crate::engine::servers::Output;

impl World {
    pub async fn merchant_acts(&mut self) {
        let (Some(payment), Some(scope)) = (self.payment.clone(), self.scope()) else { return };
        let (server, credit) = (self.random.below(2), self.credit());
        let (captured, authorised) = {
            let provider = self.shared.provider();
            (provider.captured_ever, provider.authorised_ever)
        };
        if !authorised && !self.random.percent(10) {
            return Box::pin(self.shopper_acts()).await;
        }
        let said = |result: Result<engine::Modified, engine::Error>| match result {
            Ok(modified) => Output::Said(format!("{:?}", modified.outcome)),
            Err(error) => Output::Said(error.to_string()),
        };
        let part = self.random.percent(50);
        let amount = part.then(|| self.amount * 6 / 10 + 1);
        if self.random.percent(6) {
            return self.changes_policy(server, credit).await;
        }
        match self.random.below(10) {
            0 => {
                self.begin(server, "the merchant calls the payment off".to_owned(), credit, |engine| async move {
                    let _ = engine.money(&scope).cancel(&payment).await;
                    Output::Nothing
                })
                .await;
            }
            1 => {
                self.begin(server, "the merchant keeps the surplus".to_owned(), credit, |engine| async move {
                    let _ = engine.money(&scope).keep(&payment).await;
                    Output::Nothing
                })
                .await;
            }
            2..=3 if captured == 0 => {
                self.begin(server, "the merchant voids".to_owned(), credit, |engine| async move {
                    said(engine.money(&scope).void(&payment).await)
                })
                .await;
            }
            2..=6 if captured == 0 => {
                self.begin(server, format!("the merchant captures {amount:?}"), credit, |engine| async move {
                    said(engine.money(&scope).capture(&payment, amount, true).await)
                })
                .await;
            }
            _ => {
                self.begin(server, format!("the merchant refunds {amount:?}"), credit, |engine| async move {
                    said(refund(&engine.money(&scope), &payment, amount, server).await)
                })
                .await;
            }
        }
    }

    async fn changes_policy(&mut self, server: usize, credit: u32) {
        let Some(merchant) = self.merchant.clone() else { return };
        let policy = self.random.pick(&[SurplusPolicy::Hold, SurplusPolicy::Refund]);
        let what = format!("surplus money: {policy:?} from now on");
        self.begin(server, what, credit, |engine| async move {
            let _ = engine.merchants(&Installation::operator()).set_surplus_policy(&merchant, policy).await;
            Output::Nothing
        })
        .await;
    }
}

/// Refunds. If the engine asks for the attempt, the merchant names one.
async fn refund(money: &Payments, payment: &PaymentId, amount: Option<i64>, pick: usize) -> Result<Modified, Error> {
    match money.refund(payment, amount).await {
        Err(Error::Money(ref problem)) if let MoneyProblem::WhichAttempt { choices, .. } = &**problem => {
            let attempt = choices[pick % choices.len()].proposal.attempt.clone();
            let asked = Asked { attempt: Some(attempt), ..Asked::default() };
            money.refund_as(payment, amount, &asked).await
        }
        other => other,
    }
}
