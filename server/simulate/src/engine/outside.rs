//! The engine's outside world: a clock, random numbers and a network that the scheduler controls.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use connectors::{HttpRequest, HttpResponse};
use domain::Millis;
use engine::store::Points;
use engine::{Clock, Transport, TransportError};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue};

use super::gate::{Fate, Gate, What};
use super::provider::Provider;
use crate::random::Random;

/// The state that both servers share with the scheduler.
pub(super) struct Shared {
    pub gate: Arc<Gate>,
    now: AtomicI64,
    random: Mutex<Random>,
    provider: Mutex<Provider>,
}

impl Shared {
    pub fn new(now: Millis) -> Self {
        Shared {
            gate: Arc::default(),
            now: AtomicI64::new(now),
            random: Mutex::new(Random::new(0)),
            provider: Mutex::new(Provider::default()),
        }
    }

    pub fn now(&self) -> Millis {
        self.now.load(Ordering::Relaxed)
    }

    pub fn set_now(&self, now: Millis) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// Time never goes back.
    pub fn wait_until(&self, time: Millis) {
        self.now.fetch_max(time, Ordering::Relaxed);
    }

    pub fn random(&self) -> MutexGuard<'_, Random> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn provider(&self) -> MutexGuard<'_, Provider> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One life of one server, as the engine sees the world.
#[derive(Clone)]
pub(super) struct Port {
    pub shared: Arc<Shared>,
    pub life: u32,
}

impl Port {
    async fn pass(&self, what: What) -> Fate {
        self.shared.gate.pass(self.life, what).await
    }

    async fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let lost = || Err(TransportError::Lost("lost".to_owned()));
        match self.pass(What::Request(request.name)).await {
            Fate::Go => {}
            Fate::NotSent => return Err(TransportError::NotSent("connection refused".to_owned())),
            Fate::Limited => return Ok(self.reply(429, r#"{"error":{"message":"slow down"}}"#.to_owned())),
            Fate::Broken => return Ok(self.reply(502, "<html>bad gateway</html>".to_owned())),
            Fate::Lost => return lost(),
            Fate::Late => {
                self.shared.provider().late.push(request.clone());
                return lost();
            }
        }
        let (status, body) = self.shared.provider().handle(request, self.shared.now());
        match self.pass(What::Reply).await {
            Fate::Go => Ok(self.reply(status, body)),
            Fate::Broken => Ok(self.reply(502, "<html>bad gateway</html>".to_owned())),
            _ => lost(),
        }
    }

    fn reply(&self, status: u16, body: String) -> HttpResponse {
        let mut headers = HeaderMap::new();
        let since = Duration::from_millis(u64::try_from(self.shared.now()).unwrap_or(0));
        let date = httpdate::fmt_http_date(UNIX_EPOCH + since);
        headers.extend(HeaderValue::from_str(&date).ok().map(|date| (http::header::DATE, date)));
        HttpResponse { status, headers, body: Bytes::from(body) }
    }
}

impl Clock for Port {
    fn now(&self) -> Millis {
        self.shared.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        let until = self.now() + Millis::try_from(time.as_millis()).unwrap_or(0);
        Box::pin(async move {
            self.pass(What::Sleep(until)).await;
            self.shared.wait_until(until);
        })
    }

    /// News from another task must not wake this one, or two tasks would run at once. The news counts as another
    /// server's.
    fn sleep_unless<'a>(&'a self, time: Duration, _happens: BoxFuture<'a, ()>) -> BoxFuture<'a, ()> {
        self.sleep(time)
    }
}

impl engine::Random for Port {
    fn fill(&self, buffer: &mut [u8]) {
        let mut random = self.shared.random();
        for chunk in buffer.chunks_mut(8) {
            let bytes = random.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

impl Transport for Port {
    fn send<'a>(
        &'a self,
        _base_url: &'a str,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpResponse, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

impl Points for Port {
    fn reached(&self, _point: &'static str) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.pass(What::Point).await;
        })
    }
}
