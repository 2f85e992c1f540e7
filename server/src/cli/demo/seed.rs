//! The demo's shop: made once, found again at the next start.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use domain::currency::Currency;
use domain::id::MerchantId;
use domain::line::Line;
use domain::link::Usage;
use domain::money::Money;
use domain::order::Policies;
use domain::payment::Capture;
use engine::{Engine, LinkSummary, NewAccount, NewLink, OsRandom, Random};
use serde::{Deserialize, Serialize};

use super::ready;
use crate::cli::Failure;
use crate::cli::whose::{operator, scope};
use crate::config::Common;

/// The demo's shops, kept in `demo.json` beside the database.
#[derive(Serialize, Deserialize, Clone)]
pub(super) struct Seeded {
    pub merchant: String,
    pub account: String,
    pub api_key: String,
    pub sandbox_key: String,
    pub sandbox_url: String,
    pub webhook_url: String,
    pub webhook_secret: String,
    /// The shop that is paid through Adyen. The file of an older version does not have it.
    pub adyen: Option<AdyenShop>,
}

/// The demo's second shop, at the other simulator.
#[derive(Serialize, Deserialize, Clone)]
pub(super) struct AdyenShop {
    pub merchant: String,
    pub account: String,
    pub api_key: String,
    pub webhook_url: String,
    pub hmac_key: String,
}

/// The merchant account at the Adyen simulator.
pub(super) const ADYEN_MERCHANT_ACCOUNT: &str = "HarbourBooks";

/// The shop of an earlier start if it fits this one, else a new shop.
pub(super) async fn sow(engine: &Engine, common: &Common, sandbox_url: &str) -> Result<Seeded, Failure> {
    let file = common.beside("demo.json")?;
    if let Some(seeded) = remembered(engine, file.as_ref(), sandbox_url).await {
        return Ok(seeded);
    }
    let merchant = engine.merchants(&operator()).add("Kettle & Leaf", Some("help@kettle-and-leaf.example")).await?;
    let id: MerchantId = merchant.id.parse()?;
    let (sandbox_key, webhook_secret) = (format!("sk_test_{}", random()), format!("whsec_{}", random()));
    let new = NewAccount {
        provider: "stripe".to_owned(),
        base_url: Some(sandbox_url.to_owned()),
        credentials: BTreeMap::from([(connectors::stripe::SECRET_KEY.to_owned(), sandbox_key.clone())]),
        webhook_secrets: vec![webhook_secret.clone()],
    };
    let account = engine.accounts(&scope(&id, false)).add(new).await?;
    let seeded = Seeded {
        api_key: engine.keys(&scope(&id, false)).add().await?.secret.unwrap_or_default(),
        merchant: merchant.id,
        account: account.id,
        sandbox_key,
        sandbox_url: sandbox_url.to_owned(),
        webhook_url: account.webhook_url,
        webhook_secret,
        adyen: Some(sow_adyen(engine, sandbox_url).await?),
    };
    if let Some(file) = file {
        ready::write(&file, &seeded)?;
    }
    Ok(seeded)
}

async fn sow_adyen(engine: &Engine, sandbox_url: &str) -> Result<AdyenShop, Failure> {
    let merchant = engine.merchants(&operator()).add("Harbour Books", Some("help@harbour-books.example")).await?;
    let (api_key, hmac_key) = (format!("test_{}", random()), format!("{}{}", random(), &random()[..16]));
    let credentials = [("api_key", api_key.as_str()), ("merchant_account", ADYEN_MERCHANT_ACCOUNT)];
    let new = NewAccount {
        provider: "adyen".to_owned(),
        base_url: Some(format!("{sandbox_url}/adyen")),
        credentials: credentials.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        webhook_secrets: vec![hmac_key.clone()],
    };
    let account = engine.accounts(&scope(&merchant.id.parse()?, false)).add(new).await?;
    Ok(AdyenShop { merchant: merchant.id, account: account.id, api_key, webhook_url: account.webhook_url, hmac_key })
}

async fn remembered(engine: &Engine, file: Option<&PathBuf>, sandbox_url: &str) -> Option<Seeded> {
    let seeded: Seeded = serde_json::from_str(&fs::read_to_string(file?).ok()?).ok()?;
    let accounts = engine.accounts(&scope(&seeded.merchant.parse().ok()?, false)).list().await.ok()?;
    let account = accounts.into_iter().find(|account| account.id == seeded.account)?;
    let fits = seeded.sandbox_url == sandbox_url && seeded.webhook_url == account.webhook_url && seeded.adyen.is_some();
    fits.then_some(seeded)
}

fn random() -> String {
    let mut bytes = [0; 24];
    OsRandom.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A link for two items that can be paid once. Every start makes a new link, so that there is always one to pay.
pub(super) async fn link(engine: &Engine, seeded: &Seeded) -> Result<LinkSummary, Failure> {
    let eur: Currency = "EUR".parse()?;
    let line = |name: &str, description: &str, minor, quantity| Line {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        unit: Money::new(minor, eur),
        quantity,
        tax: None,
    };
    let lines = vec![
        line("Sencha, first flush", "100 g, loose leaf", 1_299, 2),
        line("Stoneware cup", "Glazed, 200 ml", 1_850, 1),
    ];
    Ok(engine.links(&scope(&seeded.merchant.parse()?, false)).add(NewLink::of(lines, Usage::Once)).await?)
}

/// A link of the second shop. Its payments are only authorised, and captured later by hand.
pub(super) async fn adyen_link(engine: &Engine, shop: &AdyenShop) -> Result<LinkSummary, Failure> {
    let line = Line {
        name: "The Log of the Northern Star".to_owned(),
        description: Some("Hardcover, 412 pages".to_owned()),
        unit: Money::new(2_450, "EUR".parse()?),
        quantity: 1,
        tax: None,
    };
    let policies = Policies { capture: Capture::Manual, ..Policies::default() };
    let new = NewLink { policies, ..NewLink::of(vec![line], Usage::Once) };
    Ok(engine.links(&scope(&shop.merchant.parse()?, false)).add(new).await?)
}
