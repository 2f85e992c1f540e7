//! The toy's connector.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::Method as HttpMethod;
use connectors::{
    Account, AmountRule, Authentic, Capabilities, Connector, Credence, Deed, Delivery, Disposition, Fail, HttpRequest,
    HttpResponse, Incoming, Item, Kept, Operation, Outcome, Reference, Reject, Repetition, Reply, Setup, SetupProblem,
    Target, Unreadable, Wire,
};
use domain::id::ModificationId;
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::payment::{
    CloseReason, CodeForm, EntryState, Handoff, Limits, ModificationKind, Movement, News, Observation, Refs, Step,
};
use domain::{DAY, MINUTE, Millis};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

pub struct Toy {
    name: &'static str,
    searchable: bool,
}

pub static TOY: Toy = Toy { name: "toy", searchable: true };
/// The same without a search for the effect of a lost request.
pub static MUTE: Toy = Toy { name: "mute", searchable: false };

static SETUP: Setup = Setup { domains: &[], credentials: &["key", "way"], default_base_url: "https://toy.example" };
static KEPT: Kept = Kept { fields: &["id", "reference", "status", "amount", "currency"], headers: &[] };

impl Connector for Toy {
    fn provider(&self) -> &'static str {
        self.name
    }

    fn setup(&self) -> &'static Setup {
        &SETUP
    }

    fn capabilities(&self, _account: &Account) -> Capabilities {
        Capabilities {
            page_life_min: MINUTE,
            page_life_max: DAY,
            fetch: true,
            find: self.searchable,
            search_proves_after: self.searchable.then_some(MINUTE),
            find_modification: self.searchable,
            event_list: false,
        }
    }

    fn limits(&self, _account: &Account, _method: Method) -> Limits {
        Limits { partial_capture: false, multi_capture: false, partial_refund: true }
    }

    fn captures_later(&self, _account: &Account, _method: Method) -> bool {
        false
    }

    fn repetition(&self, _account: &Account, _deed: Deed) -> Repetition {
        if self.searchable { Repetition::Query } else { Repetition::None }
    }

    fn kept(&self) -> &'static Kept {
        &KEPT
    }

    fn check(&self, _credentials: &BTreeMap<String, String>, _live: bool) -> Result<(), SetupProblem> {
        Ok(())
    }

    fn check_webhook_secret(&self, _secret: &str) -> Result<(), SetupProblem> {
        // The toy signs nothing, so it has no secret of any form.
        Err(SetupProblem::SecretHex { digits: 0, shown: "nowhere" })
    }

    fn takes(&self, _: &Account, method: Method, _: &[Line], total: Money) -> Result<(), AmountRule> {
        match method {
            Method::Card => Ok(()),
            Method::BankDebit => Err(AmountRule::Method("Toy", total.currency, method)),
        }
    }

    fn takes_part(&self, _part: Money) -> Result<(), AmountRule> {
        Ok(())
    }

    fn right(&self, _request: &str) -> Option<&'static str> {
        None
    }

    fn begin(&self, account: &Account, operation: &Operation, _key: &str) -> Result<HttpRequest, Fail> {
        let unsupported = || Fail::Unsupported("the toy cannot do this".to_owned());
        let get = |name, path| Ok(request(account, name, HttpMethod::GET, path, String::new()));
        let post = |name, path, body: Value| Ok(request(account, name, HttpMethod::POST, path, body.to_string()));
        match operation {
            Operation::Open(spec) => {
                let currency = spec.amount.currency.code();
                let body =
                    json!({"reference": spec.attempt.as_str(), "amount": spec.amount.minor, "currency": currency});
                post("pages.create", "/pages".to_owned(), body)
            }
            Operation::Fetch(target) => get("pages.fetch", page(target)?),
            Operation::Close(target) => post("pages.close", format!("{}/close", page(target)?), json!({})),
            Operation::Find(target) if self.searchable => {
                get("pages.find", format!("/pages?reference={}", target.attempt))
            }
            Operation::Modify(spec) => {
                let ModificationKind::Refund { amount } = spec.kind else { return Err(unsupported()) };
                let body = json!({"reference": spec.modification.as_str(), "amount": amount});
                post("refunds.create", format!("{}/refunds", page(&spec.target)?), body)
            }
            Operation::FindModification(spec) if self.searchable => get("refunds.find", page(&spec.target)?),
            Operation::Find(_) | Operation::FindModification(_) | Operation::Events(_) => Err(unsupported()),
        }
    }

    fn resume(
        &self,
        account: &Account,
        operation: &Operation,
        _sent: &HttpRequest,
        reply: &HttpResponse,
        now: Millis,
    ) -> Result<Wire, Fail> {
        let body: Option<Value> = (reply.status == 200).then(|| serde_json::from_slice(&reply.body).ok()).flatten();
        let body = body.ok_or_else(|| Fail::Unsure(format!("status {}", reply.status)))?;
        let done = |outcome| Ok(Wire::Done(outcome));
        match operation {
            Operation::Open(_) => done(opened(account, &body)?),
            Operation::Find(_) => match body.get(0) {
                Some(page) if page["status"] == "open" => done(opened(account, page)?),
                Some(page) => done(Outcome::Observed(seen(page, now)?)),
                None => done(Outcome::NotFound),
            },
            Operation::Modify(spec) => done(Outcome::Observed(refunded(&body, &spec.target, &spec.modification, now)?)),
            Operation::FindModification(spec) => {
                let all = body["refunds"].as_array().into_iter().flatten();
                let ours = all.into_iter().find(|refund| refund["reference"] == spec.modification.as_str());
                let found = ours.map(|refund| refunded(refund, &spec.target, &spec.modification, now)).transpose()?;
                done(found.map_or(Outcome::NotFound, Outcome::Observed))
            }
            _ => done(Outcome::Observed(seen(&body, now)?)),
        }
    }

    fn delivery_methods(&self) -> &'static [HttpMethod] {
        &[HttpMethod::GET, HttpMethod::POST]
    }

    fn delivery_bytes_max(&self) -> usize {
        64 * 1024
    }

    fn authenticate(&self, account: &Account, delivery: &Delivery, _now: Millis) -> Result<Credence, Reject> {
        if delivery.method == HttpMethod::POST {
            let body = std::str::from_utf8(&delivery.body).map_err(|_| Reject::Unreadable)?.to_owned();
            let question = request(account, "verify", HttpMethod::POST, "/verify".to_owned(), body);
            return Ok(Credence::Ask(Box::new(question)));
        }
        assert!(delivery.peer.is_some(), "the sender's address is known");
        let query = delivery.query.as_deref().and_then(|query| query.split_once('=')).ok_or(Reject::Unreadable)?;
        match query {
            ("challenge", word) => {
                let body = Bytes::from(json!({"challenge": word}).to_string());
                Ok(Credence::Greeting(Reply { status: 200, content_type: Some("application/json"), body }))
            }
            ("page", page) => Ok(Credence::Hint(vec![Reference::Theirs(page.to_owned())])),
            ("order", order) => Ok(Credence::Hint(order.parse().map(Reference::Ours).into_iter().collect())),
            _ => Err(Reject::Unreadable),
        }
    }

    fn verified(
        &self,
        _account: &Account,
        delivery: &Delivery,
        _sent: &HttpRequest,
        reply: &HttpResponse,
        _now: Millis,
    ) -> Result<Credence, Reject> {
        let reply: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if reply["genuine"] == true {
            Ok(Credence::Proven(Authentic::new(delivery.body.clone())))
        } else {
            Err(Reject::Wrong)
        }
    }

    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject> {
        let event: Value = serde_json::from_slice(delivery.body()).map_err(|_| Reject::Unreadable)?;
        let event = event["event"].as_str().ok_or(Reject::Unreadable)?.to_owned();
        Ok(vec![Item { event, body: delivery.body().clone() }])
    }

    fn read(&self, _account: &Account, item: &[u8], received: Millis) -> Result<Incoming, Unreadable> {
        let event: Value = serde_json::from_slice(item).map_err(|error| Unreadable(error.to_string()))?;
        let attempt = event["page"]["reference"].as_str().and_then(|reference| reference.parse().ok());
        let observation = seen(&event["page"], received).map_err(|fail| Unreadable(fail.to_string()))?;
        Ok(Incoming { kind: "page".to_owned(), foreign: None, doubt: None, attempt, observation })
    }

    fn reply(&self, disposition: Disposition) -> Reply {
        match disposition {
            Disposition::Stored => Reply::text(200, "noted"),
            Disposition::Rejected => Reply::text(400, "not ours"),
            Disposition::Busy => Reply::text(503, "later"),
        }
    }
}

fn request(account: &Account, name: &'static str, method: HttpMethod, path: String, body: String) -> HttpRequest {
    let credential = SecretString::from(account.credentials["key"].expose_secret().to_owned());
    HttpRequest { name, method, path, credential_header: "x-toy-key", credential, headers: vec![], body }
}

fn page(target: &Target) -> Result<String, Fail> {
    let page = target.refs.session.as_ref().ok_or_else(|| Fail::Unsupported("the page is not known".to_owned()))?;
    Ok(format!("/pages/{page}"))
}

fn text(value: &Value) -> Result<String, Fail> {
    value.as_str().map(str::to_owned).ok_or_else(|| Fail::Unsure("a text is missing".to_owned()))
}

fn opened(account: &Account, page: &Value) -> Result<Outcome, Fail> {
    let id = text(&page["id"])?;
    let handoff = match account.credentials["way"].expose_secret() {
        "form" => {
            let fields = page["fields"].as_object().into_iter().flatten();
            let fields = fields.map(|(name, value)| Ok((name.clone(), text(value)?))).collect::<Result<_, Fail>>()?;
            Handoff::FormPost { url: text(&page["action"])?, fields }
        }
        "scan" => Handoff::Code { payload: format!("toy-code-{id}"), form: CodeForm::Scan },
        _ => Handoff::Code { payload: format!("toyapp://pay/{id}"), form: CodeForm::AppLink },
    };
    let refs = Refs { session: Some(id), payment: None };
    Ok(Outcome::Opened { refs, handoff, until: None })
}

fn seen(page: &Value, now: Millis) -> Result<Observation, Fail> {
    let id = text(&page["id"])?;
    let odd = || Fail::Unsure("the amount makes no sense".to_owned());
    let currency = page["currency"].as_str().and_then(|code| code.parse().ok()).ok_or_else(odd)?;
    let debt = Money::new(page["amount"].as_i64().ok_or_else(odd)?, currency);
    let paid = page["status"] == "paid";
    let mut news = match page["status"].as_str() {
        Some("paid") => [Movement::Authorised { total: debt.minor }, Movement::Captured { total: debt.minor }]
            .map(News::Moved)
            .into(),
        Some("closed") => vec![News::Closed(CloseReason::Expired)],
        _ => vec![News::Step(Step::Waiting)],
    };
    for refund in page["refunds"].as_array().into_iter().flatten() {
        news.push(News::Moved(movement(refund)?));
    }
    let refs = Refs { payment: paid.then(|| format!("pay_{id}")), session: Some(id) };
    Ok(Observation { at: now, refs, debt: Some(debt), news, ..Observation::default() })
}

fn movement(refund: &Value) -> Result<Movement, Fail> {
    let amount = refund["amount"].as_i64().unwrap_or_default();
    Ok(Movement::Refund { reference: text(&refund["id"])?, amount, state: EntryState::Succeeded })
}

fn refunded(refund: &Value, target: &Target, id: &ModificationId, now: Millis) -> Result<Observation, Fail> {
    let news = vec![News::Moved(movement(refund)?)];
    let currency = Some(target.amount.currency);
    Ok(Observation { at: now, currency, modification: Some(id.clone()), news, ..Observation::default() })
}
