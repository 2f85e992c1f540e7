//! Deliveries from providers: authenticated, stored, answered. What they say is applied by a job afterwards.

use bytes::Bytes;
use connectors::{Disposition, Reject, Reply};
use domain::id::{InboxId, ProviderAccountId};
use http::HeaderMap;
use tracing::{error, info};

use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::Kind;
use crate::store::accounts;
use crate::store::inbox::{self, InboxRow, InboxState};

/// What the provider is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// In the provider's dialect.
    Reply(Reply),
    /// The address names no account.
    NoSuchAccount,
}

/// Why a delivery was turned away.
pub type RejectedHook = Reject;

impl Engine {
    /// Takes a delivery. The reply follows the commit: what is acknowledged is stored.
    pub async fn receive(&self, provider: &str, account: &str, headers: &HeaderMap, body: Bytes) -> Received {
        let Ok(id) = account.parse::<ProviderAccountId>() else { return Received::NoSuchAccount };
        match self.take(provider, &id, headers, body).await {
            Ok(received) => received,
            Err(error) => {
                error!(%error, account = %id, "a delivery could not be stored; the provider is asked to try again");
                match connectors::by_name(provider) {
                    Some(connector) => Received::Reply(connector.reply(Disposition::Busy)),
                    None => Received::NoSuchAccount,
                }
            }
        }
    }

    async fn take(
        &self,
        provider: &str,
        id: &ProviderAccountId,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Received, Error> {
        let row = accounts::find(&mut *self.store().reader().await?, id).await?;
        let Some(row) = row.filter(|row| row.provider == provider) else { return Ok(Received::NoSuchAccount) };
        let (account, connector) = self.unseal(&row)?;
        let items = connector
            .authenticate(&account, headers, body, self.env().now())
            .and_then(|delivery| connector.split(&delivery));
        let items = match items {
            Ok(items) => items,
            Err(reject) => {
                self.turn_away(provider, id, reject).await;
                return Ok(Received::Reply(connector.reply(Disposition::Rejected)));
            }
        };
        let mut tx = self.store().begin().await?;
        let mut fresh = 0;
        for item in items {
            let row = InboxRow {
                id: InboxId::from_random(self.env().bits()),
                account: id.clone(),
                event: item.event,
                body: item.body.to_vec(),
                state: InboxState::Pending,
                kind: None,
                note: None,
                received: self.env().now(),
            };
            if inbox::insert(&mut tx, &row).await? {
                self.enqueue(&mut tx, Kind::Apply, row.id.as_str(), row.received).await?;
                fresh += 1;
            }
        }
        self.commit(tx).await?;
        let outcome = if fresh > 0 { "stored" } else { "duplicate" };
        count(provider, outcome);
        info!(account = %id, outcome, "delivery");
        Ok(Received::Reply(connector.reply(Disposition::Stored)))
    }

    async fn turn_away(&self, provider: &str, account: &ProviderAccountId, reject: Reject) {
        count(provider, reject.as_str());
        let subject = format!("{account} {}", reject.as_str());
        self.alert("webhook_rejected", &subject, &format!("a delivery for {provider} account {account}: {reject}"))
            .await;
    }
}

fn count(provider: &str, outcome: &'static str) {
    metrics::counter!("till_deliveries_total", "provider" => provider.to_owned(), "outcome" => outcome).increment(1);
}
