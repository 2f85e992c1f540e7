//! Provider accounts: their credentials and webhook secrets.

use std::collections::BTreeMap;

use connectors::{Connector, tidy};
use domain::id::ProviderAccountId;
use domain::{MINUTE, Millis};
use serde::Serialize;
use url::Url;

use super::check_merchant;
use crate::context::{Context, Secrets};
use crate::error::{Error, Thing};
use crate::host::unreachable_host;
use crate::problem::AccountProblem;
use crate::scope::Scope;
use crate::store::accounts;
use crate::store::accounts::AccountRow;
use crate::tls::NewTls;
use crate::work::Kind;

/// The most webhook secrets of one account. Replacing a secret needs two.
const WEBHOOK_SECRETS_MAX: usize = 5;

/// A provider account, for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSummary {
    /// The id.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// The base address of the provider's API.
    pub base_url: String,
    /// Whether real money moves.
    pub live: bool,
    /// Whether new payments use the account.
    pub enabled: bool,
    /// The address to register for webhooks at the provider.
    pub webhook_url: String,
    /// How many webhook secrets are active.
    pub webhook_secrets: usize,
}

/// A provider account to be added.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The provider.
    pub provider: String,
    /// The base address of the API. Without it, the provider's own address is used.
    pub base_url: Option<String>,
    /// The credentials by name.
    pub credentials: BTreeMap<String, String>,
    /// The webhook secrets. More can be added later.
    pub webhook_secrets: Vec<String>,
}

/// A merchant's accounts at providers, in one mode.
#[derive(Clone)]
pub struct Accounts {
    context: Context,
    scope: Scope,
}

impl Accounts {
    pub(crate) fn new(context: Context, scope: Scope) -> Accounts {
        Accounts { context, scope }
    }

    /// Adds a provider account.
    pub async fn add(&self, new: NewAccount) -> Result<AccountSummary, Error> {
        self.add_over(new, NewTls::default()).await
    }

    /// Adds a provider account with TLS settings of its own.
    ///
    /// # Errors
    /// The errors of [`Accounts::add`], and TLS settings that cannot be used for connections.
    pub async fn add_over(&self, new: NewAccount, tls: NewTls) -> Result<AccountSummary, Error> {
        check_merchant(&self.context, &self.scope).await?;
        let live = self.scope.mode().is_live();
        let connector = self.context.connectors().get(&new.provider).ok_or_else(|| {
            let known = self.context.connectors().iter().map(Connector::provider).collect();
            AccountProblem::UnknownProvider { given: new.provider.clone(), known }
        })?;
        let setup = connector.setup();
        let credentials = tidied(new.credentials);
        check_credentials(setup.credentials, &credentials)?;
        connector.check(&credentials, live).map_err(AccountProblem::Setup)?;
        let webhook_secrets: Vec<_> = new.webhook_secrets.iter().map(|secret| tidy(secret).to_owned()).collect();
        let checked = webhook_secrets.iter().try_for_each(|secret| connector.check_webhook_secret(secret));
        checked.map_err(AccountProblem::Setup)?;
        if live && !self.context.public_url().starts_with("https:") {
            return Err(AccountProblem::LiveNeedsHttps.into());
        }
        let base_url = address(new.base_url.as_deref().unwrap_or(setup.default_base_url))?;
        connector.check_address(&base_url, live).map_err(AccountProblem::Setup)?;
        if let Some(other) = self.context.connectors().of_address(&base_url).filter(|other| *other != new.provider) {
            return Err(AccountProblem::OtherProvidersAddress { other, provider: new.provider }.into());
        }
        let tls = own_connections(tls, &base_url, self.context.env().now())?;
        let id = ProviderAccountId::from_random(self.context.env().bits());
        let secrets = Secrets { credentials, webhook_secrets: bounded(webhook_secrets)?, tls };
        let row = AccountRow {
            merchant: self.scope.merchant().clone(),
            provider: new.provider,
            base_url,
            live,
            enabled: true,
            sealed: self.context.seal(&id, &secrets)?,
            created: self.context.env().now(),
            id,
        };
        let mut tx = self.context.store().begin().await?;
        if accounts::count_of_merchant(&mut tx, &self.scope).await? >= accounts::OF_MERCHANT_MAX {
            return Err(AccountProblem::TooManyAccounts { most: accounts::OF_MERCHANT_MAX }.into());
        }
        accounts::insert(&mut tx, &self.scope, &row).await?;
        self.context
            .enqueue(&mut tx, Kind::Repair, Some(&row.id), row.id.as_str(), self.context.env().now() + MINUTE)
            .await?;
        self.context.commit(tx).await?;
        self.summary(&row)
    }

    /// The provider accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<AccountSummary>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        let rows = accounts::of_merchant(&mut *self.context.store().reader().await?, &self.scope).await?;
        rows.iter().map(|row| self.summary(row)).collect()
    }

    /// Adds a webhook secret to an account, before its older ones. The older secrets stay valid until they are retired.
    pub async fn add_webhook_secret(&self, id: &ProviderAccountId, secret: &str) -> Result<AccountSummary, Error> {
        let (_, connector) = self.context.unseal(&self.row(id).await?)?;
        let secret = tidy(secret);
        connector.check_webhook_secret(secret).map_err(AccountProblem::Setup)?;
        self.change_secrets(id, |secrets| {
            secrets.webhook_secrets.retain(|known| known != secret);
            secrets.webhook_secrets.insert(0, secret.to_owned());
            secrets.webhook_secrets = bounded(std::mem::take(&mut secrets.webhook_secrets))?;
            Ok(())
        })
        .await
    }

    /// Removes all webhook secrets but the newest.
    pub async fn retire_webhook_secrets(&self, id: &ProviderAccountId) -> Result<AccountSummary, Error> {
        self.change_secrets(id, |secrets| {
            secrets.webhook_secrets.truncate(1);
            Ok(())
        })
        .await
    }

    /// Replaces a credential, such as a key that was rotated at the provider. Payments under way use the new credential.
    pub async fn set_credential(
        &self,
        id: &ProviderAccountId,
        name: &str,
        value: &str,
    ) -> Result<AccountSummary, Error> {
        let row = self.row(id).await?;
        let (_, connector) = self.context.unseal(&row)?;
        self.change_secrets(id, |secrets| {
            secrets.credentials.insert(name.to_owned(), tidy(value).to_owned());
            check_credentials(connector.setup().credentials, &secrets.credentials)?;
            Ok(connector.check(&secrets.credentials, row.live).map_err(AccountProblem::Setup)?)
        })
        .await
    }

    /// Replaces an account's TLS settings, as when a certificate is about to expire. Empty settings restore the usual connections.
    ///
    /// # Errors
    /// The settings cannot be used for connections.
    pub async fn set_tls(&self, id: &ProviderAccountId, tls: NewTls) -> Result<AccountSummary, Error> {
        let row = self.row(id).await?;
        let tls = own_connections(tls, &row.base_url, self.context.env().now())?;
        self.change_secrets(id, |secrets| {
            secrets.tls = tls;
            Ok(())
        })
        .await
    }

    /// Decides whether new payments use an account.
    pub async fn enable(&self, id: &ProviderAccountId, enabled: bool) -> Result<AccountSummary, Error> {
        self.change_account(id, |row| {
            row.enabled = enabled;
            Ok(())
        })
        .await
    }

    async fn row(&self, id: &ProviderAccountId) -> Result<AccountRow, Error> {
        let row = accounts::find(&mut *self.context.store().reader().await?, &self.scope, id).await?;
        row.ok_or_else(|| Error::NotFound(Thing::Account(id.clone())))
    }

    async fn change_secrets(
        &self,
        id: &ProviderAccountId,
        change: impl FnOnce(&mut Secrets) -> Result<(), Error>,
    ) -> Result<AccountSummary, Error> {
        self.change_account(id, |row| {
            let mut secrets = self.context.secrets(row)?;
            change(&mut secrets)?;
            row.sealed = self.context.seal(id, &secrets)?;
            Ok(())
        })
        .await
    }

    async fn change_account(
        &self,
        id: &ProviderAccountId,
        change: impl FnOnce(&mut AccountRow) -> Result<(), Error>,
    ) -> Result<AccountSummary, Error> {
        let mut tx = self.context.store().begin().await?;
        let row = accounts::lock(&mut tx, &self.scope, id).await?;
        let mut row = row.ok_or_else(|| Error::NotFound(Thing::Account(id.clone())))?;
        change(&mut row)?;
        accounts::update(&mut tx, &self.scope, &row).await?;
        self.context.commit(tx).await?;
        self.context.ready_accounts().forget(id);
        self.summary(&row)
    }

    fn summary(&self, row: &AccountRow) -> Result<AccountSummary, Error> {
        Ok(AccountSummary {
            id: row.id.to_string(),
            provider: row.provider.clone(),
            base_url: row.base_url.clone(),
            live: row.live,
            enabled: row.enabled,
            webhook_url: format!("{}/hooks/{}/{}", self.context.public_url(), row.provider, row.id),
            webhook_secrets: self.context.secrets(row)?.webhook_secrets.len(),
        })
    }
}

/// Checks an account's own TLS settings. Empty settings become none.
fn own_connections(tls: NewTls, base_url: &str, now: Millis) -> Result<Option<NewTls>, Error> {
    tls.check(now).map_err(AccountProblem::Tls)?;
    if !tls.is_empty() && !base_url.starts_with("https:") {
        return Err(AccountProblem::TlsNeedsHttps.into());
    }
    Ok(Some(tls).filter(|tls| !tls.is_empty()))
}

fn tidied(credentials: BTreeMap<String, String>) -> BTreeMap<String, String> {
    credentials.into_iter().map(|(name, value)| (name, tidy(&value).to_owned())).collect()
}

fn check_credentials(needed: &'static [&'static str], given: &BTreeMap<String, String>) -> Result<(), AccountProblem> {
    let missing = needed.iter().copied().find(|name| given.get(*name).is_none_or(String::is_empty));
    let unknown = given.keys().find(|name| !needed.contains(&name.as_str()));
    match (unknown, missing) {
        // The error does not repeat the name: a key without its name may have been cut at an equals sign of its own.
        (Some(_), _) => Err(AccountProblem::UnknownCredential { needed }),
        (_, Some(name)) => Err(AccountProblem::MissingCredential { name, needed }),
        _ => Ok(()),
    }
}

fn bounded(secrets: Vec<String>) -> Result<Vec<String>, AccountProblem> {
    if secrets.len() > WEBHOOK_SECRETS_MAX {
        return Err(AccountProblem::TooManySecrets { most: WEBHOOK_SECRETS_MAX });
    }
    Ok(secrets)
}

/// Checks an address to which credentials are sent and returns it in the form used for comparisons. The address must be encrypted,
/// unless it is on this machine.
fn address(base_url: &str) -> Result<String, AccountProblem> {
    let url = Url::parse(base_url).map_err(|_| AccountProblem::BaseUrl)?;
    let local = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let named = url.username().is_empty() && url.password().is_none();
    let plain = named && url.query().is_none() && url.fragment().is_none() && unreachable_host(&url).is_none();
    if plain && (url.scheme() == "https" || (url.scheme() == "http" && local)) {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    }
    Err(AccountProblem::BaseUrl)
}
