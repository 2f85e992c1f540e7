//! The shopper's actions: open a link, view a session, start, cancel, extend, begin anew.

mod follow;
mod link;
mod offer;
mod start;
mod turn;
mod view;

use std::future::Future;

use thiserror::Error as ThisError;
use tokio::time::timeout;
use tracing::error;

pub use follow::Follower;
pub use link::OpenedLink;
pub(crate) use offer::Offer;
pub use start::Started;

use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::Error;

/// Why a page cannot be shown. The details are only in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum PageError {
    /// There is no such session or link.
    #[error("there is no such page")]
    NotFound,
    /// The server is broken or overloaded. A later try may help.
    #[error("busy")]
    Busy,
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        error!(%error, "a page could not be served");
        PageError::Busy
    }
}

/// The shoppers' actions. Cloning is cheap.
#[derive(Clone)]
pub struct Checkout {
    context: Context,
}

impl Checkout {
    pub(crate) fn new(context: Context) -> Checkout {
        Checkout { context }
    }

    fn attempts(&self) -> Attempts<'_> {
        Attempts::of(&self.context)
    }
}

/// Runs an action to its end, even if the shopper disconnects. Otherwise the next press would have to wait until a job takes over. The
/// shopper waits at most as long as one click may take. An action that takes longer continues in the background and returns none.
async fn to_its_end<T: Send + 'static>(
    context: &Context,
    action: impl Future<Output = Result<T, PageError>> + Send + 'static,
) -> Result<Option<T>, PageError> {
    let place = context.action().ok_or(PageError::Busy)?;
    let held = async move {
        let result = action.await;
        drop(place);
        result
    };
    match timeout(context.tuning().click, tokio::spawn(held)).await {
        Ok(Ok(result)) => result.map(Some),
        Ok(Err(error)) => {
            error!(%error, "an action broke off");
            Err(PageError::Busy)
        }
        Err(_) => Ok(None),
    }
}
