//! `till key`.

use clap::{Args, Subcommand};
use domain::id::{ApiKeyId, MerchantId};
use engine::KeySummary;
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table, yes};
use super::whose::{none_yet, operator, scope};
use crate::config::Common;

/// Make, list and revoke a merchant's API keys. A key is shown once, when it is made.
#[derive(Args, Debug)]
pub(super) struct KeyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make a key and print it
    Add {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// For live mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// List keys, without their secrets
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// Keys of live mode instead of test mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke a key at once
    Revoke {
        /// The key's id, key_…
        key: ApiKeyId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl KeyCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Add { merchant, live, common, format } => {
                let key = common.keyless_engine().await?.keys(&scope(&merchant, live)).add().await?;
                let secret = key.secret.clone().unwrap_or_default();
                format.print(&key, || format!("{secret}\n\nKeep it now: it is not shown again."))
            }
            Action::List { merchant, live, paging, common, format } => {
                let scope = scope(&merchant, live);
                let page = common.read(async |engine| engine.keys(&scope).list(&paging.into()).await).await?;
                format.print_page(&page, |key| key.id.clone(), |keys| rows(keys, live))
            }
            Action::Revoke { key, common, format } => {
                let engine = common.keyless_engine().await?;
                let scope = engine.scopes(&operator()).of_key(&key).await?;
                engine.keys(&scope).revoke(&key).await?;
                format.print(&json!({ "id": key.as_str(), "revoked": true }), || format!("{key} is revoked"))
            }
        }
    }
}

fn rows(keys: &[KeySummary], live: bool) -> String {
    let row = |key: &KeySummary| {
        let mode = if key.live { "live" } else { "test" };
        vec![key.id.clone(), format!("sk_{mode}_…{}", key.hint), yes(key.revoked)]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    table(&["ID", "KEY", "REVOKED"], &rows, &none_yet("keys", live, "make one with `till key add --merchant ID`"))
}
