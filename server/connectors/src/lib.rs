//! Provider wire formats in and out, signatures and declines. No network, no database, no clock.
//!
//! A [`Connector`] turns an [`Operation`] into an HTTP request and the reply into an [`Outcome`]; the engine does the
//! sending. It authenticates a delivery, splits it into items that can be stored, and reads an item into what the domain
//! understands. A new provider is one folder here and one line in [`by_name`].

pub mod adyen;
mod amount;
mod connector;
mod credential;
mod http;
mod reply;
pub mod stripe;
mod text;

pub use amount::AmountRule;
pub use connector::{
    Account, Authentic, Capabilities, Connector, Disposition, EventsSpec, Fail, Foreign, Incoming, Item, ModifySpec,
    OpenSpec, Operation, Outcome, Reject, Reply, Target, Unreadable, Wire,
};
pub use credential::tidy;
pub use http::{HttpRequest, HttpResponse};

/// Every provider, by the name used in the database, in addresses and on the command line.
pub const PROVIDERS: &[&str] = &["stripe", "adyen"];

/// The connector of a provider.
#[must_use]
pub fn by_name(provider: &str) -> Option<&'static dyn Connector> {
    match provider {
        "adyen" => Some(&adyen::Adyen),
        "stripe" => Some(&stripe::Stripe),
        _ => None,
    }
}
