//! The steps that shoppers, jobs, deliveries and merchants' requests take with an attempt at its provider: open, close, observe, modify.

mod close;
mod modify;
mod observe;
mod open;
mod proof;
mod sent;

use connectors::{Capabilities, Connector, Fail, Operation, Outcome, Sent, Target};
use domain::id::{AttemptId, OrderId, PaymentId, ProviderAccountId};
use domain::payment::Attempt;

pub use modify::Modified;
pub(crate) use modify::PAUSE_MAX;
pub(crate) use open::{LOOK_AGAIN, PAGE_END_MARGIN};

use crate::context::Context;
use crate::error::{CallError, Error, Thing};
use crate::gateway::Gateway;
use crate::scope::ENGINE;
use crate::store::{attempts, payments};

/// Attempts at their providers, of all merchants. Whether the caller may act on an attempt has been decided before.
#[derive(Clone, Copy)]
pub(crate) struct Attempts<'a> {
    context: &'a Context,
}

/// An attempt with its payment, its order and its capture.
pub(crate) struct Found {
    pub attempt: Attempt,
    pub payment: PaymentId,
    pub order: OrderId,
    pub capture: domain::payment::Capture,
}

impl Found {
    /// The attempt as connectors know it.
    pub(crate) fn target(&self) -> Target {
        Target {
            attempt: self.attempt.id.clone(),
            refs: self.attempt.refs.clone(),
            amount: self.attempt.amount,
            capture: self.capture,
            created: self.attempt.created,
        }
    }
}

impl<'a> Attempts<'a> {
    pub(crate) fn of(context: &'a Context) -> Attempts<'a> {
        Attempts { context }
    }

    /// An attempt by its id.
    pub(crate) async fn find(&self, id: &str) -> Result<Found, Error> {
        let id: AttemptId = id.parse().map_err(Error::corrupt)?;
        let mut connection = self.context.store().reader().await?;
        let missing = || Error::NotFound(Thing::Attempt(id.clone()));
        let located = attempts::locate(&mut connection, &ENGINE, &id).await?.ok_or_else(missing)?;
        let stored = payments::find(&mut connection, &ENGINE, &located.payment).await?.ok_or_else(missing)?;
        let attempt = stored.payment.attempt(&id).cloned().ok_or_else(missing)?;
        Ok(Found { attempt, payment: located.payment, order: stored.order, capture: stored.payment.capture })
    }

    /// Calls the attempt's provider. The outer error is the engine's, the inner one the provider's or the network's.
    pub(crate) async fn call(
        &self,
        attempt: &Attempt,
        operation: &Operation,
    ) -> Result<Result<Outcome, CallError>, Error> {
        self.call_as_sent(attempt, operation, None).await
    }

    /// Calls the attempt's provider with the stored request, if there is one.
    async fn call_as_sent(
        &self,
        attempt: &Attempt,
        operation: &Operation,
        sent: Option<Sent>,
    ) -> Result<Result<Outcome, CallError>, Error> {
        let (account, connector) = self.context.unseal(&self.context.account(&attempt.account).await?)?;
        let gateway = Gateway { context: self.context, account: &account, connector, sent };
        Ok(match gateway.call(Some(&attempt.id), operation).await {
            Ok(Outcome::Opened { handoff, .. }) if !handoff.is_bounded() => {
                Err(CallError::Fail(Fail::Unsure("the way to the payment page is too long to be kept".to_owned())))
            }
            result => result,
        })
    }

    /// The capabilities of an account.
    pub(crate) async fn capabilities(&self, account: &ProviderAccountId) -> Result<Capabilities, Error> {
        let (account, connector) = self.context.unseal(&self.context.account(account).await?)?;
        Ok(connector.capabilities(&account))
    }

    /// The connector of an account's provider.
    pub(crate) async fn connector(&self, account: &ProviderAccountId) -> Result<&'static dyn Connector, Error> {
        self.context.connector_of(&self.context.account(account).await?.provider)
    }
}
