//! News for open pages: within this server from the code that commits a change, between servers by PostgreSQL's LISTEN/NOTIFY.

mod news;

use std::time::Duration;

use domain::id::PaymentId;
use sqlx::Executor;
use sqlx::postgres::PgListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::context::Context;
use crate::error::{Error, Later};
use news::News;
pub(crate) use news::Watch;

/// How often pages look for changes themselves while other servers' news cannot be heard.
const POLL: Duration = Duration::from_secs(1);

/// How long other servers may be silent before the connection is tested.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// The most questions about revisions at a time, so that news for all pages leave connections for other work.
const QUESTIONS: usize = 4;

/// This server's open pages.
pub(crate) struct Live {
    news: News,
    /// The permits for questions about revisions.
    pub(crate) questions: Semaphore,
}

impl Live {
    pub(crate) fn new() -> Self {
        Live { news: News::new(), questions: Semaphore::new(QUESTIONS) }
    }

    /// Notifies this server's pages of a committed change.
    pub(crate) fn tell(&self, payment: &PaymentId) {
        self.news.tell(payment);
    }

    pub(crate) fn watch(&self, payment: &PaymentId) -> Watch {
        self.news.watch(payment)
    }
}

/// Passes other servers' news on until shutdown.
pub(crate) async fn listen(context: Context, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => return,
            result = hear(&context) => if let Err(error) = result {
                warn!(%error, "not hearing other servers' news; open pages ask once a second meanwhile");
            },
        }
        context.live().news.tell_all();
        sleep(POLL).await;
    }
}

async fn hear(context: &Context) -> Result<(), Error> {
    let mut listener = PgListener::connect(context.store().url()).await?;
    listener.listen("till_news").await?;
    info!("hearing other servers' news");
    // Changes from before the connection must be looked for.
    context.live().news.tell_all();
    loop {
        match timeout(SILENCE_MAX, listener.try_recv()).await {
            Ok(received) => {
                let lost = || Error::Later(Later::NewsClosed);
                if let Ok(payment) = received?.ok_or_else(lost)?.payload().parse() {
                    context.live().tell(&payment);
                }
            }
            // A connection that was cut without notice stays silent for ever. A query reveals the cut.
            Err(_) => {
                let asked = timeout(SILENCE_MAX, listener.execute("SELECT 1")).await;
                asked.map_err(|_| Error::Later(Later::NewsSilent))??;
            }
        }
    }
}
