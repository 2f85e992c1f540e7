//! Makes jobs and deliveries due again that a wrong clock has put off. After a clock is set back, they would otherwise wait for the
//! whole length of the jump.

use domain::{DAY, HOUR, MINUTE, Millis};
use tracing::warn;

use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::inbox;
use crate::store::jobs::{self, Bounds};
use crate::work::{Kind, LEASE};

/// The furthest that jobs are ever put off. Sessions live a day, and a provider may ask for an hour's patience. The minute is for
/// servers whose clocks differ.
fn bounds() -> Bounds {
    let most = |kind| match kind {
        Kind::Expire | Kind::Prune => DAY + HOUR,
        Kind::Modify => crate::attempt::PAUSE_MAX + MINUTE,
        Kind::Check
        | Kind::Close
        | Kind::Hint
        | Kind::Open
        | Kind::Overdrawn
        | Kind::Policy
        | Kind::Repair
        | Kind::Surplus
        | Kind::Sweep => HOUR + MINUTE,
    };
    Bounds { lease: LEASE + MINUTE, kinds: Kind::ALL.map(|kind| (kind.as_str(), most(kind))).into() }
}

/// Finds jobs and deliveries that are put off too far, and makes them due.
pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let (now, bounds): (Millis, _) = (context.env().now(), bounds());
    let mut connection = context.store().reader().await?;
    let jobs = jobs::is_stranded(&mut connection, &ENGINE, now, &bounds).await?;
    let deliveries = inbox::is_stranded(&mut connection, &ENGINE, now).await?;
    drop(connection);
    if !jobs && !deliveries {
        return Ok(());
    }
    let mut tx = context.store().begin().await?;
    let jobs = jobs::rescue(&mut tx, &ENGINE, now, &bounds).await?;
    let deliveries = inbox::rescue(&mut tx, &ENGINE, now).await?;
    warn!(
        jobs,
        deliveries, "put off further than they ever are; the clock seems to have been set back; they are due now"
    );
    context.commit(tx).await
}
