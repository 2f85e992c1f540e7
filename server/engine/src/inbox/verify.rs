//! Finds out how far a delivery can be trusted, with the provider's help where needed.

use std::sync::Arc;

use connectors::{Credence, Delivery, HttpRequest, HttpResponse, Reject};
use tracing::warn;

use super::Inbox;
use crate::accounts::Ready;
use crate::error::Error;
use crate::gateway::Gateway;

/// The most questions about one delivery.
const QUESTIONS_MAX: usize = 2;
/// The most deliveries that are asked about at a time. Anybody can send such deliveries, so further ones are answered with a request to
/// try again.
pub(crate) const QUESTIONS_AT_A_TIME: usize = 16;

/// The result of verifying a delivery.
pub(super) enum Known {
    /// How far the delivery can be trusted, and the account as it was when that was found.
    Believed(Arc<Ready>, Credence),
    /// The delivery is not the provider's.
    Rejected(Reject),
    /// The provider could not be asked now.
    Unknown,
}

impl Inbox {
    /// Finds out how far a delivery can be trusted. Before a delivery is refused, the account is read once more: the delivery may be
    /// signed with a secret that was added a moment ago.
    pub(super) async fn believe(&self, ready: Arc<Ready>, delivery: &Delivery) -> Result<Known, Error> {
        let judge = |ready: &Ready| ready.connector.authenticate(&ready.account, delivery, self.context.env().now());
        let (ready, credence) = match judge(&ready) {
            Ok(credence) => (ready, credence),
            Err(reject) => match self.context.fresher(&ready).await? {
                Some(fresher) => match judge(&fresher) {
                    Ok(credence) => (fresher, credence),
                    Err(reject) => return Ok(Known::Rejected(reject)),
                },
                None => return Ok(Known::Rejected(reject)),
            },
        };
        match credence {
            Credence::Ask(question) => Ok(self.ask_about(ready, delivery, *question).await),
            believed => Ok(Known::Believed(ready, believed)),
        }
    }

    async fn ask_about(&self, ready: Arc<Ready>, delivery: &Delivery, mut question: HttpRequest) -> Known {
        let Ok(_place) = self.handles.questions.try_acquire() else { return Known::Unknown };
        let gateway =
            Gateway { context: &self.context, account: &ready.account, connector: ready.connector, sent: None };
        for _ in 0..QUESTIONS_MAX {
            let reply = match gateway.ask(&question).await {
                Ok(reply) if is_answer(&reply) => reply,
                Ok(reply) => {
                    warn!(account = %ready.account.id, status = reply.status, "a delivery could not be verified at the provider");
                    return Known::Unknown;
                }
                Err(error) => {
                    warn!(account = %ready.account.id, %error, "a delivery could not be verified at the provider");
                    return Known::Unknown;
                }
            };
            let now = self.context.env().now();
            match ready.connector.verified(&ready.account, delivery, &question, &reply, now) {
                Ok(Credence::Ask(next)) => question = *next,
                Ok(believed) => return Known::Believed(ready, believed),
                Err(reject) => return Known::Rejected(reject),
            }
        }
        Known::Rejected(Reject::Wrong)
    }
}

/// Whether a reply says something about the delivery, rather than about our key or the provider's health.
fn is_answer(reply: &HttpResponse) -> bool {
    !matches!(reply.status, 401 | 403 | 429 | 500..)
}
