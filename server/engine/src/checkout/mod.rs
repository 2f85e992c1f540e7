//! What shoppers do: open a link, look at a session, start, cancel, extend, begin anew.

mod link;
mod start;
mod turn;
mod view;

use thiserror::Error as ThisError;
use tracing::error;

pub use link::OpenedLink;
pub use start::Started;

use crate::error::Error;

/// Why a page has nothing to show. It carries no details: they are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum PageError {
    /// There is no such session or link.
    #[error("there is no such page")]
    NotFound,
    /// Something is broken or overloaded here; trying again later may help.
    #[error("busy")]
    Busy,
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        error!(%error, "a page could not be served");
        PageError::Busy
    }
}
