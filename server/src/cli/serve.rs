//! `till serve`.

use clap::Args;
use tracing::info;

use super::Failure;
use crate::bounds::Bounds;
use crate::config::{Common, Listen, bind};
use crate::files::Missing;
use crate::run;

/// Run the server until it is told to stop (Ctrl-C or SIGTERM); requests under way are finished first.
#[derive(Args, Debug)]
pub(super) struct Serve {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    listen: Listen,
    /// Do not bring the database's structure up to date first; refuse to start if it is not
    #[arg(long, env = "TILL_NO_MIGRATE")]
    no_migrate: bool,
}

impl Serve {
    pub async fn run(self) -> Result<(), Failure> {
        let (bounds, proxies) = (Bounds::raised()?, self.listen.proxies()?);
        let listener = bind("TILL_BIND", self.listen.bind).await?;
        let ops = bind("TILL_OPS_BIND", self.listen.ops_bind).await?;
        let common = self.common.reached_at(listener.local_addr()?)?;
        let missing = if self.no_migrate { Missing::Refuse } else { Missing::Make };
        let held = common.hold(missing).await?;
        let engine = if self.no_migrate { common.ready_engine().await? } else { common.migrated_engine().await? };
        let shutdown = run::stop_signal()?;
        let (at, ops_at) = (listener.local_addr()?, ops.local_addr()?);
        info!(bind = %at, ops = %ops_at, public_url = engine.public_url(), connections = bounds.connections, "serving");
        Ok(run::serve(engine, listener, ops, (bounds, proxies, held), shutdown).await?)
    }
}
