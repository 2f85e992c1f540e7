//! Opens an attempt whose opening was interrupted or not answered. Subject: attempt.

use domain::SECOND;
use domain::mutant::{self, Mutant};
use domain::payment::{CloseReason, Fact, Stage};

use crate::attempt::{Attempts, LOOK_AGAIN, PAGE_END_MARGIN};
use crate::context::Context;
use crate::error::{Error, Later};
use crate::record::{self, Source};
use crate::work::Next;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let failure = Attempts::of(context).open(subject, false).await?;
    let found = Attempts::of(context).find(subject).await?;
    if found.attempt.stage == Stage::Closed(CloseReason::NotFound) {
        return Attempts::of(context).look_again(&found).await;
    }
    if !matches!(found.attempt.stage, Stage::Opening | Stage::Unknown) {
        return Ok(Next::Done);
    }
    if found.attempt.until.is_some_and(|until| context.env().now() > until + PAGE_END_MARGIN) {
        // Any page that was opened there has closed by itself, and no shopper was ever sent to it.
        let fact = Fact::NotOpened { attempt: found.attempt.id.clone(), reason: CloseReason::Expired };
        record::record(context, &found.payment, &fact, Source::Engine).await?;
        return Ok(Next::Done);
    }
    if mutant::on(Mutant::UnknownIsForgotten) {
        return Ok(Next::Done);
    }
    if failure.is_none() {
        let (now, (course, _)) = (context.env().now(), Attempts::of(context).opening_course(&found).await?);
        if !course.may_send(false, now) {
            // The job can only look for the page, or wait until the page has closed by itself.
            let next = course.proved().unwrap_or(now + LOOK_AGAIN);
            return Ok(Next::At(next.max(now + SECOND)));
        }
    }
    // The next try repeats the request.
    Err(failure.map_or_else(|| Later::NotOpen(found.attempt.id).into(), Error::Provider))
}
