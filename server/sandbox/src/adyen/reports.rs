//! Settlement detail reports: the movements since the last report, as CSV that sums up (Adyen, Settlement detail report).

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{Core, auth, money, notify::Notice, state::Account, time};

/// The most movements that may wait for a report.
const ROWS: usize = 50_000;

/// The number of reports kept per account.
const REPORTS: usize = 50;

const HEADER: &str = "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,\
    TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,\
    Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Payment Method Variant,\
    Modification Merchant Reference,Batch Number,Reserved4,Reserved5,Reserved6,Reserved7,Reserved8,Reserved9,Reserved10";

/// The kind of a row in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A capture.
    Settled,
    /// A capture that failed later.
    SettledReversed,
    /// A refund.
    Refunded,
    /// A refund that was reversed.
    RefundedReversed,
    /// A chargeback: the holder's bank took the money back.
    Chargeback,
    /// A reversed chargeback: the money came back from the bank.
    ChargebackReversed,
    /// A second chargeback: the bank took the money again.
    SecondChargeback,
}

impl Entry {
    fn name(self) -> String {
        format!("{self:?}")
    }

    /// Whether the entry credits the merchant.
    fn credits(self) -> bool {
        matches!(self, Entry::Settled | Entry::RefundedReversed | Entry::ChargebackReversed)
    }

    /// The provider's fee in minor units: one percent of a capture.
    fn fee(self, amount: i64) -> i64 {
        if self == Entry::Settled { amount / 100 } else { 0 }
    }
}

/// A movement of money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Movement {
    entry: Entry,
    payment: String,
    modification: String,
    amount: i64,
    at: i64,
}

impl Account {
    /// Records a movement for the next report.
    pub fn book(&mut self, entry: Entry, payment: &str, modification: &str, amount: i64, now_ms: i64) {
        if self.unsettled.len() < ROWS {
            let (payment, modification) = (payment.to_owned(), modification.to_owned());
            self.unsettled.push(Movement { entry, payment, modification, amount, at: now_ms / 1000 });
        }
    }

    /// Makes the next report of all new movements, and notifies the merchant. Returns the report's name, which may be chosen.
    pub fn settle(&mut self, base: &str, name: Option<&str>, now_ms: i64) -> String {
        self.batches += 1;
        let batch = self.batches;
        let name = name.map_or_else(|| format!("settlement_detail_report_batch_{batch}.csv"), str::to_owned);
        let merchant_account = self.merchant_account.clone().unwrap_or_default();
        let moved = std::mem::take(&mut self.unsettled);
        let text = self.csv(&moved, &merchant_account, batch, now_ms / 1000);
        while self.reports.len() >= REPORTS {
            self.reports.pop_front();
        }
        self.reports.push_back((name.clone(), text));
        let notice = Notice {
            code: "REPORT_AVAILABLE".into(),
            success: true,
            psp: name.clone(),
            reason: format!("{base}/adyen/reports/{merchant_account}/{name}"),
            merchant_account,
            currency: "EUR".into(),
            ..Notice::default()
        };
        self.emit(notice, now_ms);
        name
    }

    fn csv(&self, moved: &[Movement], merchant_account: &str, batch: u32, now: i64) -> String {
        let mut text = format!("{HEADER}\r\n");
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        for movement in moved {
            let Some(payment) = self.payments.get(&movement.payment) else {
                continue;
            };
            let fee = movement.entry.fee(movement.amount);
            let net = movement.amount - fee;
            let currency = &payment.currency;
            *totals.entry(currency.clone()).or_default() += if movement.entry.credits() { net } else { -net };
            let [debit, credit] = columns(movement.entry.credits(), &money::decimal(movement.amount, currency));
            let [net_debit, net_credit] = columns(movement.entry.credits(), &money::decimal(net, currency));
            let commission = if fee == 0 { String::new() } else { money::decimal(fee, currency) };
            let reference = self.modifications.get(&movement.modification).and_then(|known| known.reference.clone());
            let _ = write!(
                text,
                "SandboxCompany,{merchant_account},{psp},{merchant},{method},{at},UTC,{kind},{modification},{currency},\
                 {debit},{credit},1,{currency},{net_debit},{net_credit},{commission},,,,{method},{reference},{batch},,,,,,,\r\n",
                psp = payment.psp,
                merchant = quoted(&payment.reference),
                method = payment.instrument.brand,
                at = time::report(movement.at),
                kind = movement.entry.name(),
                modification = movement.modification,
                reference = quoted(&reference.unwrap_or_default()),
            );
        }
        for (currency, total) in totals {
            let (kind, credits) = if total < 0 { ("Balancetransfer", true) } else { ("MerchantPayout", false) };
            let [net_debit, net_credit] = columns(credits, &money::decimal(total.abs(), &currency));
            let _ = write!(
                text,
                "SandboxCompany,{merchant_account},,,,{at},UTC,{kind},\"{currency} batch {batch}\",,,,,{currency},{net_debit},\
                 {net_credit},,,,,,,{batch},,,,,,,\r\n",
                at = time::report(now),
            );
        }
        text
    }
}

/// An amount in the debit or in the credit column.
fn columns(credits: bool, amount: &str) -> [String; 2] {
    if credits { [String::new(), amount.to_owned()] } else { [amount.to_owned(), String::new()] }
}

/// Merchant text as a CSV field.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// `GET /adyen/reports/{merchantAccount}/{name}`: needs the API key, as a header or as a report user's Basic password.
pub async fn download(
    State(core): State<Arc<Core>>,
    Path((merchant_account, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Ok(key) = auth::key(&headers) else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"reports\"")], "").into_response();
    };
    let state = core.lock();
    let account = state.accounts.get(&key);
    let own = account.filter(|account| account.merchant_account.as_deref() == Some(&merchant_account));
    match own.and_then(|account| account.reports.iter().find(|(known, _)| *known == name)) {
        Some((_, text)) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
