//! `till provider`.

use clap::{Args, Subcommand};
use domain::id::{MerchantId, ProviderAccountId};
use engine::{AccountSummary, NewAccount};

use super::Failure;
use super::output::{Format, table, yes};
use super::secret;
use crate::config::Common;

/// Add and list a merchant's accounts at payment providers. Credentials are sealed in the database.
#[derive(Args, Debug)]
pub(super) struct ProviderCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Add an account and print the address to register for its webhooks
    Add {
        /// The provider: stripe or adyen
        provider: String,
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// A credential, NAME=VALUE or NAME=@FILE; stripe needs secret_key, adyen api_key and merchant_account
        #[arg(long = "credential", value_name = "NAME=VALUE", required = true)]
        credentials: Vec<String>,
        /// The secret its webhooks are signed with, VALUE or @FILE; can be added later
        #[arg(long = "webhook-secret", value_name = "VALUE")]
        webhook_secrets: Vec<String>,
        /// Where the provider's API is, if not at its own address: a proxy, or a compatible server
        #[arg(long)]
        base_url: Option<String>,
        /// Real money moves
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// List a merchant's accounts
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Add a webhook secret; the ones before it stay valid until they are retired
    AddWebhookSecret {
        /// The account's id, pa_…
        account: ProviderAccountId,
        /// VALUE or @FILE
        secret: String,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Replace a credential, such as a key that was rotated at the provider
    SetCredential {
        /// The account's id, pa_…
        account: ProviderAccountId,
        /// NAME=VALUE or NAME=@FILE
        credential: String,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Forget all webhook secrets but the newest
    RetireWebhookSecrets {
        /// The account's id, pa_…
        account: ProviderAccountId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Use an account for new payments again
    Enable {
        /// The account's id, pa_…
        account: ProviderAccountId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Use an account for no new payments; those under way go on
    Disable {
        /// The account's id, pa_…
        account: ProviderAccountId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl ProviderCommand {
    pub async fn run(self) -> Result<(), Failure> {
        let (account, format) = match self.action {
            Action::Add { provider, merchant, credentials, webhook_secrets, base_url, live, common, format } => {
                if live && common.master_key.is_none() {
                    return Err(
                        "a live account needs TILL_MASTER_KEY to be set, so that its credentials are not sealed \
                                with a key that lies beside them; `openssl rand -hex 32` makes one"
                            .into(),
                    );
                }
                let new = NewAccount {
                    provider,
                    base_url,
                    live,
                    credentials: credentials.iter().map(|text| secret::pair(text)).collect::<Result<_, _>>()?,
                    webhook_secrets: webhook_secrets
                        .iter()
                        .map(|text| secret::value(text))
                        .collect::<Result<_, _>>()?,
                };
                let account = common.ready_engine().await?.add_account(&merchant, new).await?;
                return format.print(&account, || added(&account));
            }
            Action::List { merchant, common, format } => {
                let accounts = common.ready_engine().await?.accounts(&merchant).await?;
                return format.print(&accounts, || rows(&accounts));
            }
            Action::AddWebhookSecret { account, secret, common, format } => {
                let secret = secret::value(&secret)?;
                (common.ready_engine().await?.add_webhook_secret(&account, &secret).await?, format)
            }
            Action::SetCredential { account, credential, common, format } => {
                let (name, value) = secret::pair(&credential)?;
                (common.ready_engine().await?.set_credential(&account, &name, &value).await?, format)
            }
            Action::RetireWebhookSecrets { account, common, format } => {
                (common.ready_engine().await?.retire_webhook_secrets(&account).await?, format)
            }
            Action::Enable { account, common, format } => {
                (common.ready_engine().await?.enable_account(&account, true).await?, format)
            }
            Action::Disable { account, common, format } => {
                (common.ready_engine().await?.enable_account(&account, false).await?, format)
            }
        };
        format.print(&account, || rows(std::slice::from_ref(&account)))
    }
}

/// A new account, and what to do at the provider.
fn added(account: &AccountSummary) -> String {
    let next = match account.webhook_secrets {
        0 => format!(
            "\n\nRegister the webhook address at the provider, then tell Till its secret:\n\
             till provider add-webhook-secret {} @FILE",
            account.id
        ),
        _ => String::new(),
    };
    rows(std::slice::from_ref(account)) + &next
}

fn rows(accounts: &[AccountSummary]) -> String {
    let row = |account: &AccountSummary| {
        vec![
            account.id.clone(),
            account.provider.clone(),
            if account.live { "live" } else { "test" }.to_owned(),
            yes(account.enabled),
            account.webhook_secrets.to_string(),
            account.webhook_url.clone(),
        ]
    };
    let rows: Vec<_> = accounts.iter().map(row).collect();
    let none = "no provider accounts yet; add one with `till provider add`";
    table(&["ID", "PROVIDER", "MODE", "ENABLED", "SECRETS", "WEBHOOK ADDRESS"], &rows, none)
}
