//! Ends a session whose time has run out, after its open page at the provider is closed.

use domain::id::SessionId;
use domain::mutant::{self, Mutant};
use domain::payment::{CloseReason, Fact, News, Observation, Refusal, Stage};
use domain::session::SessionState;
use domain::{MINUTE, SECOND};

use crate::context::Context;
use crate::error::{Error, Thing};
use crate::record::{self, Source};
use crate::scope::ENGINE;
use crate::store::{payments, sessions};
use crate::work::Next;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let id: SessionId = subject.parse().map_err(Error::corrupt)?;
    let found = sessions::find(&mut *context.store().reader().await?, &ENGINE, &id).await?;
    let Some(session) = found.map(|stored| stored.session) else { return Ok(Next::Done) };
    let now = context.env().now();
    if session.state != SessionState::Open {
        return Ok(Next::Done);
    }
    if now < session.expires {
        return Ok(Next::At(session.expires));
    }
    let mut tx = context.store().begin().await?;
    let stored = payments::lock(&mut tx, &ENGINE, &session.payment).await?;
    let payment = stored.ok_or_else(|| Error::NotFound(Thing::Payment(session.payment.clone())))?.payment;
    if let Some(live) = payment.live() {
        let mut fact = Fact::CloseRequested { attempt: live.id.clone(), reason: CloseReason::Expired };
        if live.stage == Stage::Open && mutant::on(Mutant::ExpiredWithoutAsking) {
            let news = vec![News::Closed(CloseReason::Expired)];
            let observation = Observation { at: now, news, ..Observation::default() };
            fact = Fact::Observed { attempt: live.id.clone(), observation };
        }
        tx.rollback().await?;
        return match record::record(context, &payment.id, &fact, Source::Engine).await {
            // The session stays open until the provider's page is closed or has been paid.
            Ok(_) | Err(Error::Refused(Refusal::InProgress(_))) => {
                // This job is brought forward when the page closes. A bank debit may take days.
                Ok(Next::At(now + (now - session.expires).clamp(5 * SECOND, 15 * MINUTE)))
            }
            Err(error) => Err(error),
        };
    }
    if !sessions::expire(&mut tx, &ENGINE, &session.id, now).await? {
        // The session was extended or paid in this moment.
        return Ok(Next::At(now + SECOND));
    }
    payments::notify(&mut tx, context.store().dialect(), &payment.id).await?;
    context.commit(tx).await?;
    context.live().tell(&payment.id);
    Ok(Next::Done)
}
