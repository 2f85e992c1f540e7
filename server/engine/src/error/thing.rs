//! The things that an operation can fail to find.

use std::fmt;

use domain::id::{
    ApiKeyId, AttemptId, InboxId, JobId, LinkId, MerchantId, ModificationId, OrderId, PaymentId, ProviderAccountId,
    SessionId,
};

/// A thing that does not exist, or not for the one who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A merchant.
    Merchant(MerchantId),
    /// An API key that is not revoked.
    ActiveKey(ApiKeyId),
    /// A provider account.
    Account(ProviderAccountId),
    /// The connector of a stored account's provider.
    Connector(String),
    /// A link.
    Link(LinkId),
    /// An order.
    Order(OrderId),
    /// A session.
    Session(SessionId),
    /// A payment.
    Payment(PaymentId),
    /// An attempt.
    Attempt(AttemptId),
    /// A capture, void or refund.
    Modification(ModificationId),
    /// A capture, refund, dispute or return with this id or reference.
    Movement(String),
    /// A delivery.
    Delivery(InboxId),
    /// An alert.
    Alert {
        /// The kind.
        kind: String,
        /// The subject.
        subject: String,
    },
    /// A job that could be run now.
    Job(JobId),
    /// A kind of job.
    JobKind(String),
    /// A row of a list, after which a page should begin.
    Row(String),
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Merchant(id) => f.write_str(id.as_str()),
            Thing::ActiveKey(id) => f.write_str(id.as_str()),
            Thing::Account(id) => f.write_str(id.as_str()),
            Thing::Link(id) => f.write_str(id.as_str()),
            Thing::Order(id) => f.write_str(id.as_str()),
            Thing::Session(id) => f.write_str(id.as_str()),
            Thing::Payment(id) => f.write_str(id.as_str()),
            Thing::Attempt(id) => f.write_str(id.as_str()),
            Thing::Modification(id) => f.write_str(id.as_str()),
            Thing::Delivery(id) => f.write_str(id.as_str()),
            Thing::Job(id) => f.write_str(id.as_str()),
            Thing::Alert { kind, subject } => write!(f, "{kind:?} about {subject:?}"),
            Thing::Connector(text) | Thing::Movement(text) | Thing::JobKind(text) | Thing::Row(text) => {
                write!(f, "{text:?}")
            }
        }
    }
}
