//! Sends HTTP requests to the servers, and sets the simulator's switches.

use axum::http::Method;
use connectors::{HttpRequest, HttpResponse};
use engine::Transport;
use serde_json::Value;

use super::World;

impl World {
    /// Sets a switch of the sandbox.
    pub async fn control(&self, path: &str, body: Value) {
        let (url, body) = (format!("{}/_control/{path}", self.sandbox), body.to_string());
        let reply = self.send(Method::POST, &url, "application/json", &body, &[]).await;
        assert!(reply.status < 300, "{path} {body}: {}", String::from_utf8_lossy(&reply.body));
    }

    /// Turns every fault of the sandbox off.
    pub async fn forget_faults(&self) {
        let url = format!("{}/_control/faults", self.sandbox);
        assert!(self.send(Method::DELETE, &url, "", "", &[]).await.status < 300);
    }

    /// The sandbox's record of the requests of one operation.
    pub async fn calls(&self, operation: &str) -> Vec<Value> {
        let url = format!("{}/_control/calls?account={}&operation={operation}", self.sandbox, self.secret_key);
        let reply = self.send(Method::GET, &url, "", "", &[]).await;
        let calls: Value = serde_json::from_slice(&reply.body).unwrap();
        let calls = calls.get("data").or_else(|| calls.get("calls")).unwrap_or(&calls);
        calls.as_array().unwrap_or_else(|| panic!("no list of calls: {calls}")).clone()
    }

    /// An object or list of the provider's API.
    pub async fn provider(&self, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.secret_key);
        let reply =
            self.send(Method::GET, &format!("{}{path}", self.sandbox), "", "", &[("authorization", &bearer)]).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    pub async fn get(&self, url: &str) -> HttpResponse {
        self.send(Method::GET, url, "", "", &[("accept", "text/html")]).await
    }

    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> HttpResponse {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, url, "application/x-www-form-urlencoded", &body, &[("accept", "text/html")]).await
    }

    pub async fn send(
        &self,
        method: Method,
        url: &str,
        content_type: &str,
        body: &str,
        headers: &[(&'static str, &str)],
    ) -> HttpResponse {
        let mut headers: Vec<(std::borrow::Cow<'static, str>, String)> =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect();
        let authorization = match headers.iter().position(|(name, _)| *name == "authorization") {
            Some(at) => headers.remove(at).1,
            None => String::new(),
        };
        if !content_type.is_empty() {
            headers.push(("content-type".into(), content_type.to_owned()));
        }
        let request = HttpRequest {
            name: "test",
            method,
            path: String::new(),
            credential_header: "authorization",
            credential: authorization.into(),
            headers,
            body: body.to_owned(),
        };
        self.http.send(url, &request).await.unwrap()
    }
}
