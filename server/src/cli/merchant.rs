//! `till merchant`.

use clap::{Args, Subcommand, ValueEnum};
use domain::id::MerchantId;
use engine::MerchantSummary;
use engine::store::merchants::SurplusPolicy;
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table};
use super::whose::operator;
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
        /// The e-mail address where shoppers can ask for help
        #[arg(long, value_name = "ADDRESS")]
        support_email: Option<String>,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Set the policy for surplus money: second successes, overpayments, payments of canceled debts
    Surplus {
        /// The merchant's id, mer_…
        merchant: MerchantId,
        /// Send the money back, or hold it until `till payment refund` or `till payment keep`
        #[arg(value_enum)]
        policy: Policy,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// List merchants
    List {
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Policy {
    Refund,
    Hold,
}

impl MerchantCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Add { name, support_email, common, format } => {
                let engine = common.keyless_engine().await?;
                let merchant = engine.merchants(&operator()).add(&name, support_email.as_deref()).await?;
                format.print(&merchant, || rows(std::slice::from_ref(&merchant)))
            }
            Action::Surplus { merchant, policy, common, format } => {
                let policy = match policy {
                    Policy::Refund => SurplusPolicy::Refund,
                    Policy::Hold => SurplusPolicy::Hold,
                };
                common.keyless_engine().await?.merchants(&operator()).set_surplus_policy(&merchant, policy).await?;
                format.print(&json!({"id": merchant, "surplus": policy}), || "done".to_owned())
            }
            Action::List { paging, common, format } => {
                let page = common.read(async |engine| engine.merchants(&operator()).list(&paging.into()).await).await?;
                format.print_page(&page, |merchant| merchant.id.clone(), rows)
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
