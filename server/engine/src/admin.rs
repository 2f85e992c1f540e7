//! What the operator does: merchants, keys, provider accounts, links.

use std::collections::BTreeMap;

use domain::Millis;
use domain::id::{ApiKeyId, LinkId, MerchantId, ProviderAccountId, Token};
use domain::line::{Line, order_total};
use domain::link::{Link, LinkState, Usage, bounded_ttl};
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::engine::{Engine, Secrets};
use crate::error::Error;
use crate::store::accounts::AccountRow;
use crate::store::merchants::{ApiKey, Merchant};
use crate::store::{accounts, links, merchants};

/// Characters of a name or address at most.
const TEXT_CHARS_MAX: usize = 200;
/// Webhook secrets one account has at most; two are needed to replace one.
const WEBHOOK_SECRETS_MAX: usize = 5;
/// Rows a list shows at most.
const LIST_MAX: i64 = 1_000;

/// A merchant, for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MerchantSummary {
    /// The id.
    pub id: String,
    /// The name shoppers see.
    pub name: String,
    /// Where shoppers can ask for help.
    pub support_email: Option<String>,
}

/// An API key, for printing. The secret is shown once, when the key is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySummary {
    /// The id.
    pub id: String,
    /// The whole key, only when it has just been made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The last four characters.
    pub hint: String,
    /// Whether it is for live mode.
    pub live: bool,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A provider account, for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSummary {
    /// The id.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// Where its API is.
    pub base_url: String,
    /// Whether real money moves.
    pub live: bool,
    /// Whether new payments use it.
    pub enabled: bool,
    /// The address to register for webhooks at the provider.
    pub webhook_url: String,
    /// How many webhook secrets are active.
    pub webhook_secrets: usize,
}

/// A payment link, for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkSummary {
    /// The id.
    pub id: String,
    /// The address to share.
    pub url: String,
    /// The total, such as `EUR 30.98`.
    pub total: String,
    /// Whether it can be paid once only.
    pub once: bool,
    /// Whether it can be opened.
    pub active: bool,
}

/// A provider account to be added.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The provider.
    pub provider: String,
    /// Where its API is; the provider's own address if not given.
    pub base_url: Option<String>,
    /// Whether real money moves.
    pub live: bool,
    /// The credentials by name.
    pub credentials: BTreeMap<String, String>,
    /// The secrets of its webhooks; can be added later.
    pub webhook_secrets: Vec<String>,
}

/// A link to be made.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// What is sold.
    pub lines: Vec<Line>,
    /// How often it can be paid.
    pub usage: Usage,
    /// Whether real money moves.
    pub live: bool,
    /// How long a session lives.
    pub session_ttl: Millis,
    /// Whether a shopper may ask for more time.
    pub extendable: bool,
}

impl Engine {
    /// Adds a merchant.
    pub async fn add_merchant(&self, name: &str, support_email: Option<&str>) -> Result<MerchantSummary, Error> {
        let merchant = Merchant {
            id: MerchantId::from_random(self.env().bits()),
            name: text("name", name)?,
            support_email: support_email.map(|address| text("support e-mail", address)).transpose()?,
            created: self.env().now(),
        };
        let mut tx = self.store().begin().await?;
        merchants::insert(&mut tx, &merchant).await?;
        self.commit(tx).await?;
        Ok(merchant.into())
    }

    /// All merchants, oldest first.
    pub async fn merchants(&self) -> Result<Vec<MerchantSummary>, Error> {
        let mut connection = self.store().reader().await?;
        Ok(merchants::list(&mut connection, LIST_MAX).await?.into_iter().map(Into::into).collect())
    }

    /// Makes an API key. Only its digest is kept.
    pub async fn add_key(&self, merchant: &MerchantId, live: bool) -> Result<KeySummary, Error> {
        self.check_merchant(merchant).await?;
        let mode = if live { "live" } else { "test" };
        let random = [self.env().bits(), self.env().bits()].concat();
        let secret = format!("sk_{mode}_{}", hex::encode(random));
        let key = ApiKey {
            id: ApiKeyId::from_random(self.env().bits()),
            merchant: merchant.clone(),
            hint: secret[secret.len() - 4..].to_owned(),
            live,
            created: self.env().now(),
            revoked: None,
        };
        let mut tx = self.store().begin().await?;
        merchants::insert_key(&mut tx, &key, &hex::encode(Sha256::digest(secret.as_bytes()))).await?;
        self.commit(tx).await?;
        Ok(KeySummary { secret: Some(secret), ..key.into() })
    }

    /// A merchant's API keys, newest first.
    pub async fn keys(&self, merchant: &MerchantId) -> Result<Vec<KeySummary>, Error> {
        self.check_merchant(merchant).await?;
        let mut connection = self.store().reader().await?;
        Ok(merchants::keys(&mut connection, merchant, LIST_MAX).await?.into_iter().map(Into::into).collect())
    }

    /// Revokes an API key.
    pub async fn revoke_key(&self, id: &ApiKeyId) -> Result<(), Error> {
        let mut tx = self.store().begin().await?;
        let revoked = merchants::revoke_key(&mut tx, id, self.env().now()).await?;
        self.commit(tx).await?;
        if revoked { Ok(()) } else { Err(Error::NotFound(format!("active key {id}"))) }
    }

    /// Adds a provider account.
    pub async fn add_account(&self, merchant: &MerchantId, new: NewAccount) -> Result<AccountSummary, Error> {
        self.check_merchant(merchant).await?;
        let connector = connectors::by_name(&new.provider).ok_or_else(|| {
            Error::Invalid(format!("unknown provider {:?}; known: {}", new.provider, connectors::PROVIDERS.join(", ")))
        })?;
        let capabilities = connector.capabilities();
        check_credentials(capabilities.credentials, &new.credentials)?;
        connector.check(&new.credentials, new.live).map_err(Error::Invalid)?;
        let base_url = new.base_url.as_deref().unwrap_or(capabilities.default_base_url);
        let id = ProviderAccountId::from_random(self.env().bits());
        let secrets = Secrets { credentials: new.credentials, webhook_secrets: bounded(new.webhook_secrets)? };
        let row = AccountRow {
            merchant: merchant.clone(),
            provider: new.provider,
            base_url: address(base_url)?,
            live: new.live,
            enabled: true,
            sealed: self.seal(&id, &secrets)?,
            created: self.env().now(),
            id,
        };
        let mut tx = self.store().begin().await?;
        accounts::insert(&mut tx, &row).await?;
        self.commit(tx).await?;
        self.summary(&row)
    }

    /// A merchant's provider accounts, oldest first.
    pub async fn accounts(&self, merchant: &MerchantId) -> Result<Vec<AccountSummary>, Error> {
        self.check_merchant(merchant).await?;
        let rows = accounts::of_merchant(&mut *self.store().reader().await?, merchant).await?;
        rows.iter().map(|row| self.summary(row)).collect()
    }

    /// Adds a webhook secret to an account, the newest first. The old ones stay valid until removed.
    pub async fn add_webhook_secret(&self, id: &ProviderAccountId, secret: &str) -> Result<AccountSummary, Error> {
        self.change_secrets(id, |secrets| {
            secrets.webhook_secrets.retain(|known| known != secret);
            secrets.webhook_secrets.insert(0, secret.to_owned());
            secrets.webhook_secrets = bounded(std::mem::take(&mut secrets.webhook_secrets))?;
            Ok(())
        })
        .await
    }

    /// Forgets all webhook secrets but the newest.
    pub async fn retire_webhook_secrets(&self, id: &ProviderAccountId) -> Result<AccountSummary, Error> {
        self.change_secrets(id, |secrets| {
            secrets.webhook_secrets.truncate(1);
            Ok(())
        })
        .await
    }

    /// Replaces a credential, such as a key that was rotated at the provider. Payments under way use the new one.
    pub async fn set_credential(
        &self,
        id: &ProviderAccountId,
        name: &str,
        value: &str,
    ) -> Result<AccountSummary, Error> {
        let row = self.account(id).await?;
        let (_, connector) = self.unseal(&row)?;
        self.change_secrets(id, |secrets| {
            secrets.credentials.insert(name.to_owned(), value.to_owned());
            check_credentials(connector.capabilities().credentials, &secrets.credentials)?;
            connector.check(&secrets.credentials, row.live).map_err(Error::Invalid)
        })
        .await
    }

    /// Decides whether new payments use an account.
    pub async fn enable_account(&self, id: &ProviderAccountId, enabled: bool) -> Result<AccountSummary, Error> {
        self.change_account(id, |row| {
            row.enabled = enabled;
            Ok(())
        })
        .await
    }

    async fn change_secrets(
        &self,
        id: &ProviderAccountId,
        change: impl FnOnce(&mut Secrets) -> Result<(), Error>,
    ) -> Result<AccountSummary, Error> {
        self.change_account(id, |row| {
            let mut secrets = self.secrets(row)?;
            change(&mut secrets)?;
            row.sealed = self.seal(id, &secrets)?;
            Ok(())
        })
        .await
    }

    async fn change_account(
        &self,
        id: &ProviderAccountId,
        change: impl FnOnce(&mut AccountRow) -> Result<(), Error>,
    ) -> Result<AccountSummary, Error> {
        let mut tx = self.store().begin().await?;
        let row = accounts::lock(&mut tx, id).await?;
        let mut row = row.ok_or_else(|| Error::NotFound(format!("provider account {id}")))?;
        change(&mut row)?;
        accounts::update(&mut tx, &row).await?;
        self.commit(tx).await?;
        self.summary(&row)
    }

    fn summary(&self, row: &AccountRow) -> Result<AccountSummary, Error> {
        Ok(AccountSummary {
            id: row.id.to_string(),
            provider: row.provider.clone(),
            base_url: row.base_url.clone(),
            live: row.live,
            enabled: row.enabled,
            webhook_url: format!("{}/hooks/{}/{}", self.public_url(), row.provider, row.id),
            webhook_secrets: self.secrets(row)?.webhook_secrets.len(),
        })
    }

    /// Makes a payment link.
    pub async fn add_link(&self, merchant: &MerchantId, new: NewLink) -> Result<LinkSummary, Error> {
        self.check_merchant(merchant).await?;
        let link = Link {
            id: LinkId::from_random(self.env().bits()),
            token: Token::from_random(self.env().bits()),
            merchant: merchant.clone(),
            state: LinkState::Active,
            usage: new.usage,
            live: new.live,
            total: order_total(&new.lines)?,
            lines: new.lines,
            session_ttl: bounded_ttl(new.session_ttl),
            extendable: new.extendable,
            created: self.env().now(),
        };
        if self.methods_of(&link).await? == 0 {
            let mode = if link.live { "live" } else { "test" };
            let text = format!(
                "no enabled {mode} provider account of this merchant takes {}; add one with `till provider add`",
                link.total.currency
            );
            return Err(Error::Invalid(text));
        }
        let mut tx = self.store().begin().await?;
        links::insert(&mut tx, &link).await?;
        self.commit(tx).await?;
        Ok(self.link_summary(&link))
    }

    /// A merchant's links, newest first.
    pub async fn links(&self, merchant: &MerchantId) -> Result<Vec<LinkSummary>, Error> {
        self.check_merchant(merchant).await?;
        let links = links::of_merchant(&mut *self.store().reader().await?, merchant, LIST_MAX).await?;
        Ok(links.iter().map(|link| self.link_summary(link)).collect())
    }

    /// Switches a link on or off. Sessions that are open already go on.
    pub async fn activate_link(&self, id: &LinkId, active: bool) -> Result<(), Error> {
        let state = if active { LinkState::Active } else { LinkState::Disabled };
        let mut tx = self.store().begin().await?;
        let found = links::set_state(&mut tx, id, state).await?;
        self.commit(tx).await?;
        if found { Ok(()) } else { Err(Error::NotFound(format!("link {id}"))) }
    }

    fn link_summary(&self, link: &Link) -> LinkSummary {
        LinkSummary {
            id: link.id.to_string(),
            url: format!("{}/l/{}", self.public_url(), link.token),
            total: link.total.to_string(),
            once: link.usage == Usage::Once,
            active: link.state == LinkState::Active,
        }
    }

    async fn check_merchant(&self, id: &MerchantId) -> Result<(), Error> {
        let found = merchants::find(&mut *self.store().reader().await?, id).await?;
        found.map(|_| ()).ok_or_else(|| Error::NotFound(format!("merchant {id}; see `till merchant list`")))
    }
}

impl From<Merchant> for MerchantSummary {
    fn from(merchant: Merchant) -> Self {
        MerchantSummary { id: merchant.id.into(), name: merchant.name, support_email: merchant.support_email }
    }
}

impl From<ApiKey> for KeySummary {
    fn from(key: ApiKey) -> Self {
        KeySummary { id: key.id.into(), secret: None, hint: key.hint, live: key.live, revoked: key.revoked.is_some() }
    }
}

fn text(what: &str, value: &str) -> Result<String, Error> {
    let value = value.trim();
    let bad = value.is_empty() || value.chars().count() > TEXT_CHARS_MAX || value.chars().any(char::is_control);
    if bad {
        return Err(Error::Invalid(format!("the {what} must have 1 to {TEXT_CHARS_MAX} printable characters")));
    }
    Ok(value.to_owned())
}

fn check_credentials(needed: &[&str], given: &BTreeMap<String, String>) -> Result<(), Error> {
    let missing = needed.iter().find(|name| given.get(**name).is_none_or(|value| value.trim().is_empty()));
    let unknown = given.keys().find(|name| !needed.contains(&name.as_str()));
    match (missing, unknown) {
        (Some(name), _) => Err(Error::Invalid(format!("the credential {name} is missing"))),
        (_, Some(name)) => Err(Error::Invalid(format!("there is no credential {name}; needed: {}", needed.join(", ")))),
        _ => Ok(()),
    }
}

fn bounded(secrets: Vec<String>) -> Result<Vec<String>, Error> {
    if secrets.iter().any(|secret| secret.trim().is_empty()) {
        return Err(Error::Invalid("a webhook secret is empty".into()));
    }
    if secrets.len() > WEBHOOK_SECRETS_MAX {
        return Err(Error::Invalid(format!("an account has at most {WEBHOOK_SECRETS_MAX} webhook secrets")));
    }
    Ok(secrets)
}

/// An address to which credentials are sent: encrypted, unless it is this machine.
fn address(base_url: &str) -> Result<String, Error> {
    let invalid =
        || Error::Invalid(format!("{base_url:?} is no usable address; use https://…, or http:// on this machine only"));
    let url = Url::parse(base_url).map_err(|_| invalid())?;
    let local = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if plain && (url.scheme() == "https" || (url.scheme() == "http" && local)) {
        return Ok(base_url.trim_end_matches('/').to_owned());
    }
    Err(invalid())
}
