//! Requests to Stripe and what their replies mean.

use domain::method::Method as PaymentMethod;
use domain::payment::{Capture, Handoff, Refs};
use domain::{MINUTE, Millis, SECOND};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::amount::to_stripe;
use super::form::Form;
use super::object::{ATTEMPT, CAPTURE, Expandable, List, Session};
use super::{API_VERSION, SECRET_KEY, event, modify, news};
use crate::connector::{Account, Fail, OpenSpec, Operation, Outcome, Target, Wire};
use crate::http::{HttpRequest, HttpResponse};

const CREATE: &str = "checkout.sessions.create";
const RETRIEVE: &str = "checkout.sessions.retrieve";
const EXPIRE: &str = "checkout.sessions.expire";
const LIST: &str = "checkout.sessions.list";
/// How far Stripe's clock may be behind ours when sessions are looked for.
const SEARCH_MARGIN: Millis = 5 * MINUTE;
/// The languages of Stripe's page that we may ask for; without one it follows the browser (API reference, Checkout Sessions).
const LOCALES: &[&str] = &[
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fil", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh",
];
/// Characters of a provider's message that are kept.
const MESSAGE_CHARS_MAX: usize = 300;
/// How long to wait after a 429 that names no time.
const RATE_LIMIT_WAIT: Millis = 2 * SECOND;

pub(super) fn begin(account: &Account, operation: &Operation, key: &str) -> Result<HttpRequest, Fail> {
    match operation {
        Operation::Open(spec) => post(account, CREATE, "/v1/checkout/sessions".to_owned(), open_form(spec)?, Some(key)),
        Operation::Fetch(target) => retrieve(account, target),
        Operation::Close(target) => {
            let path = format!("/v1/checkout/sessions/{}/expire", session_ref(target)?);
            // Expiring twice does no harm, and a key would make Stripe repeat a stored error for a day.
            post(account, EXPIRE, path, String::new(), None)
        }
        Operation::Find(target) => search(account, target, None),
        Operation::Modify(spec) => modify::begin(account, spec, key),
        Operation::FindModification(spec) => modify::find(account, spec),
        Operation::Events(spec) => event::list(account, spec),
    }
}

pub(super) fn resume(
    account: &Account,
    operation: &Operation,
    sent: &HttpRequest,
    reply: &HttpResponse,
    now: Millis,
) -> Result<Wire, Fail> {
    match operation {
        Operation::Modify(spec) => return modify::resume(account, spec, sent, reply, now),
        Operation::FindModification(spec) => return modify::found(spec, reply, now),
        Operation::Events(_) => return event::listed(reply),
        Operation::Find(target) if sent.name == LIST => return found(account, target, reply),
        _ => {}
    }
    if let (Operation::Close(target), EXPIRE, 400 | 404 | 409 | 500..) = (operation, sent.name, reply.status) {
        // It is no longer open, or the answer proves nothing: what it has become decides.
        return retrieve(account, target).map(Wire::Send);
    }
    let session: Session = success(reply)?;
    if matches!(operation, Operation::Find(_)) && session.status.as_deref() == Some("open") {
        return opened(session).map(Wire::Done);
    }
    let intent_is_odd = matches!(&session.payment_intent, Some(Expandable::Object(intent)) if intent.has_odd_amount());
    if session.has_odd_amount() || intent_is_odd {
        return Err(Fail::Unsure("the amount or the currency makes no sense".to_owned()));
    }
    if matches!(operation, Operation::Close(_)) && session.status.as_deref() == Some("open") {
        return Err(Fail::Unsure("the page is still open".to_owned()));
    }
    match operation {
        Operation::Open(_) => opened(session),
        _ => Ok(Outcome::Observed(news::of_session(&session, now))),
    }
    .map(Wire::Done)
}

fn opened(session: Session) -> Result<Outcome, Fail> {
    let url = session.url.ok_or_else(|| Fail::Unsure("the session has no url".to_owned()))?;
    let until = session.expires_at.and_then(|seconds| seconds.checked_mul(SECOND));
    let refs = Refs { session: Some(session.id), payment: None };
    Ok(Outcome::Opened { refs, handoff: Handoff::Redirect { url }, until })
}

/// Sessions made since the attempt was, newest first. Stripe's clock may be some minutes off ours.
fn search(account: &Account, target: &Target, after: Option<&str>) -> Result<HttpRequest, Fail> {
    let since = (target.created - SEARCH_MARGIN) / SECOND;
    let cursor = after.map_or_else(String::new, |id| format!("&starting_after={id}"));
    let path = format!("/v1/checkout/sessions?limit=100&created[gte]={since}{cursor}");
    request(account, LIST, Method::GET, path, String::new())
}

fn found(account: &Account, target: &Target, reply: &HttpResponse) -> Result<Wire, Fail> {
    let page: List<Session> = success(reply)?;
    let ours = |session: &&Session| session.client_reference_id.as_deref() == Some(target.attempt.as_str());
    if let Some(session) = page.data.iter().find(ours) {
        let refs = Refs { session: Some(session.id.clone()), payment: None };
        return retrieve(account, &Target { refs, ..target.clone() }).map(Wire::Send);
    }
    match page.data.last().filter(|_| page.has_more) {
        Some(last) => search(account, target, Some(&last.id)).map(Wire::Send),
        None => Ok(Wire::Done(Outcome::NotFound)),
    }
}

fn session_ref(target: &Target) -> Result<&str, Fail> {
    let reference = target.refs.session.as_deref();
    reference.ok_or_else(|| Fail::Unsupported("the attempt has no Checkout Session yet".to_owned()))
}

fn retrieve(account: &Account, target: &Target) -> Result<HttpRequest, Fail> {
    let path = format!("/v1/checkout/sessions/{}?expand[]=payment_intent", session_ref(target)?);
    request(account, RETRIEVE, Method::GET, path, String::new())
}

/// Metadata is not copied from the session to the intent, so our reference goes to both.
fn open_form(spec: &OpenSpec) -> Result<String, Fail> {
    let attempt = spec.attempt.as_str();
    let mut form = Form::new()
        .set("mode", "payment")
        .set("success_url", &spec.return_url)
        .set("cancel_url", &spec.cancel_url)
        .set("client_reference_id", attempt)
        .set("expires_at", spec.until / SECOND)
        .set("payment_method_types[0]", method_name(spec.method))
        .set_some("locale", spec.lang.as_deref().filter(|lang| LOCALES.contains(lang)))
        .set(&format!("metadata[{ATTEMPT}]"), attempt)
        .set(&format!("payment_intent_data[metadata][{ATTEMPT}]"), attempt);
    if spec.capture == Capture::Manual {
        form = form.set(&format!("metadata[{CAPTURE}]"), "manual").set("payment_intent_data[capture_method]", "manual");
    }
    for (index, line) in spec.lines.iter().enumerate() {
        let at = |field: &str| format!("line_items[{index}]{field}");
        let description = line.description.as_deref().filter(|text| !text.is_empty());
        form = form
            .set(&at("[quantity]"), line.quantity)
            .set(&at("[price_data][currency]"), line.unit.currency.code().to_ascii_lowercase())
            .set(&at("[price_data][unit_amount]"), to_stripe(line.unit)?)
            .set(&at("[price_data][product_data][name]"), &line.name)
            .set_some(&at("[price_data][product_data][description]"), description);
    }
    Ok(form.finish())
}

fn method_name(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => "card",
        PaymentMethod::BankDebit => "us_bank_account",
    }
}

pub(super) fn post(
    account: &Account,
    name: &'static str,
    path: String,
    body: String,
    key: Option<&str>,
) -> Result<HttpRequest, Fail> {
    let mut request = request(account, name, Method::POST, path, body)?;
    request.headers.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
    request.headers.extend(key.map(|key| ("Idempotency-Key", key.to_owned())));
    Ok(request)
}

pub(super) fn request(
    account: &Account,
    name: &'static str,
    method: Method,
    path: String,
    body: String,
) -> Result<HttpRequest, Fail> {
    let secret = account.credentials.get(SECRET_KEY);
    let secret = secret.ok_or_else(|| Fail::Unauthorized("the account has no secret key".to_owned()))?;
    let credential = SecretString::from(format!("Bearer {}", secret.expose_secret()));
    let headers = vec![("Stripe-Version", API_VERSION.to_owned())];
    Ok(HttpRequest { name, method, path, credential_header: "authorization", credential, headers, body })
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

pub(super) fn success<T: serde::de::DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fail> {
    succeeded(reply)?;
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fail::Unsure(format!("status {} with an unreadable body: {error}", reply.status)))
}

/// What a reply without success means.
pub(super) fn succeeded(reply: &HttpResponse) -> Result<(), Fail> {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    let detail = serde_json::from_slice::<ErrorBody>(&reply.body).ok().map(|body| body.error);
    let text = describe(reply.status, detail.as_ref());
    Err(match (reply.status, detail) {
        (401 | 403, Some(_)) => Fail::Unauthorized(text),
        (429, _) => Fail::RateLimited(retry_after(reply)),
        // 409: another request with our key is running. 5xx, or anything that is not Stripe's: nothing is certain.
        // The key was used for another request, whatever became of that.
        (400, Some(detail)) if detail.kind.as_deref() == Some("idempotency_error") => Fail::Unsure(text),
        (400 | 402 | 404, Some(_)) => Fail::Refused(text),
        _ => Fail::Unsure(text),
    })
}

fn describe(status: u16, detail: Option<&ErrorDetail>) -> String {
    let code = detail.and_then(|detail| detail.code.as_deref()).unwrap_or("-");
    let message = detail.and_then(|detail| detail.message.as_deref()).unwrap_or("no explanation");
    format!("status {status}, {code}: {message}").chars().take(MESSAGE_CHARS_MAX).collect()
}

fn retry_after(reply: &HttpResponse) -> Millis {
    let header = reply.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = header.and_then(|value| value.parse::<i64>().ok());
    seconds.map_or(RATE_LIMIT_WAIT, |seconds| seconds.clamp(1, 3600) * SECOND)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use domain::id::{AttemptId, ProviderAccountId};
    use domain::line::Line;
    use domain::money::Money;
    use domain::payment::{CloseReason, Movement, News};
    use http::HeaderMap;

    use super::*;

    fn account() -> Account {
        Account {
            id: ProviderAccountId::from_random([1; 16]),
            base_url: "http://127.0.0.1:3400".into(),
            live: false,
            credentials: BTreeMap::from([(SECRET_KEY.to_owned(), SecretString::from("sk_test_x"))]),
            webhook_secrets: vec![],
        }
    }

    fn open(minor: i64, currency: &str) -> Operation {
        let unit = Money::new(minor, currency.parse().unwrap());
        Operation::Open(Box::new(OpenSpec {
            attempt: AttemptId::from_random([7; 16]),
            amount: unit,
            lines: vec![Line { name: "Tea & cake".into(), description: None, unit, quantity: 1 }],
            method: PaymentMethod::Card,
            capture: Capture::Automatic,
            until: 1_800_000_000_999,
            return_url: "http://127.0.0.1:3000/c/t/return".into(),
            cancel_url: "http://127.0.0.1:3000/c/t".into(),
            lang: Some("de".into()),
        }))
    }

    fn reply(status: u16, body: &str) -> HttpResponse {
        HttpResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn resumed(operation: &Operation, name: &'static str, status: u16, body: &str) -> Result<Wire, Fail> {
        let sent = request(&account(), name, Method::POST, String::new(), String::new()).unwrap();
        resume(&account(), operation, &sent, &reply(status, body), 5)
    }

    fn target() -> Target {
        let refs = Refs { session: Some("cs_test_1".into()), payment: None };
        let amount = Money::new(1099, "EUR".parse().unwrap());
        Target { attempt: AttemptId::from_random([7; 16]), refs, amount, capture: Capture::Automatic, created: 600_000 }
    }

    #[test]
    fn a_session_is_opened_with_our_reference_key_and_version() {
        let request = begin(&account(), &open(1099, "EUR"), "att:open").unwrap();
        let attempt = AttemptId::from_random([7; 16]);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/checkout/sessions"));
        assert!(request.headers.contains(&("Idempotency-Key", "att:open".to_owned())));
        assert!(request.headers.contains(&("Stripe-Version", API_VERSION.to_owned())));
        for part in [
            format!("client_reference_id={attempt}"),
            format!("payment_intent_data%5Bmetadata%5D%5Btill_attempt%5D={attempt}"),
            "expires_at=1800000000&".to_owned(),
            "locale=de".to_owned(),
            "unit_amount%5D=1099".to_owned(),
            "currency%5D=eur".to_owned(),
            "name%5D=Tea+%26+cake".to_owned(),
        ] {
            assert!(request.body.contains(&part), "{part} in {}", request.body);
        }
    }

    #[test]
    fn a_currency_stripe_does_not_take_is_refused_before_sending() {
        assert!(matches!(begin(&account(), &open(1, "KPW"), "k"), Err(Fail::Unsupported(_))));
    }

    #[test]
    fn the_open_page_is_read_from_the_reply() {
        let body = r#"{"id":"cs_test_1","url":"https://pay.example/1","status":"open","expires_at":9}"#;
        let Ok(Wire::Done(Outcome::Opened { refs, handoff, until })) = resumed(&open(1, "EUR"), CREATE, 200, body)
        else {
            panic!("not opened")
        };
        assert_eq!(refs.session.as_deref(), Some("cs_test_1"));
        assert_eq!(handoff, Handoff::Redirect { url: "https://pay.example/1".into() });
        assert_eq!(until, Some(9_000));
    }

    #[test]
    fn errors_say_whether_anything_was_done() {
        let error = r#"{"error":{"type":"x","code":"c","message":"m"}}"#;
        let fail = |status, body| resumed(&open(1, "EUR"), CREATE, status, body).unwrap_err();
        assert_eq!(fail(400, error), Fail::Refused("status 400, c: m".into()));
        assert!(matches!(fail(401, error), Fail::Unauthorized(_)));
        assert_eq!(fail(429, error), Fail::RateLimited(RATE_LIMIT_WAIT));
        for (status, body) in [(500, error), (409, error), (502, "<html>"), (400, "<html>"), (200, "{"), (301, "")] {
            assert!(!fail(status, body).is_definite(), "{status} {body}");
        }
    }

    #[test]
    fn closing_what_is_no_longer_open_asks_what_it_became() {
        let close = Operation::Close(target());
        let error = r#"{"error":{"message":"Only Checkout Sessions with a status in [\"open\"] can be expired."}}"#;
        let Ok(Wire::Send(next)) = resumed(&close, EXPIRE, 400, error) else { panic!("no second request") };
        assert_eq!(next.path, "/v1/checkout/sessions/cs_test_1?expand[]=payment_intent");
        let paid = r#"{"id":"cs_test_1","status":"complete","payment_status":"paid","amount_total":1099,
            "currency":"eur","payment_intent":{"id":"pi_1","status":"succeeded","amount":1099,
            "amount_received":1099,"currency":"eur"}}"#;
        let Ok(Wire::Done(Outcome::Observed(seen))) = resumed(&close, RETRIEVE, 200, paid) else { panic!("no news") };
        assert!(seen.news.contains(&News::Moved(Movement::Captured { total: 1099 })));
        assert_eq!(seen.refs.payment.as_deref(), Some("pi_1"));
    }

    #[test]
    fn a_debit_that_failed_is_closed_even_if_its_webhook_is_missing() {
        let body = r#"{"id":"cs_test_1","status":"complete","payment_status":"unpaid","amount_total":1099,
            "currency":"usd","payment_intent":{"id":"pi_1","status":"requires_payment_method","amount":1099,
            "currency":"usd","last_payment_error":{"code":"insufficient_funds"}}}"#;
        let Ok(Wire::Done(Outcome::Observed(seen))) = resumed(&Operation::Fetch(target()), RETRIEVE, 200, body) else {
            panic!("no news")
        };
        assert!(seen.news.contains(&News::Closed(CloseReason::Failed)), "{:?}", seen.news);
    }

    #[test]
    fn an_amount_that_makes_no_sense_is_not_overlooked() {
        for (amount, currency) in [("50050", "isk"), ("1099", "zzz")] {
            let body = format!(
                r#"{{"id":"cs_1","status":"complete","payment_status":"paid","amount_total":{amount},"currency":"{currency}"}}"#
            );
            assert!(matches!(resumed(&Operation::Fetch(target()), RETRIEVE, 200, &body), Err(Fail::Unsure(_))));
        }
    }

    #[test]
    fn a_page_that_is_still_open_has_not_been_closed() {
        let close = Operation::Close(target());
        assert!(matches!(resumed(&close, EXPIRE, 500, "oops"), Ok(Wire::Send(_))));
        let body = r#"{"id":"cs_test_1","status":"open","payment_status":"unpaid","amount_total":1,"currency":"eur"}"#;
        assert!(matches!(resumed(&close, RETRIEVE, 200, body), Err(Fail::Unsure(_))));
    }

    #[test]
    fn an_attempt_is_found_by_our_reference_page_by_page() {
        let find = Operation::Find(target());
        let first = begin(&account(), &find, "k").unwrap();
        assert_eq!(first.path, "/v1/checkout/sessions?limit=100&created[gte]=300");
        let other = r#"{"has_more":true,"data":[{"id":"cs_9","client_reference_id":"x"}]}"#;
        let Ok(Wire::Send(next)) = resumed(&find, LIST, 200, other) else { panic!("no second page") };
        assert!(next.path.ends_with("&starting_after=cs_9"), "{}", next.path);
        let ours =
            format!(r#"{{"has_more":false,"data":[{{"id":"cs_7","client_reference_id":"{}"}}]}}"#, target().attempt);
        let Ok(Wire::Send(next)) = resumed(&find, LIST, 200, &ours) else { panic!("not looked at") };
        assert!(next.path.starts_with("/v1/checkout/sessions/cs_7?"), "{}", next.path);
        let open = r#"{"id":"cs_7","url":"https://pay.example/7","status":"open","expires_at":9}"#;
        assert!(matches!(resumed(&find, RETRIEVE, 200, open), Ok(Wire::Done(Outcome::Opened { .. }))));
        let none = r#"{"has_more":false,"data":[]}"#;
        assert!(matches!(resumed(&find, LIST, 200, none), Ok(Wire::Done(Outcome::NotFound))));
        assert!(!resumed(&find, LIST, 500, "x").unwrap_err().is_definite());
    }

    #[test]
    fn a_closed_page_is_closed() {
        let body =
            r#"{"id":"cs_test_1","status":"expired","payment_status":"unpaid","amount_total":1,"currency":"eur"}"#;
        let Ok(Wire::Done(Outcome::Observed(seen))) = resumed(&Operation::Close(target()), EXPIRE, 200, body) else {
            panic!("no news")
        };
        assert_eq!(seen.news, vec![News::Closed(CloseReason::Expired)]);
    }
}
