//! Server functions: everything a page can do. The WebAssembly and plain forms call the same addresses.
//!
//! An expected outcome is always `Ok`. Without WebAssembly the reply is a redirect to a page that shows the stored outcome. The address
//! carries no part of the outcome. If the outcome could not be stored, the reply is an error, of which the server makes a page.

mod cancel_payment;
mod error;
mod extend_session;
mod next;
mod plain;
mod read_status;
mod renew_session;
#[cfg(not(target_arch = "wasm32"))]
mod reply;
mod start_payment;
mod status;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

pub use cancel_payment::{CancelPayment, cancel_payment};
pub use error::ActionError;
pub use extend_session::{ExtendSession, extend_session};
pub use next::Next;
pub use plain::{Plain, PlainEncoding, PlainText};
pub use read_status::{ReadStatus, read_status};
pub use renew_session::{RenewSession, renew_session};
#[cfg(not(target_arch = "wasm32"))]
pub use reply::clean_location;
pub use start_payment::{StartPayment, start_payment};
pub use status::Status;
