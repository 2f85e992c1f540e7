//! Sends a connector's requests over HTTP.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connectors::{Account, HttpRequest, HttpResponse, Tls};
use futures::future::BoxFuture;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest time to reach the provider.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time for a whole exchange. No shopper waits longer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The most unused connections to one provider that are kept. Each is an open file.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// The most bytes of a reply that are read.
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
    /// There is a reply, but it is too large to be read.
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

    /// Sends a request of an account, over the account's own connections if it has any.
    fn send_for<'a>(
        &'a self,
        account: &'a Account,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpResponse, TransportError>> {
        if account.tls.is_none() {
            return self.send(&account.base_url, request);
        }
        Box::pin(async {
            Err(TransportError::NotSent("connections of an account's own are not supported here".to_owned()))
        })
    }
}

/// The transport over the network: pooled connections, TLS 1.2 or newer, no redirects.
pub struct HttpTransport {
    client: reqwest::Client,
    own: Mutex<Own>,
}

/// Clients of accounts that have a certificate or roots of their own. Accounts share a connection only if both are the same.
#[derive(Default)]
struct Own {
    /// Clients by the digest of their certificate, key and roots, with the number of the last use.
    clients: HashMap<[u8; 32], (reqwest::Client, u64)>,
    uses: u64,
}

/// The most clients that are kept. Each has a few idle connections.
const OWN_CLIENTS_MAX: usize = 64;

impl HttpTransport {
    /// A client with its connection pool.
    pub fn new() -> Result<Self, TransportError> {
        // Another part of the process may have installed the TLS provider already; it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(HttpTransport { client: built(None)?, own: Mutex::default() })
    }

    /// The client of an account with settings of its own: the one that was used before, or a new one. When there are too many, the new
    /// one replaces the client whose last use is the longest ago.
    fn client_of(&self, tls: &Tls) -> Result<reqwest::Client, TransportError> {
        let mut digest = Sha256::new();
        let identity = tls.identity.as_ref().map_or("", |identity| identity.expose_secret());
        for part in std::iter::once(identity).chain(tls.roots.iter().map(String::as_str)) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let key: [u8; 32] = digest.finalize().into();
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.uses += 1;
        let uses = own.uses;
        if let Some((client, used)) = own.clients.get_mut(&key) {
            *used = uses;
            return Ok(client.clone());
        }
        let client = built(Some(tls))?;
        if own.clients.len() >= OWN_CLIENTS_MAX
            && let Some(oldest) = own.clients.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)
        {
            own.clients.remove(&oldest);
        }
        own.clients.insert(key, (client.clone(), uses));
        Ok(client)
    }

    async fn exchange(
        client: reqwest::Client,
        base_url: &str,
        request: &HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        let url = format!("{base_url}{}", request.path);
        let mut builder = client.request(request.method.clone(), url);
        if !request.credential.expose_secret().is_empty() {
            builder = builder.header(request.credential_header, request.credential.expose_secret());
        }
        for (name, value) in &request.headers {
            builder = builder.header(name.as_ref(), value);
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
        Box::pin(Self::exchange(self.client.clone(), base_url, request))
    }

    fn send_for<'a>(
        &'a self,
        account: &'a Account,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpResponse, TransportError>> {
        Box::pin(async move {
            let client = match &account.tls {
                Some(tls) => self.client_of(tls)?,
                None => self.client.clone(),
            };
            Self::exchange(client, &account.base_url, request).await
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes HTTP clients")]
fn built(tls: Option<&Tls>) -> Result<reqwest::Client, TransportError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .redirect(Policy::none())
        .user_agent(concat!("Till/", env!("CARGO_PKG_VERSION")));
    let unusable =
        |error: reqwest::Error| TransportError::NotSent(format!("no connection can be made: {}", describe(&error)));
    if let Some(Tls { identity, roots }) = tls {
        // Credentials of an account with settings of its own never leave unencrypted.
        builder = builder.https_only(true);
        if let Some(identity) = identity {
            builder = builder.identity(Identity::from_pem(identity.expose_secret().as_bytes()).map_err(unusable)?);
        }
        if !roots.is_empty() {
            let mut all = vec![];
            for root in roots {
                all.extend(Certificate::from_pem_bundle(root.as_bytes()).map_err(unusable)?);
            }
            builder = builder.tls_certs_only(all);
        }
    }
    builder.build().map_err(unusable)
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
