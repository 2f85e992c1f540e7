//! Sending a connector's request over HTTP.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connectors::{HttpRequest, HttpResponse};
use futures::future::BoxFuture;
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;
use thiserror::Error;

/// Time to reach the provider.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a whole exchange. Longer than that, a shopper has left.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Unused connections to one provider that are kept, each of them an open file.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// Bytes of a reply that are read.
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The request did not leave, so the provider cannot have acted on it.
    #[error("the provider could not be reached: {0}")]
    NotSent(String),
    /// The request may have arrived.
    #[error("the provider's reply was lost: {0}")]
    Lost(String),
    /// There is a reply, and it is too large to be read.
    #[error("the provider's reply is larger than {0} bytes")]
    TooLarge(usize),
}

/// Sends requests.
pub trait Transport: Send + Sync {
    /// Sends a request to an account's address and reads the whole reply.
    fn send<'a>(
        &'a self,
        base_url: &'a str,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpResponse, TransportError>>;
}

/// The real thing: pooled connections, TLS 1.2 or newer, no redirects.
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A client with its connection pool.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes an HTTP client")]
    pub fn new() -> Result<Self, TransportError> {
        // Another part of the process may have chosen the TLS provider already; it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .redirect(Policy::none())
            .user_agent(concat!("Till/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| TransportError::NotSent(error.to_string()))?;
        Ok(HttpTransport { client })
    }

    async fn exchange(&self, base_url: &str, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = format!("{base_url}{}", request.path);
        let mut builder = self.client.request(request.method.clone(), url);
        if !request.credential.expose_secret().is_empty() {
            builder = builder.header(request.credential_header, request.credential.expose_secret());
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let reply = builder.body(request.body.clone()).send().await.map_err(|error| sort(&error))?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = read(reply).await?;
        Ok(HttpResponse { status, headers, body })
    }
}

impl Transport for HttpTransport {
    fn send<'a>(
        &'a self,
        base_url: &'a str,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpResponse, TransportError>> {
        Box::pin(self.exchange(base_url, request))
    }
}

fn sort(error: &reqwest::Error) -> TransportError {
    let text = describe(error);
    if error.is_connect() || error.is_builder() { TransportError::NotSent(text) } else { TransportError::Lost(text) }
}

/// The chain of causes without the address, which may carry references.
fn describe(error: &reqwest::Error) -> String {
    let mut source = std::error::Error::source(error);
    let mut text = if error.is_timeout() { "timed out".to_owned() } else { "failed".to_owned() };
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.chars().take(300).collect()
}

async fn read(mut reply: reqwest::Response) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = reply.chunk().await.map_err(|error| TransportError::Lost(describe(&error)))? {
        if body.len() + chunk.len() > REPLY_BYTES_MAX {
            return Err(TransportError::TooLarge(REPLY_BYTES_MAX));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
