//! Takes hints: deliveries that anybody could have sent. Their content is not trusted; their arrival is a reason to ask the provider.
//!
//! The question is a job, written before the delivery is answered, so that it survives a crash. A reference that names no attempt of the
//! account costs one look into an index and no question. An attempt has at most one question at a time and a few a minute, however many
//! hints arrive, see [`crate::jobs`].

use std::collections::BTreeSet;

use connectors::Reference;
use domain::id::{AttemptId, ProviderAccountId};

use super::Inbox;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::{Connection, attempts, jobs};
use crate::work::Kind;

/// The most references of one hint that are looked up. Providers name one payment; some name the shop's order as well.
const REFERENCES_MAX: usize = 8;
/// The most characters of a provider's reference. A longer text is no reference.
const REFERENCE_CHARS_MAX: usize = 255;

impl Inbox {
    /// Takes a hint. When this returns, a job to ask about each named attempt is stored.
    pub(super) async fn take_hint(&self, account: &ProviderAccountId, references: &[Reference]) -> Result<(), Error> {
        let now = self.context.env().now();
        let mut wanted = vec![];
        let mut connection = self.context.store().reader().await?;
        for attempt in named(&mut connection, account, references).await? {
            // A job that has not begun yet will see at least the provider's present state. No write is needed, so that a flood of hints
            // is no flood of writes.
            if !jobs::is_waiting(&mut connection, &ENGINE, Kind::Hint.as_str(), attempt.as_str(), now).await? {
                wanted.push(attempt);
            }
        }
        drop(connection);
        if wanted.is_empty() {
            return Ok(());
        }
        let mut tx = self.context.store().begin().await?;
        for attempt in wanted {
            self.context.enqueue(&mut tx, Kind::Hint, Some(account), attempt.as_str(), now).await?;
        }
        self.context.commit(tx).await
    }
}

/// The attempts of an account that a hint names.
async fn named(
    connection: &mut Connection,
    account: &ProviderAccountId,
    references: &[Reference],
) -> Result<BTreeSet<AttemptId>, Error> {
    let (mut ours, mut theirs) = (vec![], vec![]);
    for reference in references.iter().take(REFERENCES_MAX) {
        match reference {
            Reference::Ours(attempt) => ours.push(attempt.clone()),
            Reference::Theirs(text) if is_reference(text) => theirs.push((account.clone(), text.clone())),
            Reference::Theirs(_) => {}
        }
    }
    let mut found = attempts::locate_many(connection, &ENGINE, &ours).await?;
    found.extend(attempts::locate_many_by_refs(connection, &ENGINE, &theirs).await?.into_values());
    // Our own reference may belong to another account. A hint to this account proves nothing about the other account.
    Ok(found.into_iter().filter(|located| located.account == *account).map(|located| located.attempt).collect())
}

fn is_reference(text: &str) -> bool {
    let length = text.chars().take(REFERENCE_CHARS_MAX + 1).count();
    (1..=REFERENCE_CHARS_MAX).contains(&length) && !text.contains(char::is_control)
}
