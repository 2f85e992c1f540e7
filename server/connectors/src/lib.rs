//! Provider wire formats in and out, signatures and declines. The crate uses no network, no database and no clock.
//!
//! A [`Connector`] turns an [`Operation`] into an HTTP request and the reply into an [`Outcome`]; the engine does the sending. A connector
//! also authenticates a delivery, splits it into items that can be stored, and reads an item into the domain's types. A new provider is one
//! folder here and one line in [`Registry`].

pub mod adyen;
mod amount;
mod connector;
mod credential;
mod delivery;
mod http;
mod kept;
mod registry;
mod repetition;
mod reply;
mod setup;
pub mod stripe;
mod text;

pub use amount::AmountRule;
pub use connector::{
    Account, Capabilities, Connector, EventsSpec, Fail, ModifySpec, OpenSpec, Operation, Outcome, Setup, Target, Tls,
    Wire,
};
pub use credential::{is_guessable, tidy};
pub use delivery::{
    Authentic, Credence, Delivery, Disposition, Foreign, Incoming, Item, Reference, Reject, Reply, Unreadable,
};
pub use http::{HttpRequest, HttpResponse, Sent};
pub use kept::Kept;
pub use registry::Registry;
pub use repetition::{Deed, Repetition};
pub use setup::SetupProblem;
