//! `till provider`.

use clap::{Args, Subcommand};
use domain::id::{MerchantId, ProviderAccountId};
use engine::{AccountSummary, Accounts, DAMAGED, KeyUse, NewAccount, NewTls, Resealed};

use super::Failure;
use super::output::{Format, table, yes};
use super::secret;
use super::whose::{none_yet, operator, scope};
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
        /// The secret that signs its webhooks, VALUE or @FILE; can be added later
        #[arg(long = "webhook-secret", value_name = "VALUE")]
        webhook_secrets: Vec<String>,
        /// The address of the provider's API, if not its usual one: a proxy, or a compatible server
        #[arg(long)]
        base_url: Option<String>,
        #[command(flatten)]
        tls: TlsOptions,
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
        /// Accounts of live mode instead of test mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Add a webhook secret; earlier secrets stay valid until they are retired
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
    /// Replace the client certificate and the roots of an account; without options, return to ordinary connections
    SetTls {
        /// The account's id, pa_…
        account: ProviderAccountId,
        #[command(flatten)]
        tls: TlsOptions,
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
    /// Seal all credentials with the newest master key, so that the older keys in TILL_MASTER_KEY can be dropped
    Reseal {
        /// Only report which key seals how many values
        #[arg(long)]
        dry_run: bool,
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
    /// Use an account for no new payments; payments under way continue
    Disable {
        /// The account's id, pa_…
        account: ProviderAccountId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

/// The account's own TLS settings for connections to the provider.
#[derive(Args, Debug)]
struct TlsOptions {
    /// The certificate by which the provider knows the account, followed by its chain to a root, as PEM: @FILE
    #[arg(long, value_name = "@FILE")]
    client_cert: Option<String>,
    /// The key of the certificate, as PEM: @FILE
    #[arg(long, value_name = "@FILE")]
    client_key: Option<String>,
    /// A root to trust instead of the system's roots, as PEM: @FILE; can be repeated
    #[arg(long = "root", value_name = "@FILE")]
    roots: Vec<String>,
}

impl TlsOptions {
    fn read(&self) -> Result<NewTls, Failure> {
        let maybe = |text: &Option<String>| text.as_deref().map(secret::value).transpose();
        let roots = self.roots.iter().map(|text| secret::value(text)).collect::<Result<_, _>>()?;
        Ok(NewTls { client_cert: maybe(&self.client_cert)?, client_key: maybe(&self.client_key)?, roots })
    }
}

impl ProviderCommand {
    pub async fn run(self) -> Result<(), Failure> {
        let (account, format) = match self.action {
            Action::Add { provider, merchant, credentials, webhook_secrets, base_url, tls, live, common, format } => {
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
                    credentials: secret::pairs(&credentials)?,
                    webhook_secrets: webhook_secrets
                        .iter()
                        .map(|text| secret::value(text))
                        .collect::<Result<_, _>>()?,
                };
                let account =
                    common.ready_engine().await?.accounts(&scope(&merchant, live)).add_over(new, tls.read()?).await?;
                return format.print(&account, || added(&account));
            }
            Action::List { merchant, live, common, format } => {
                let accounts = common.ready_engine().await?.accounts(&scope(&merchant, live)).list().await?;
                return format.print(&accounts, || rows(&accounts, live));
            }
            Action::AddWebhookSecret { account, secret, common, format } => {
                let secret = secret::value(&secret)?;
                (accounts_of(&account, &common).await?.add_webhook_secret(&account, &secret).await?, format)
            }
            Action::SetCredential { account, credential, common, format } => {
                let (name, value) = secret::pair(&credential)?;
                (accounts_of(&account, &common).await?.set_credential(&account, &name, &value).await?, format)
            }
            Action::SetTls { account, tls, common, format } => {
                (accounts_of(&account, &common).await?.set_tls(&account, tls.read()?).await?, format)
            }
            Action::RetireWebhookSecrets { account, common, format } => {
                (accounts_of(&account, &common).await?.retire_webhook_secrets(&account).await?, format)
            }
            Action::Reseal { dry_run, common, format } => return reseal(dry_run, &common, format).await,
            Action::Enable { account, common, format } => {
                (accounts_of(&account, &common).await?.enable(&account, true).await?, format)
            }
            Action::Disable { account, common, format } => {
                (accounts_of(&account, &common).await?.enable(&account, false).await?, format)
            }
        };
        format.print(&account, || rows(std::slice::from_ref(&account), account.live))
    }
}

/// The accounts of the merchant and mode whose account the command names.
async fn accounts_of(account: &ProviderAccountId, common: &Common) -> Result<Accounts, Failure> {
    let engine = common.ready_engine().await?;
    let scope = engine.scopes(&operator()).of_account(account).await?;
    Ok(engine.accounts(&scope))
}

async fn reseal(dry_run: bool, common: &Common, format: Format) -> Result<(), Failure> {
    let report = common.current_engine().await?.upkeep(&operator()).reseal(dry_run).await?;
    format.print(&report, || resealed(&report))?;
    if dry_run || report.left == 0 {
        return Ok(());
    }
    let unknown = report.keys.iter().filter(|key| !key.given && key.values > 0 && key.fingerprint != DAMAGED);
    let unknown: Vec<_> = unknown.map(|key| key.fingerprint.as_str()).collect();
    let what = match (report.damaged.as_slice(), unknown.as_slice()) {
        ([], []) => "a server that was started with the old key first has sealed them meanwhile: start it with the new key first \
                     in TILL_MASTER_KEY, then run this again"
            .to_owned(),
        (damaged, []) => format!("{} cannot be opened; set their credentials and secrets again", damaged.join(", ")),
        _ => format!("add the key with the fingerprint {} to TILL_MASTER_KEY, then run this again", unknown.join(", ")),
    };
    Err(format!("{} sealed values are left under other keys: {what}", report.left).into())
}

fn resealed(report: &Resealed) -> String {
    let row = |key: &KeyUse| {
        let place = match (key.newest, key.given) {
            (true, _) => "newest",
            (false, true) => "older",
            (false, false) => "not in TILL_MASTER_KEY",
        };
        vec![key.fingerprint.clone(), place.to_owned(), key.values.to_string()]
    };
    let rows: Vec<_> = report.keys.iter().map(row).collect();
    let older = report.keys.iter().any(|key| key.given && !key.newest);
    let next = match (report.left, older) {
        (0, true) => {
            "The older keys can be dropped from TILL_MASTER_KEY as soon as every server runs with the newest one first. Keep them \
             as long as backups that they sealed."
        }
        (0, false) => "Everything is sealed with the newest key.",
        _ => "The older keys are still needed.",
    };
    let sealed = table(&["KEY", "", "SEALED VALUES"], &rows, "there is no master key");
    format!("{sealed}\n\n{} sealed again, {} left. {next}", report.resealed, report.left)
}

/// The text about a new account, with the next steps at the provider.
fn added(account: &AccountSummary) -> String {
    let next = match account.webhook_secrets {
        0 => format!(
            "\n\nRegister the webhook address at the provider, then tell Till its secret:\n\
             till provider add-webhook-secret {} @FILE",
            account.id
        ),
        _ => String::new(),
    };
    rows(std::slice::from_ref(account), account.live) + &next
}

fn rows(accounts: &[AccountSummary], live: bool) -> String {
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
    let none = &none_yet("provider accounts", live, "add one with `till provider add`");
    table(&["ID", "PROVIDER", "MODE", "ENABLED", "SECRETS", "WEBHOOK ADDRESS"], &rows, none)
}
