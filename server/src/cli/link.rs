//! `till link`.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use domain::SECOND;
use domain::currency::Currency;
use domain::id::{LinkId, MerchantId};
use domain::line::Line;
use domain::link::{SESSION_TTL_DEFAULT, SESSION_TTL_MAX, Usage};
use domain::money::Money;
use domain::order::{Basket, Discount, Metadata, Off, Policies, Returns, Shipping, Tax};
use domain::payment::Capture;
use engine::{LinkSummary, NewLink};
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table, yes};
use super::whose::{none_yet, operator, scope};
use crate::config::Common;

/// Make, list and switch payment links.
#[derive(Args, Debug)]
pub(super) struct LinkCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make a link and print its address
    Add(Box<Add>),
    /// List a merchant's links
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// Links of live mode instead of test mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Let a link be opened again
    Enable {
        /// The link's id, plink_…
        link: LinkId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Begin a checkout session of a link, and print its address; all shoppers of a one-time link share one session
    Session {
        /// The link's id, plink_…
        link: LinkId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Stop a link from being opened; open sessions continue
    Disable {
        /// The link's id, plink_…
        link: LinkId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Args, Debug)]
struct Add {
    /// The merchant's id, mer_…
    #[arg(long)]
    merchant: MerchantId,
    /// The currency of all prices, such as EUR
    #[arg(long)]
    currency: Currency,
    /// A line of the order: NAME=PRICE, or NAME=PRICE*QUANTITY, such as "Green tea=12.99*2"
    #[arg(long = "line", value_name = "NAME=PRICE[*QUANTITY]", required = true)]
    lines: Vec<String>,
    /// A tax included in prices, on all lines and shipping: NAME=PERCENT, such as "VAT=19"
    #[arg(long, value_name = "NAME=PERCENT", conflicts_with = "tax_added")]
    tax: Option<String>,
    /// A tax added to prices, on all lines and shipping: NAME=PERCENT, such as "Sales tax=8.875"
    #[arg(long, value_name = "NAME=PERCENT")]
    tax_added: Option<String>,
    /// A discount on all lines: NAME=AMOUNT or NAME=PERCENT%, such as "Summer=5.00" or "Summer=10%"
    #[arg(long, value_name = "NAME=AMOUNT|PERCENT%")]
    discount: Option<String>,
    /// Shipping: NAME=PRICE, such as "Parcel=4.90"
    #[arg(long, value_name = "NAME=PRICE")]
    shipping: Option<String>,
    /// A note of your own on every order: KEY=VALUE; may be given up to 50 times
    #[arg(long = "metadata", value_name = "KEY=VALUE")]
    metadata: Vec<String>,
    /// The address for shoppers who have paid; begins with https://
    #[arg(long, value_name = "URL")]
    success_url: Option<String>,
    /// The address for shoppers who do not want to pay; begins with https://
    #[arg(long, value_name = "URL")]
    cancel_url: Option<String>,
    /// Can be paid many times: each shopper who presses Pay has an order of their own
    #[arg(long)]
    reusable: bool,
    /// Real money moves
    #[arg(long)]
    live: bool,
    /// How long a visit lasts, in seconds; at most a day
    #[arg(long, value_name = "SECONDS", default_value_t = SESSION_TTL_DEFAULT / SECOND,
        value_parser = clap::value_parser!(i64).range(1..=SESSION_TTL_MAX / SECOND))]
    session_ttl: i64,
    /// Only authorise the money; take it later with `till payment capture`
    #[arg(long)]
    capture_later: bool,
    /// Do not let shoppers ask for more time
    #[arg(long)]
    no_extension: bool,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

impl LinkCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Add(add) => add.run().await,
            Action::List { merchant, live, paging, common, format } => {
                let scope = scope(&merchant, live);
                let page = common.read(async |engine| engine.links(&scope).list(&paging.into()).await).await?;
                format.print_page(&page, |link| link.id.clone(), |links| rows(links, live))
            }
            Action::Session { link, common, format } => session(&link, &common, format).await,
            Action::Enable { link, common, format } => switch(&link, true, &common, format).await,
            Action::Disable { link, common, format } => switch(&link, false, &common, format).await,
        }
    }
}

impl Add {
    async fn run(self) -> Result<(), Failure> {
        let new = NewLink {
            basket: self.basket()?,
            usage: if self.reusable { Usage::Reusable } else { Usage::Once },
            metadata: metadata(&self.metadata)?,
            returns: Returns { success: self.success_url, cancel: self.cancel_url },
            policies: Policies {
                capture: if self.capture_later { Capture::Manual } else { Capture::Automatic },
                session_ttl: self.session_ttl.saturating_mul(SECOND),
                extendable: !self.no_extension,
            },
        };
        let link = self.common.ready_engine().await?.links(&scope(&self.merchant, self.live)).add(new).await?;
        self.format.print(&link, || format!("{}\n\n{}", link.url, rows(std::slice::from_ref(&link), self.live)))
    }
}

impl Add {
    fn basket(&self) -> Result<Basket, Failure> {
        let tax = match (&self.tax, &self.tax_added) {
            (Some(text), _) => Some(tax(text, true)?),
            (None, Some(text)) => Some(tax(text, false)?),
            (None, None) => None,
        };
        let taxed = |text: &String| Ok::<_, Failure>(Line { tax: tax.clone(), ..line(text, self.currency)? });
        let shipping = self.shipping.as_ref().map(|text| {
            let (name, price) = named(text, "NAME=PRICE")?;
            let price = Money::parse_decimal(&price, self.currency)?;
            Ok::<_, Failure>(Shipping { name, price, tax: tax.clone() })
        });
        Ok(Basket {
            lines: self.lines.iter().map(taxed).collect::<Result<_, _>>()?,
            discount: self.discount.as_ref().map(|text| discount(text, self.currency)).transpose()?,
            shipping: shipping.transpose()?,
            tip: None,
        })
    }
}

async fn session(link: &LinkId, common: &Common, format: Format) -> Result<(), Failure> {
    let engine = common.ready_engine().await?;
    let scope = engine.scopes(&operator()).of_link(link).await?;
    let token = engine.links(&scope).session(link).await?;
    let url = format!("{}/c/{token}", engine.public_url());
    format.print(&json!({ "link": link.as_str(), "url": url }), || url.clone())
}

async fn switch(link: &LinkId, active: bool, common: &Common, format: Format) -> Result<(), Failure> {
    let engine = common.keyless_engine().await?;
    let scope = engine.scopes(&operator()).of_link(link).await?;
    engine.links(&scope).activate(link, active).await?;
    let state = if active { "active" } else { "switched off" };
    format.print(&json!({ "id": link.as_str(), "active": active }), || format!("{link} is {state}"))
}

fn line(text: &str, currency: Currency) -> Result<Line, Failure> {
    let shape = || format!("{text:?} must look like NAME=PRICE or NAME=PRICE*QUANTITY");
    let (name, rest) = text.rsplit_once('=').ok_or_else(shape)?;
    let (price, quantity) = rest.split_once('*').unwrap_or((rest, "1"));
    Ok(Line {
        name: name.trim().to_owned(),
        description: None,
        unit: Money::parse_decimal(price.trim(), currency)?,
        quantity: quantity.trim().parse().map_err(|_| shape())?,
        tax: None,
    })
}

/// A name and the value after the last equals sign.
fn named(text: &str, shape: &str) -> Result<(String, String), Failure> {
    let (name, value) = text.rsplit_once('=').ok_or_else(|| format!("{text:?} must look like {shape}"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn tax(text: &str, inclusive: bool) -> Result<Tax, Failure> {
    let (name, percent) = named(text, "NAME=PERCENT")?;
    Ok(Tax { name, rate: percent.trim_end_matches('%').trim_end().parse()?, inclusive })
}

fn discount(text: &str, currency: Currency) -> Result<Discount, Failure> {
    let (name, value) = named(text, "NAME=AMOUNT or NAME=PERCENT%")?;
    let off = match value.strip_suffix('%') {
        Some(percent) => Off::Share(percent.trim_end().parse()?),
        None => Off::Amount(Money::parse_decimal(&value, currency)?),
    };
    Ok(Discount { name, off })
}

fn metadata(texts: &[String]) -> Result<Metadata, Failure> {
    let mut notes = BTreeMap::new();
    for text in texts {
        let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} must look like KEY=VALUE"))?;
        if notes.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("the metadata key {key:?} is given twice").into());
        }
    }
    Ok(Metadata::new(notes)?)
}

fn rows(links: &[LinkSummary], live: bool) -> String {
    let row = |link: &LinkSummary| {
        let usage = if link.once { "once" } else { "reusable" };
        vec![
            link.id.clone(),
            link.total.clone(),
            usage.to_owned(),
            yes(link.active),
            link.paid.to_string(),
            link.url.clone(),
        ]
    };
    let rows: Vec<_> = links.iter().map(row).collect();
    table(
        &["ID", "TOTAL", "USAGE", "ACTIVE", "PAID", "ADDRESS"],
        &rows,
        &none_yet("links", live, "make one with `till link add`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_odd_ones_explained() {
        let eur = "EUR".parse().unwrap();
        let tea = line("Tea = Chai=12.99*2", eur).unwrap();
        assert_eq!((tea.name.as_str(), tea.unit.minor, tea.quantity), ("Tea = Chai", 1299, 2));
        assert_eq!(line("Cup=5", eur).unwrap().quantity, 1);
        for bad in ["Tea", "Tea=", "Tea=x", "Tea=1*x", "Tea=1.999"] {
            assert!(line(bad, eur).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_changes_a_price_is_read_and_odd_texts_explained() {
        let eur = "EUR".parse().unwrap();
        assert_eq!(tax("VAT = 7.7 %", true).unwrap().rate.millionths(), 77_000);
        assert_eq!(
            discount("A=B=5.00", eur).unwrap(),
            Discount { name: "A=B".into(), off: Off::Amount(Money::new(500, eur)) }
        );
        assert!(matches!(discount("Summer=10%", eur).unwrap().off, Off::Share(_)));
        for bad in ["Summer", "Summer=", "Summer=x", "Summer=1.999", "Summer=101%", "Summer=-1"] {
            assert!(discount(bad, eur).is_err(), "{bad}");
        }
        assert!(tax("VAT", true).is_err() && tax("VAT=x", true).is_err());
        assert_eq!(metadata(&["a=b=c".into()]).unwrap().notes()["a"], "b=c");
        assert!(metadata(&["a".into()]).is_err() && metadata(&["a=1".into(), "a=2".into()]).is_err());
    }
}
