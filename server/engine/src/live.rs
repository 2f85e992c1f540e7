//! News for open pages: within this server from the code that commits a change, between servers by PostgreSQL's LISTEN/NOTIFY.

mod news;

use std::sync::Arc;
use std::time::Duration;

use domain::id::{PaymentId, Token};
use sqlx::Executor;
use sqlx::postgres::PgListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::checkout::PageError;
use crate::engine::Engine;
use crate::error::{Error, Later};
use crate::store::{payments, sessions};
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
    questions: Semaphore,
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

/// Follows a session for an open page.
pub struct Follower {
    engine: Engine,
    watch: Watch,
    last: Option<Arc<str>>,
    /// Whether there may be a change that the last revision does not show.
    is_due: bool,
}

impl Follower {
    /// The revision of the session's payment and of its sessions: at once the first time, then whenever it has changed. Revisions can
    /// only be compared for equality. A call that is dropped loses no change.
    pub async fn next(&mut self) -> Result<Arc<str>, PageError> {
        loop {
            if !self.is_due {
                self.watch.changed().await;
                self.is_due = true;
            }
            // On the heap, because most pages wait most of the time.
            let now = Box::pin(self.look()).await?;
            self.is_due = false;
            if self.last.as_ref() != Some(&now) {
                self.last = Some(Arc::clone(&now));
                return Ok(now);
            }
        }
    }

    async fn look(&mut self) -> Result<Arc<str>, PageError> {
        let payment = self.watch.payment().clone();
        let question = self.engine.revision(&payment);
        // A new page asks itself, so that its first revision is no older than the page.
        if self.last.is_none() { question.await } else { self.watch.ask(question).await }
    }
}

impl Engine {
    /// Follows a session.
    pub async fn follow(&self, token: &Token) -> Result<Follower, PageError> {
        let mut connection = self.store().reader().await?;
        let found = sessions::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let watch = self.live().watch(&found.session.payment);
        Ok(Follower { engine: self.clone(), watch, last: None, is_due: true })
    }

    async fn revision(&self, payment: &PaymentId) -> Result<Arc<str>, PageError> {
        // This semaphore is never closed.
        let _turn = self.live().questions.acquire().await;
        let mut connection = self.store().reader().await?;
        let revision = payments::revision(&mut connection, payment).await?.ok_or(PageError::NotFound)?;
        Ok(revision.into())
    }
}

/// Passes other servers' news on until shutdown.
pub(crate) async fn listen(engine: Engine, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => return,
            result = hear(&engine) => if let Err(error) = result {
                warn!(%error, "not hearing other servers' news; open pages ask once a second meanwhile");
            },
        }
        engine.live().news.tell_all();
        sleep(POLL).await;
    }
}

async fn hear(engine: &Engine) -> Result<(), Error> {
    let mut listener = PgListener::connect(engine.store().url()).await?;
    listener.listen("till_news").await?;
    info!("hearing other servers' news");
    // Changes from before the connection must be looked for.
    engine.live().news.tell_all();
    loop {
        match timeout(SILENCE_MAX, listener.try_recv()).await {
            Ok(received) => {
                let lost = || Error::Later(Later::NewsClosed);
                if let Ok(payment) = received?.ok_or_else(lost)?.payload().parse() {
                    engine.live().tell(&payment);
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
