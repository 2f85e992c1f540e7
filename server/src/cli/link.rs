//! `till link`.

use clap::{Args, Subcommand};
use domain::SECOND;
use domain::currency::Currency;
use domain::id::{LinkId, MerchantId};
use domain::line::Line;
use domain::link::{SESSION_TTL_DEFAULT, SESSION_TTL_MAX, Usage};
use domain::money::Money;
use domain::payment::Capture;
use engine::{LinkSummary, NewLink};
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table, yes};
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
    /// Let a link be opened no more; sessions that are open go on
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
    /// Can be paid many times: every visit is an order of its own
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
            Action::List { merchant, paging, common, format } => {
                let page = common.keyless_engine().await?.links_page(&merchant, &paging.into()).await?;
                format.print_page(&page, |link| link.id.clone(), rows)
            }
            Action::Enable { link, common, format } => switch(&link, true, &common, format).await,
            Action::Disable { link, common, format } => switch(&link, false, &common, format).await,
        }
    }
}

impl Add {
    async fn run(self) -> Result<(), Failure> {
        let new = NewLink {
            lines: self.lines.iter().map(|text| line(text, self.currency)).collect::<Result<_, _>>()?,
            usage: if self.reusable { Usage::Reusable } else { Usage::Once },
            live: self.live,
            session_ttl: self.session_ttl.saturating_mul(SECOND),
            extendable: !self.no_extension,
            capture: if self.capture_later { Capture::Manual } else { Capture::Automatic },
        };
        let link = self.common.ready_engine().await?.add_link(&self.merchant, new).await?;
        self.format.print(&link, || format!("{}\n\n{}", link.url, rows(std::slice::from_ref(&link))))
    }
}

async fn switch(link: &LinkId, active: bool, common: &Common, format: Format) -> Result<(), Failure> {
    common.keyless_engine().await?.activate_link(link, active).await?;
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
    })
}

fn rows(links: &[LinkSummary]) -> String {
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
    table(&["ID", "TOTAL", "USAGE", "ACTIVE", "PAID", "ADDRESS"], &rows, "no links yet; make one with `till link add`")
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
}
