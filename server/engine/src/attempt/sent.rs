//! The request that opens an attempt. It is built once and stored before it is sent, so that a repetition is the same byte for byte: a
//! provider refuses a key that comes with another body, and then the outcome of the first request stays unknown.

use connectors::{OpenSpec, Operation, Sent};
use domain::id::{AttemptId, ProviderAccountId, Token};
use domain::order::Order;
use domain::payment::Attempt;

use super::Attempts;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::{Connection, attempts};

impl Attempts<'_> {
    /// The specification for opening an attempt. `session` is the token of the session that the shopper comes back to.
    pub(crate) fn open_spec(&self, attempt: &Attempt, order: &Order, session: &Token) -> Result<OpenSpec, Error> {
        let page = format!("{}/c/{session}", self.context.public_url());
        let query = attempt.lang.as_ref().map_or_else(String::new, |lang| format!("?lang={lang}"));
        Ok(OpenSpec {
            attempt: attempt.id.clone(),
            amount: attempt.amount,
            lines: order.basket.charged().map_err(Error::corrupt)?,
            method: attempt.method,
            capture: order.policies.capture,
            until: attempt.until.ok_or_else(|| Error::Corrupt("an attempt without an end".into()))?,
            return_url: format!("{page}/return{query}"),
            cancel_url: format!("{page}{query}"),
            lang: attempt.lang.clone(),
        })
    }

    /// The request of an operation, without the credentials. None if the connector cannot make it; the call that follows says why.
    pub(crate) async fn written(
        &self,
        account: &ProviderAccountId,
        operation: &Operation,
    ) -> Result<Option<Sent>, Error> {
        let (account, connector) = self.context.unseal(&self.context.account(account).await?)?;
        let request = connector.begin(&account, operation, &operation.key());
        Ok(request.ok().map(|request| request.as_sent()))
    }

    /// Stores the request of an attempt in the caller's transaction, unless one is stored already. Returns whether this request was
    /// stored.
    pub(crate) async fn keep_sent(
        &self,
        connection: &mut Connection,
        attempt: &AttemptId,
        sent: &Sent,
    ) -> Result<bool, Error> {
        let text = serde_json::to_string(sent).map_err(Error::corrupt)?;
        attempts::keep_sent(connection, &ENGINE, attempt, &text).await
    }

    /// The stored request of an attempt. If there is none, because the connector could not make one when the attempt began, the request
    /// made now is stored.
    pub(crate) async fn sent(&self, attempt: &Attempt, operation: &Operation) -> Result<Option<Sent>, Error> {
        let stored = self.stored_request(&attempt.id).await?;
        if stored.is_some() {
            return Ok(stored);
        }
        let Some(sent) = self.written(&attempt.account, operation).await? else { return Ok(None) };
        let mut tx = self.context.store().begin().await?;
        let kept = self.keep_sent(&mut tx, &attempt.id, &sent).await?;
        self.context.commit(tx).await?;
        if kept {
            return Ok(Some(sent));
        }
        // Another server has stored its request first.
        self.stored_request(&attempt.id).await
    }

    async fn stored_request(&self, attempt: &AttemptId) -> Result<Option<Sent>, Error> {
        let text = attempts::sent(&mut *self.context.store().reader().await?, &ENGINE, attempt).await?;
        text.map(|text| serde_json::from_str(&text).map_err(Error::corrupt)).transpose()
    }
}
