//! Provider wire formats in and out, signatures and declines. No network, no database, no clock.
//!
//! A [`Connector`] turns an [`Operation`] into an HTTP request and the reply into an [`Outcome`]; the engine does the
//! sending. It authenticates a delivery, splits it into items that can be stored, and reads an item into what the domain
//! understands. A new provider is one folder here and one line in [`Registry`].

pub mod adyen;
mod amount;
mod connector;
mod credential;
mod http;
mod registry;
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
pub use registry::Registry;
