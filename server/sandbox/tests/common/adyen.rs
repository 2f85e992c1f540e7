//! Helpers for the tests of the Adyen simulator.

use axum::body::Bytes;
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Receiver, Server, read};

pub const KEY: &str = "test_rusttests0001";
pub const HMAC: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
pub const GOOD: &str = "number=4111111111111111&expiry=03/30&cvc=737&holderName=";

impl Server {
    /// A call of the Adyen API: status, headers, body.
    pub async fn adyen(
        &self,
        method: Method,
        path: &str,
        body: Value,
        more: &[(&str, &str)],
    ) -> (u16, HeaderMap, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut headers = vec![("x-api-key", KEY), ("content-type", "application/json")];
        headers.extend_from_slice(more);
        let reply = self.bare(method, &format!("/adyen/v72/{path}"), &text, &headers).await;
        let headers = reply.headers().clone();
        let (status, body) = read(reply).await;
        (status, headers, body)
    }

    pub async fn adyen_post(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, _, body) = self.adyen(Method::POST, path, body, &[]).await;
        (status, body)
    }

    /// A payment link over €25.98; `more` replaces or adds fields.
    pub async fn link(&self, more: Value) -> Value {
        let (status, body) = self.adyen_post("paymentLinks", order(more)).await;
        assert_eq!(status, 201, "{body}");
        body
    }

    /// Pays a new link with a holder's name. Returns the payment as the control API reports it.
    pub async fn paid(&self, more: Value, holder: &str) -> Value {
        let id = self.link(more).await["id"].as_str().unwrap().to_owned();
        self.submit(&format!("/adyen/pay/{id}"), &format!("{GOOD}{holder}")).await;
        self.payments_of(&id).await.remove(0)
    }

    /// The payments of a link or session, newest first.
    pub async fn payments_of(&self, checkout: &str) -> Vec<Value> {
        let (_, body) = self.get(&format!("/_control/adyen/payments?checkout={checkout}")).await;
        body["payments"].as_array().unwrap().clone()
    }

    pub async fn payment(&self, psp: &str) -> Value {
        let (_, body) = self.get(&format!("/_control/adyen/payments?psp={psp}")).await;
        body["payments"][0].clone()
    }

    /// Requests a modification and waits until it is carried out.
    pub async fn modify(&self, psp: &str, action: &str, amount: Option<i64>) -> Value {
        let mut body = json!({"merchantAccount": "TillDemo", "reference": format!("{action}-1")});
        if let Some(value) = amount {
            body["amount"] = json!({"value": value, "currency": "EUR"});
        }
        let (status, reply) = self.adyen_post(&format!("payments/{psp}/{action}"), body).await;
        assert_eq!((status, &reply["status"]), (201, &"received".into()), "{reply}");
        self.control("/_control/advance", r#"{"seconds":1}"#).await;
        reply
    }

    /// The events about a payment, oldest first: code, success, amount, pspReference.
    pub async fn notices(&self, psp: &str) -> Vec<Value> {
        let (_, body) = self.get(&format!("/_control/adyen/notifications?psp={psp}")).await;
        let rows = body["notifications"].as_array().unwrap().iter().rev();
        rows.map(|row| row["item"].clone()).collect()
    }

    /// Code and success of the events about a payment, oldest first.
    pub async fn story(&self, psp: &str) -> Vec<String> {
        let told =
            |item: &Value| format!("{} {}", item["eventCode"].as_str().unwrap(), item["success"].as_str().unwrap());
        self.notices(psp).await.iter().map(told).collect()
    }

    /// Sends the account's notifications to a receiver.
    pub async fn notify(&self, receiver: &Receiver) {
        let body =
            json!({"account": KEY, "url": receiver.url, "hmac_key": HMAC, "username": "till", "password": "s3cret"});
        self.control("/_control/adyen/endpoint", &body.to_string()).await;
    }
}

pub fn order(more: Value) -> Value {
    let mut body = json!({
        "merchantAccount": "TillDemo",
        "reference": "order-17",
        "amount": {"value": 2598, "currency": "EUR"},
        "returnUrl": "https://shop.example/back?order=17",
        "metadata": {"order": "17"},
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The items of a delivery.
pub fn items(got: &(HeaderMap, Bytes)) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&got.1).unwrap();
    assert_eq!(body["live"], "false");
    let list = body["notificationItems"].as_array().unwrap().iter();
    list.map(|item| item["NotificationRequestItem"].clone()).collect()
}

/// Whether an item's signature is right, computed independently of the simulator's own code.
pub fn verified(item: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let signed = [
        &item["pspReference"],
        &item["originalReference"],
        &item["merchantAccountCode"],
        &item["merchantReference"],
        &item["amount"]["value"],
        &item["amount"]["currency"],
        &item["eventCode"],
        &item["success"],
    ]
    .map(text)
    .join(":");
    let mut mac = Hmac::<Sha256>::new_from_slice(&hex::decode(HMAC).unwrap()).unwrap();
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes()) == item["additionalData"]["hmacSignature"].as_str().unwrap()
}
