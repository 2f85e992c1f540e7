//! The context of an API operation, and the table of all operations.

use serde_json::Value;

use super::{
    charges, checkout, disputes, error::ApiError, events, intents, misc, objects::View, params::Params,
    payment::Moment, refunds, state::Account, webhook_endpoints,
};
use crate::route::{self, Found, NoOperation, op};

/// A running request.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// The account that the key opens.
    pub account: &'a mut Account,
    /// The time, the address and the cause of changes.
    pub moment: Moment<'a>,
    /// The API version of the request.
    pub version: &'a str,
    /// The object id in the path.
    pub id: &'a str,
}

impl Ctx<'_> {
    /// The view in which replies show objects.
    pub fn view(&self) -> View<'_> {
        View { base: self.moment.base, version: self.version }
    }
}

/// Carries out one request.
pub type Run = fn(&mut Ctx<'_>, Params) -> Result<Value, ApiError>;

/// One operation of the API.
pub type Operation = route::Operation<Run>;

/// The table of operations. A new one is one line here.
#[rustfmt::skip]
pub static OPERATIONS: &[Operation] = &[
    op("POST", "checkout/sessions", "checkout.sessions.create", checkout::create::run),
    op("GET", "checkout/sessions", "checkout.sessions.list", checkout::list),
    op("GET", "checkout/sessions/:id", "checkout.sessions.retrieve", checkout::retrieve),
    op("POST", "checkout/sessions/:id", "checkout.sessions.update", checkout::update),
    op("POST", "checkout/sessions/:id/expire", "checkout.sessions.expire", checkout::expire),
    op("GET", "checkout/sessions/:id/line_items", "checkout.sessions.list_line_items", checkout::line_items),
    op("GET", "payment_intents", "payment_intents.list", intents::list),
    op("GET", "payment_intents/:id", "payment_intents.retrieve", intents::retrieve),
    op("POST", "payment_intents/:id", "payment_intents.update", intents::update),
    op("POST", "payment_intents/:id/capture", "payment_intents.capture", intents::capture),
    op("POST", "payment_intents/:id/cancel", "payment_intents.cancel", intents::cancel),
    op("GET", "charges", "charges.list", charges::list),
    op("GET", "charges/:id", "charges.retrieve", charges::retrieve),
    op("POST", "refunds", "refunds.create", refunds::create),
    op("GET", "refunds", "refunds.list", refunds::list),
    op("GET", "refunds/:id", "refunds.retrieve", refunds::retrieve),
    op("POST", "refunds/:id", "refunds.update", refunds::update),
    op("POST", "refunds/:id/cancel", "refunds.cancel", refunds::cancel),
    op("GET", "disputes", "disputes.list", disputes::list),
    op("GET", "disputes/:id", "disputes.retrieve", disputes::retrieve),
    op("POST", "disputes/:id/close", "disputes.close", disputes::close),
    op("GET", "events", "events.list", events::list),
    op("GET", "events/:id", "events.retrieve", events::retrieve),
    op("GET", "balance", "balance.retrieve", misc::balance),
    op("GET", "balance_transactions/:id", "balance_transactions.retrieve", misc::balance_transaction),
    op("GET", "account", "account.retrieve", misc::account),
    op("POST", "webhook_endpoints", "webhook_endpoints.create", webhook_endpoints::create),
    op("GET", "webhook_endpoints", "webhook_endpoints.list", webhook_endpoints::list),
    op("GET", "webhook_endpoints/:id", "webhook_endpoints.retrieve", webhook_endpoints::retrieve),
    op("POST", "webhook_endpoints/:id", "webhook_endpoints.update", webhook_endpoints::update),
    op("DELETE", "webhook_endpoints/:id", "webhook_endpoints.delete", webhook_endpoints::delete),
];

/// The operation for a method and a path, with the id in the path.
pub fn find<'p>(method: &str, path: &'p str) -> Result<Found<'p, Run>, ApiError> {
    let below = path.strip_prefix("/v1/").unwrap_or("");
    route::find(OPERATIONS, method, below).map_err(|missing| {
        let status = match missing {
            NoOperation::Method => 405,
            NoOperation::Address => 404,
        };
        let message = format!(
            "Unrecognized request URL ({method}: {path}). This sandbox simulates a part of the API; see the page at / for what it is."
        );
        ApiError::invalid(message).status(status)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_operation() {
        let name = |method, path| find(method, path).map(|(operation, id)| (operation.name, id.to_owned()));
        assert_eq!(name("POST", "/v1/checkout/sessions").unwrap(), ("checkout.sessions.create", String::new()));
        assert_eq!(
            name("POST", "/v1/payment_intents/pi_1/capture").unwrap(),
            ("payment_intents.capture", "pi_1".into())
        );
        assert_eq!(name("DELETE", "/v1/refunds").unwrap_err().status, 405);
        assert_eq!(name("GET", "/v1/nothing").unwrap_err().status, 404);
        assert_eq!(name("GET", "/v1/").unwrap_err().status, 404);
    }
}
