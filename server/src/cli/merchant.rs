//! `till merchant`.

use clap::{Args, Subcommand};
use engine::MerchantSummary;

use super::Failure;
use super::output::{Format, table};
use crate::config::Common;

/// Add and list merchants: the accounts that get paid.
#[derive(Args, Debug)]
pub(super) struct MerchantCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Add a merchant
    Add {
        /// The name shoppers see
        name: String,
        /// Where shoppers can ask for help
        #[arg(long)]
        support_email: Option<String>,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// List merchants
    List {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl MerchantCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Add { name, support_email, common, format } => {
                let engine = common.ready_engine().await?;
                let merchant = engine.add_merchant(&name, support_email.as_deref()).await?;
                format.print(&merchant, || rows(std::slice::from_ref(&merchant)))
            }
            Action::List { common, format } => {
                let merchants = common.ready_engine().await?.merchants().await?;
                format.print(&merchants, || rows(&merchants))
            }
        }
    }
}

fn rows(merchants: &[MerchantSummary]) -> String {
    let row = |merchant: &MerchantSummary| {
        vec![merchant.id.clone(), merchant.name.clone(), merchant.support_email.clone().unwrap_or_default()]
    };
    let rows: Vec<_> = merchants.iter().map(row).collect();
    table(&["ID", "NAME", "SUPPORT"], &rows, "no merchants yet; add one with `till merchant add NAME`")
}
