//! The application core: services, store, inbox, jobs and the gateway to the providers.
//!
//! Every change of a payment passes `record`: facts in, the domain's decision, and the result stored in one transaction. Clock,
//! randomness and HTTP are passed in through [`Env`].

mod accounts;
mod admin;
mod alerts;
mod breaker;
mod checkout;
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
mod readiness;
mod record;
mod retention;
mod seal;
pub mod store;
mod tls;
mod transport;

pub use admin::problem::{AccountProblem, LinkProblem, MerchantProblem};
pub use admin::{AccountSummary, KeySummary, KeyUse, LinkSummary, MerchantSummary, NewAccount, NewLink, Resealed};
pub use checkout::{OpenedLink, PageError, Started};
pub use engine::{Engine, Settings};
pub use env::{Clock, Env, OsRandom, Random, SystemClock};
pub use error::{Class, Code, Error, Later, Raced, Thing, document};
pub use gateway::CallError;
pub use host::{HostProblem, unreachable_host};
pub use inbox::{Addressee, IntakeMode, Received, RejectedHook, Tuning};
pub use live::Follower;
pub use money::problem;
pub use money::{Asked, Balance, Discrepancy, Kept, Modified, PaymentRow, Statement};
pub use paging::{Listed, Page};
pub use readiness::NotReady;
pub use retention::{Retention, RetentionError};
pub use seal::{DAMAGED, Keyring, KeyringError, SealError};
pub use store::problem::{BodyProblem, Damage, DatabaseProblem, Finding};
pub use store::trouble::{Cause, Trouble};
pub use tls::{NewTls, TlsOption, TlsProblem};
pub use transport::{HttpTransport, Transport, TransportError};
