//! Raises an alert about money that cannot be: more has gone back of an attempt than it took. Subject: attempt.
//!
//! Deliveries come in any order, so a refund can be reported before its capture. Therefore this job runs some minutes after the excess
//! was noticed, and raises no alert if the missing delivery has arrived.

use domain::money::Money;
use domain::mutant::{self, Mutant};

use crate::alerts;
use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::Error;
use crate::record::Batch;
use crate::work::Next;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let found = Attempts::of(context).find(subject).await?;
    let mut tx = context.store().begin().await?;
    // The payment is locked, because the missing delivery may arrive in this moment and close the alert.
    let batch = Batch::lock(context, &mut tx, std::slice::from_ref(&found.payment)).await?;
    let attempt = batch.payment(&found.payment)?.attempt(&found.attempt.id).unwrap_or(&found.attempt);
    let book = &attempt.book;
    if attempt.overdrawn() > 0 && !mutant::on(Mutant::OverdrawnIsSilent) {
        let money = |minor| Money::new(minor, attempt.amount.currency);
        let detail = format!(
            "payment {}: of attempt {subject} {} was captured, but {} was refunded and {} taken back by banks; compare it with \
             the provider's own list before anything else is refunded",
            found.payment,
            money(book.captured_net()),
            money(book.refunds_begun()),
            money(book.charged_back().saturating_add(book.returned_total())),
        );
        alerts::raise(context, &mut tx, "money_impossible", subject, &detail).await?;
    }
    context.commit(tx).await?;
    Ok(Next::Done)
}
