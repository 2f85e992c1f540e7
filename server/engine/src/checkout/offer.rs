//! The offer for an order: the methods and accounts that take it, and the reasons of accounts that do not.

use connectors::AmountRule;
use domain::id::ProviderAccountId;
use domain::method::Method;
use domain::order::Order;
use domain::payment::Capture;
use tracing::warn;

use super::Checkout;
use crate::error::Error;
use crate::scope::Scope;
use crate::store::accounts;

/// The answers of the merchant's enabled accounts in an order's mode to that order.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    /// The methods on offer, in the order of the page, each with its account: the oldest that takes the order.
    pub methods: Vec<(Method, ProviderAccountId)>,
    /// The reason of each account that takes the order with no method.
    pub rules: Vec<AmountRule>,
    /// Whether any account was asked.
    pub asked: bool,
}

impl Checkout {
    /// Asks the accounts. Accounts can change while an order waits, so this is called whenever the methods matter.
    pub(crate) async fn offer(&self, scope: &Scope, order: &Order) -> Result<Offer, Error> {
        let rows = accounts::of_merchant(&mut *self.context.store().reader().await?, scope).await?;
        let lines = order.basket.charged().map_err(Error::corrupt)?;
        let wanted: Vec<Method> =
            Method::ALL.into_iter().filter(|method| fits(*method, order.policies.capture)).collect();
        let mut offer = Offer::default();
        let mut taken = vec![];
        for row in rows.iter().filter(|row| row.enabled) {
            let (account, connector) = match self.context.unseal(row) {
                Ok(unsealed) => unsealed,
                Err(error) => {
                    warn!(account = %row.id, %error, "an account cannot be used for new payments");
                    continue;
                }
            };
            offer.asked = true;
            let answers = wanted.iter().map(|method| connector.takes(&account, *method, &lines, order.total));
            let answers: Vec<_> = answers.collect();
            let methods = wanted.iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
            let before = taken.len();
            taken.extend(methods.map(|(method, _)| (*method, row.id.clone())));
            if taken.len() == before {
                // A shopper would most likely choose the first method, so its reason is reported.
                offer.rules.extend(answers.into_iter().find_map(Result::err));
            }
        }
        let first = |method: Method| taken.iter().find(|(other, _)| *other == method).cloned();
        offer.methods = wanted.into_iter().filter_map(first).collect();
        Ok(offer)
    }

    /// Whether every account that the methods use can capture later than it authorises.
    pub(crate) async fn can_capture_later(&self, offer: &Offer) -> Result<bool, Error> {
        for (method, account) in &offer.methods {
            let (account, connector) = self.context.unseal(&self.context.account(account).await?)?;
            if !connector.captures_later(&account, *method) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn fits(method: Method, capture: Capture) -> bool {
    capture == Capture::Automatic || method.can_be_authorised()
}
