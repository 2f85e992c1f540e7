//! News for open pages: within this server by a channel, between servers by PostgreSQL's LISTEN/NOTIFY.

use std::time::Duration;

use domain::id::{PaymentId, Token};
use sqlx::Executor;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::checkout::PageError;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{payments, sessions};

/// News that wait for a slow page. One that falls further behind looks for itself.
const BACKLOG: usize = 1024;
/// While another server's news cannot be heard, pages look for themselves this often.
const POLL: Duration = Duration::from_secs(1);

/// How long another server may be silent before the connection is tried.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// What a page is told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum News {
    /// This payment, or one of its sessions, has changed.
    Payment(PaymentId),
    /// Anything may have changed.
    Anything,
}

/// The channel to this server's open pages.
pub(crate) struct Live(broadcast::Sender<News>);

impl Live {
    pub(crate) fn new() -> Self {
        Live(broadcast::Sender::new(BACKLOG))
    }

    /// Tells this server's pages about a committed change.
    pub(crate) fn tell(&self, payment: &PaymentId) {
        self.send(News::Payment(payment.clone()));
    }

    fn send(&self, news: News) {
        // No receiver means no open page.
        let _ = self.0.send(news);
    }

    pub(crate) fn watch(&self, payment: &PaymentId) -> Watch {
        Watch { receiver: self.0.subscribe(), payment: payment.clone() }
    }
}

/// Waits for news of one payment.
pub(crate) struct Watch {
    receiver: broadcast::Receiver<News>,
    payment: PaymentId,
}

impl Watch {
    /// Returns when the payment may have changed. News from before [`Live::watch`] are not seen.
    pub(crate) async fn changed(&mut self) {
        loop {
            match self.receiver.recv().await {
                Ok(News::Payment(id)) if id != self.payment => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                // The engine is going down; there will be no more news.
                Err(RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }
}

/// Follows a session for an open page.
pub struct Follower {
    engine: Engine,
    token: Token,
    watch: Watch,
    last: Option<String>,
}

impl Follower {
    /// The session's revision: at once the first time, then whenever it has changed. It means nothing but difference.
    pub async fn next(&mut self) -> Result<String, PageError> {
        loop {
            let now = self.engine.revision(&self.token).await?;
            if self.last.as_ref() != Some(&now) {
                self.last = Some(now.clone());
                return Ok(now);
            }
            self.watch.changed().await;
        }
    }
}

impl Engine {
    /// Follows a session.
    pub async fn follow(&self, token: &Token) -> Result<Follower, PageError> {
        let mut connection = self.store().reader().await?;
        let found = sessions::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let watch = self.live().watch(&found.session.payment);
        Ok(Follower { engine: self.clone(), token: token.clone(), watch, last: None })
    }

    async fn revision(&self, token: &Token) -> Result<String, PageError> {
        let mut connection = self.store().reader().await?;
        let found = sessions::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let payment = payments::revision(&mut connection, &found.session.payment).await?;
        Ok(format!("{payment}.{}", found.revision))
    }
}

/// Passes other servers' news on until told to stop.
pub(crate) async fn listen(engine: Engine, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => return,
            result = hear(&engine) => if let Err(error) = result {
                warn!(%error, "not hearing other servers' news; open pages ask once a second meanwhile");
            },
        }
        engine.live().send(News::Anything);
        sleep(POLL).await;
    }
}

async fn hear(engine: &Engine) -> Result<(), Error> {
    let mut listener = PgListener::connect(engine.store().url()).await?;
    listener.listen("till_news").await?;
    info!("hearing other servers' news");
    // What was said before must be looked for.
    engine.live().send(News::Anything);
    loop {
        match timeout(SILENCE_MAX, listener.try_recv()).await {
            Ok(received) => {
                let lost = || Error::Invalid("the connection was closed".into());
                if let Ok(payment) = received?.ok_or_else(lost)?.payload().parse() {
                    engine.live().tell(&payment);
                }
            }
            // A connection cut without a word stays silent for ever; a question shows it.
            Err(_) => {
                let asked = timeout(SILENCE_MAX, listener.execute("SELECT 1")).await;
                asked.map_err(|_| Error::Invalid("the connection does not answer".into()))??;
            }
        }
    }
}
