//! When a search at a provider proves that a request which was not answered did nothing.
//!
//! Such a request is repeated with its key, because that is the quickest way to an answer. But a provider may repeat a stored error
//! for a day (Stripe API reference, Idempotent requests). Therefore it is repeated for two minutes only; then nothing is sent any
//! more, and when the last request has certainly ended, what a search does not find is not there.

use domain::id::ProviderAccountId;
use domain::{MINUTE, Millis};

use super::LEASE;
use crate::engine::Engine;
use crate::error::Error;

/// How long a request is repeated.
const REPEATED: Millis = 2 * MINUTE;
/// The longest a request is under way: no longer than the run of a job, and a shopper's click is shorter.
const UNDER_WAY_MAX: Millis = LEASE;

/// The two times, for a provider whose searches prove something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof {
    /// From when on the request is not sent any more.
    pub quiet: Millis,
    /// From when on a search that comes to its end and finds nothing is a proof.
    pub proved: Millis,
}

impl Engine {
    /// The times for a request that was first made at `since`.
    pub(crate) async fn proof(&self, account: &ProviderAccountId, since: Millis) -> Result<Option<Proof>, Error> {
        let lag = self.capabilities(account).await?.search_proves_after;
        let quiet = since + REPEATED;
        Ok(lag.map(|lag| Proof { quiet, proved: quiet + UNDER_WAY_MAX + lag }))
    }
}
