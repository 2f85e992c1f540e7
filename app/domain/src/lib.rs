//! Till's rules: money, ids, texts, lines, links, sessions, payments, declines.
//!
//! Everything here is a pure function of its arguments. There is no I/O, no clock, no randomness and no `async`; the
//! caller passes in the time and the random bytes. The same crate is compiled into the server and into the browser's
//! WebAssembly.

pub mod checkout;
pub mod currency;
pub mod decline;
pub mod id;
pub mod journal;
pub mod ledger;
pub mod line;
pub mod link;
pub mod method;
pub mod mode;
pub mod money;
pub mod mutant;
pub mod order;
pub mod payment;
pub mod session;
pub mod text;
pub mod time;

pub use mode::Mode;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// One second in [`Millis`].
pub const SECOND: Millis = 1_000;
/// One minute in [`Millis`].
pub const MINUTE: Millis = 60 * SECOND;
/// One hour in [`Millis`].
pub const HOUR: Millis = 60 * MINUTE;
/// One day in [`Millis`].
pub const DAY: Millis = 24 * HOUR;
