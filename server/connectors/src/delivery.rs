//! What arrives from providers: how far it can be believed, what it holds, and what is answered.

use std::net::IpAddr;

use bytes::Bytes;
use domain::id::AttemptId;
use domain::payment::Observation;
use http::{HeaderMap, Method};
use thiserror::Error;

#[cfg(doc)]
use crate::connector::Connector;
use crate::http::HttpRequest;

/// A request that arrived at the address of an account, as it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The method; one of [`Connector::delivery_methods`].
    pub method: Method,
    /// What follows the question mark in the address, undecoded.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The sender's address, where it is known. Behind a proxy that is not named it is the proxy's.
    pub peer: Option<IpAddr>,
}

impl Delivery {
    /// A POST request without a query, from an unknown sender.
    #[must_use]
    pub fn posted(headers: HeaderMap, body: Bytes) -> Delivery {
        Delivery { method: Method::POST, query: None, headers, body, peer: None }
    }
}

/// How far a delivery can be believed.
#[derive(Debug)]
pub enum Credence {
    /// It is the provider's. What it says is stored and applied.
    Proven(Authentic),
    /// Anybody could have sent it. It says that there may be news of these, and can cause nothing but a question to the provider.
    Hint(Vec<Reference>),
    /// The provider must be asked whether it is its own. The reply goes to [`Connector::verified`].
    Ask(Box<HttpRequest>),
    /// It says nothing and wants this reply, as when a provider tries out an address.
    Greeting(Reply),
}

/// What a hint names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// An attempt, by our reference.
    Ours(AttemptId),
    /// An attempt, by one of the provider's references within the account.
    Theirs(String),
}

/// Why a delivery was not accepted as the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Reject {
    /// There is no signature.
    #[error("the signature is missing")]
    Missing,
    /// The signature header cannot be read.
    #[error("the signature header is malformed")]
    Malformed,
    /// The signature is not made with any of the account's secrets.
    #[error("the signature does not match")]
    Wrong,
    /// It was signed too long ago.
    #[error("the signature is too old")]
    Stale,
    /// It claims to be signed in the future.
    #[error("the signature is from the future")]
    Future,
    /// The body is not what the provider sends.
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

/// The body of a delivery that was found to be the provider's. Only [`Connector::authenticate`] and [`Connector::verified`] make one.
#[derive(Debug)]
pub struct Authentic(Bytes);

impl Authentic {
    /// For connectors: of a body whose signature was found right, or that the provider has confirmed.
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
    /// The provider's id of the event; a second item with the same id is a duplicate. It has no control characters and at most
    /// 255 characters.
    pub event: String,
    /// The event's own bytes.
    pub body: Bytes,
}

/// A stored event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the event cannot be read: {0}")]
pub struct Unreadable(pub String);

/// Why an event is not this account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// For a person.
    pub reason: String,
    /// Whether it shows that the account is set up wrongly. Otherwise several share a provider account, which is nothing unusual.
    pub misdirected: bool,
}

impl Foreign {
    /// Of somebody else on the same provider account.
    #[must_use]
    pub fn neighbour(reason: String) -> Foreign {
        Foreign { reason, misdirected: false }
    }

    /// Of the other mode: test events never belong to a live account, nor the other way round.
    #[must_use]
    pub(crate) fn other_mode(live: bool) -> Foreign {
        let mode = |live| if live { "live" } else { "test" };
        let reason = format!("a {} mode event for a {} mode account", mode(!live), mode(live));
        Foreign { reason, misdirected: true }
    }
}

/// What a stored event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The provider's name of the event.
    pub kind: String,
    /// Why the event is not this account's, if it is not.
    pub foreign: Option<Foreign>,
    /// Why what it says must not be applied, if it must not: it reads in two ways, or its amount makes no sense. A person is told if
    /// it concerns a payment of ours; what others do on the same provider account is theirs.
    pub doubt: Option<String>,
    /// Our reference, where the provider repeats it.
    pub attempt: Option<AttemptId>,
    /// What it says. Without references and news it concerns no payment.
    pub observation: Observation,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Stored now, or already stored before.
    Stored,
    /// Not accepted as the provider's.
    Rejected,
    /// Could not be stored now.
    Busy,
}

/// The reply to a delivery, in the provider's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The content type; plain text if there is none.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// In plain text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Bytes>) -> Reply {
        Reply { status, content_type: None, body: body.into() }
    }
}
