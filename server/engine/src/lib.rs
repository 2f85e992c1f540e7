//! The application core: services, store, inbox, jobs and the gateway to the providers.
//!
//! Every change of a payment passes `record`: facts in, the domain's decision, and the result stored in one transaction. Clock,
//! randomness and HTTP are passed in through [`Env`].

mod accounts;
mod admin;
mod alerts;
mod attempt;
mod breaker;
mod checkout;
mod context;
mod engine;
mod env;
mod error;
mod gateway;
mod host;
mod inbox;
mod jobs;
mod live;
mod money;
mod paging;
pub mod problem;
mod readiness;
mod record;
mod retention;
mod scope;
mod seal;
pub mod store;
mod tls;
mod transport;
mod tuning;
mod work;

pub use admin::{
    AccountSummary, Accounts, Events, KeySummary, KeyUse, Keys, LinkSummary, Links, MerchantSummary, Merchants,
    NewAccount, NewLink, Resealed, Scopes, Upkeep,
};
pub use checkout::{Checkout, Follower, OpenedLink, PageError, Started};
pub use context::Settings;
pub use engine::Engine;
pub use env::{Clock, Env, OsRandom, Random, SystemClock};
pub use error::{CallError, Class, Code, Error, Later, Raced, Thing, document};
pub use host::{HostProblem, unreachable_host};
pub use inbox::{Addressee, Inbox, Received, RejectedHook};
pub use money::{Asked, Balance, Discrepancy, Kept, Modified, PaymentRow, Payments, Statement};
pub use paging::{Listed, Page};
pub use readiness::NotReady;
pub use retention::{Retention, RetentionError};
pub use scope::{Actor, Installation, Scope};
pub use seal::{DAMAGED, Keyring, KeyringError, SealError};
pub use store::trouble::{Cause, Trouble};
pub use tls::{NewTls, TlsOption, TlsProblem};
pub use transport::{HttpTransport, Transport, TransportError};
pub use tuning::{Intake as IntakeMode, Tuning};
