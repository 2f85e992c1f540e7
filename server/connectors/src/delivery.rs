//! Deliveries from providers: how far they can be trusted, what they contain, and how they are answered.

use std::net::IpAddr;

use bytes::Bytes;
use domain::id::AttemptId;
use domain::payment::Observation;
use http::{HeaderMap, Method};
use thiserror::Error;

#[cfg(doc)]
use crate::connector::Connector;
use crate::http::HttpRequest;

/// A request at an account's webhook address, as it arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The method; one of [`Connector::delivery_methods`].
    pub method: Method,
    /// The query string of the address, undecoded.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The sender's address, if it is known. Behind a proxy that the settings do not name, this is the proxy's address.
    pub peer: Option<IpAddr>,
}

impl Delivery {
    /// A POST request without a query, from an unknown sender.
    #[must_use]
    pub fn posted(headers: HeaderMap, body: Bytes) -> Delivery {
        Delivery { method: Method::POST, query: None, headers, body, peer: None }
    }
}

/// How far a delivery can be trusted.
#[derive(Debug)]
pub enum Credence {
    /// The delivery is the provider's. Its events are stored and applied.
    Proven(Authentic),
    /// Anybody could have sent the delivery. It says that there may be news of these references, and can cause only a question to the
    /// provider.
    Hint(Vec<Reference>),
    /// The provider must be asked whether the delivery is its own. The reply goes to [`Connector::verified`].
    Ask(Box<HttpRequest>),
    /// The delivery holds no event and wants this reply, for example when a provider tries out an address.
    Greeting(Reply),
}

/// A reference that a hint names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// An attempt, by our reference.
    Ours(AttemptId),
    /// An attempt, by one of the provider's references within the account.
    Theirs(String),
}

/// The reason why a delivery was not accepted as the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Reject {
    /// There is no signature.
    #[error("the signature is missing")]
    Missing,
    /// The signature header cannot be read.
    #[error("the signature header is malformed")]
    Malformed,
    /// The signature matches no secret of the account.
    #[error("the signature does not match")]
    Wrong,
    /// The signature is too old.
    #[error("the signature is too old")]
    Stale,
    /// The signature's time is in the future.
    #[error("the signature is from the future")]
    Future,
    /// The body does not have the provider's form.
    #[error("the body cannot be read")]
    Unreadable,
    /// The body is larger than the connector's [`Connector::delivery_bytes_max`].
    #[error("the body is too large")]
    TooLarge,
}

impl Reject {
    /// The name under which rejections are counted.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reject::Missing => "missing_signature",
            Reject::Malformed => "malformed_signature",
            Reject::Wrong => "wrong_signature",
            Reject::Stale => "stale_signature",
            Reject::Future => "future_signature",
            Reject::Unreadable => "unreadable_body",
            Reject::TooLarge => "body_too_large",
        }
    }
}

/// The body of a delivery that is proven to be the provider's. Only [`Connector::authenticate`] and [`Connector::verified`] make one.
#[derive(Debug)]
pub struct Authentic(Bytes);

impl Authentic {
    /// For connectors: wraps a body whose signature is right, or that the provider has confirmed.
    #[must_use]
    pub fn new(body: Bytes) -> Self {
        Authentic(body)
    }

    /// The raw body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0
    }
}

/// One event of a delivery, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The provider's id of the event. A second item with the same id is a duplicate. The id has no control characters and at most 255
    /// characters.
    pub event: String,
    /// The event's own bytes.
    pub body: Bytes,
}

/// The reason why a stored event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the event cannot be read: {0}")]
pub struct Unreadable(pub String);

/// The reason why an event is not this account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The reason, for a person to read.
    pub reason: String,
    /// Whether the event shows that the account is set up wrongly. Otherwise several accounts or shops share a provider account, which is
    /// usual.
    pub misdirected: bool,
}

impl Foreign {
    /// An event of another user of the same provider account.
    #[must_use]
    pub fn neighbour(reason: String) -> Foreign {
        Foreign { reason, misdirected: false }
    }

    /// An event of the other mode. Test events never belong to a live account, and live events never to a test account.
    #[must_use]
    pub(crate) fn other_mode(live: bool) -> Foreign {
        let mode = |live| if live { "live" } else { "test" };
        let reason = format!("a {} mode event for a {} mode account", mode(!live), mode(live));
        Foreign { reason, misdirected: true }
    }
}

/// A stored event, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The provider's name of the event.
    pub kind: String,
    /// The reason why the event is not this account's, if it is not.
    pub foreign: Option<Foreign>,
    /// The reason why the event must not be applied, if there is one: it reads in two ways, or its amount makes no sense. A person is
    /// alerted if the event concerns a payment of ours. Events of other users of the same provider account cause no alert.
    pub doubt: Option<String>,
    /// Our reference of the attempt, where the provider repeats it.
    pub attempt: Option<AttemptId>,
    /// The event's content. Without references and news the event concerns no payment.
    pub observation: Observation,
}

/// The result of handling a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The delivery is stored now, or was stored before.
    Stored,
    /// The delivery was not accepted as the provider's.
    Rejected,
    /// The delivery could not be stored now.
    Busy,
}

/// The reply to a delivery, in the provider's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The content type. `None` means plain text.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// A reply in plain text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Bytes>) -> Reply {
        Reply { status, content_type: None, body: body.into() }
    }
}
