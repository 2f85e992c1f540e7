//! A provider's state for the control page, copied so that no lock is held while a page is rendered.

use super::{About, Account, Happened, Provider};
use crate::{
    api::call::Call,
    delivery::{Delivery, DeliveryStatus, Sends},
};

/// The number of newest deliveries that are searched for an event's deliveries.
const RECENT: usize = 500;

/// The names of the delivery states on the page's counters.
pub const STATES: [(DeliveryStatus, &str); 6] = [
    (DeliveryStatus::Held, "held"),
    (DeliveryStatus::Waiting, "waiting"),
    (DeliveryStatus::Sending, "being sent"),
    (DeliveryStatus::Delivered, "delivered"),
    (DeliveryStatus::Failed, "given up"),
    (DeliveryStatus::Dropped, "dropped"),
];

/// All data of one provider on the page. Lists are newest first. Only the pending deliveries are in the order of sending.
#[derive(Debug)]
pub struct View {
    /// The provider.
    pub about: About,
    /// Whether webhooks of an account are held.
    pub holding: bool,
    /// The switches that are turned on, in words, each once.
    pub turned: Vec<String>,
    /// The number of deliveries in each state, in the order of [`STATES`].
    pub counts: [usize; STATES.len()],
    /// The number of waiting timers.
    pub timers: usize,
    /// The pending deliveries.
    pub on_way: Vec<DeliveryRow>,
    /// The newest events.
    pub events: Vec<EventRow>,
    /// The newest payments.
    pub payments: Vec<PaymentRow>,
    /// The newest API calls.
    pub calls: Vec<CallRow>,
    /// All accounts, by key.
    pub accounts: Vec<AccountRow>,
}

/// A pending delivery.
#[derive(Debug)]
pub struct DeliveryRow {
    /// The account's key, to be masked.
    pub key: String,
    /// The delivery.
    pub delivery: Delivery,
    /// The type of the event.
    pub kind: String,
    /// The address of the endpoint.
    pub url: String,
}

/// An event with its deliveries, newest first.
#[derive(Debug)]
pub struct EventRow {
    /// The event.
    pub event: Happened,
    /// The event's deliveries.
    pub deliveries: Vec<Delivery>,
}

/// A payment, or a page that a shopper can pay.
#[derive(Debug, Clone)]
pub struct PaymentRow {
    /// Unix seconds.
    pub at: i64,
    /// The address of its page, such as `/c/pay/cs_1`.
    pub page: String,
    /// The payment's id, shortened for display.
    pub id: String,
    /// The payment's purpose: an item, a reference.
    pub what: String,
    /// The payment's status.
    pub state: String,
    /// The amount for people, with the currency.
    pub amount: String,
}

/// An API call.
#[derive(Debug)]
pub struct CallRow {
    /// The account's key, to be masked.
    pub key: String,
    /// The call.
    pub call: Call,
}

/// An account.
#[derive(Debug)]
pub struct AccountRow {
    /// The account's key, to be masked.
    pub key: String,
    /// The id that stands for the key in forms.
    pub id: String,
    /// The counts of the account's objects.
    pub holds: Vec<(&'static str, usize)>,
    /// The addresses of the account's endpoints.
    pub endpoints: Vec<String>,
}

impl View {
    /// A copy of a provider's state, with a maximum number of rows of each kind.
    pub fn of<P: Provider>(provider: &P, most: usize) -> View {
        let accounts = provider.accounts();
        let each = || accounts.iter().map(|(_, account)| account);
        let mut turned: Vec<String> = Vec::new();
        for rules in std::iter::once(accounts.rules()).chain(each().map(|account| &account.common().rules)) {
            for word in rules.turned() {
                if !turned.contains(&word) {
                    turned.push(word);
                }
            }
        }
        let mut counts = [0; STATES.len()];
        for delivery in each().flat_map(|account| account.deliveries().oldest()) {
            STATES.iter().position(|(status, _)| *status == delivery.status).into_iter().for_each(|at| counts[at] += 1);
        }
        View {
            about: P::ABOUT,
            holding: accounts.rules().hold || each().any(|account| account.common().rules.hold),
            turned,
            counts,
            timers: each().map(|account| account.common().timers.len()).sum(),
            on_way: on_way(provider, most),
            events: events(provider, most),
            payments: provider.payments(most),
            calls: calls(provider, most),
            accounts: accounts.iter().map(|(key, account)| row(key, account)).collect(),
        }
    }
}

fn row<A: Account>(key: &str, account: &A) -> AccountRow {
    AccountRow {
        key: key.to_owned(),
        id: account.common().id.clone(),
        holds: account.holds(),
        endpoints: account.endpoints(),
    }
}

fn on_way<P: Provider>(provider: &P, most: usize) -> Vec<DeliveryRow> {
    let mut rows = Vec::new();
    for (key, account) in provider.accounts().iter() {
        let open = account.deliveries().oldest().filter(|delivery| delivery.status.is_open());
        rows.extend(open.take(most).map(|delivery| DeliveryRow {
            key: key.to_owned(),
            delivery: delivery.clone(),
            kind: account.kind_of(&delivery.event).unwrap_or_default().to_owned(),
            url: account.url_of(&delivery.endpoint).unwrap_or_default().to_owned(),
        }));
    }
    rows.sort_by_key(|row| row.delivery.due_ms);
    rows.truncate(most);
    rows
}

fn events<P: Provider>(provider: &P, most: usize) -> Vec<EventRow> {
    let each = provider.accounts().iter();
    let mut rows: Vec<(&P::Account, Happened)> =
        each.flat_map(|(_, account)| account.happened(most).into_iter().map(move |event| (account, event))).collect();
    // The sort is stable, so that events of the same second keep their order.
    rows.sort_by_key(|(_, event)| std::cmp::Reverse(event.at));
    rows.truncate(most);
    let with_deliveries = rows.into_iter().map(|(account, event)| {
        let recent = account.deliveries().newest().take(RECENT);
        let deliveries = recent.filter(|delivery| delivery.event == event.id).cloned().collect();
        EventRow { event, deliveries }
    });
    with_deliveries.collect()
}

fn calls<P: Provider>(provider: &P, most: usize) -> Vec<CallRow> {
    let each = provider.accounts().iter();
    let mut rows: Vec<CallRow> = each
        .flat_map(|(key, account)| {
            let newest = account.common().calls.iter().rev().take(most);
            newest.map(move |call| CallRow { key: key.to_owned(), call: call.clone() })
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.call.at_ms));
    rows.truncate(most);
    rows
}
