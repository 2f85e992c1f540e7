//! `till migrate`.

use clap::Args;
use serde_json::json;

use super::Failure;
use super::output::Format;
use crate::config::Common;
use crate::files::Missing;

/// Bring the database's structure up to date. Safe to run again, and from several servers at once.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

impl Migrate {
    pub async fn run(self) -> Result<(), Failure> {
        let engine = self.common.engine(Missing::Make).await?;
        engine.migrate().await?;
        self.format.print(&json!({ "migrated": true }), || "the database is up to date".to_owned())
    }
}
