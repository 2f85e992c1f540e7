//! The toy's own server. It keeps its own books, and shares no code with the connector.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A running toy.
pub struct Provider {
    pub url: String,
    state: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    url: String,
    pages: Vec<Value>,
    calls: Vec<String>,
    /// How many changes will be made without a reply.
    lost: u32,
    /// How many changes will be dropped without an error.
    dropped: u32,
    /// Events that the toy will confirm as its own.
    events: Vec<String>,
    /// Whether the toy confirms deliveries.
    verifies: bool,
}

impl Provider {
    pub async fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Provider::serve(format!("http://{}", listener.local_addr().unwrap()), listener)
    }

    /// Starts the toy on a given listener.
    pub fn serve<L>(url: String, listener: L) -> Provider
    where
        L: axum::serve::Listener,
        L::Addr: std::fmt::Debug,
    {
        let books = Books { url: url.clone(), verifies: true, ..Books::default() };
        let state = Arc::new(Mutex::new(books));
        let router = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Provider { url, state }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn lose_replies(&self, count: u32) {
        self.books().lost = count;
    }

    pub fn drop_requests(&self, count: u32) {
        self.books().dropped = count;
    }

    pub fn can_verify(&self, verifies: bool) {
        self.books().verifies = verifies;
    }

    /// How often a request was made, such as `GET /pages/p1`.
    pub fn calls(&self, call: &str) -> usize {
        self.books().calls.iter().filter(|known| *known == call).count()
    }

    /// The id of the newest page.
    pub fn page(&self) -> String {
        self.books().pages.last().expect("a page was made")["id"].as_str().unwrap().to_owned()
    }

    /// Repeats a creation, as if the request had been on its way for long.
    pub fn late(&self, reference: &str, amount: i64) {
        let asked = json!({"reference": reference, "amount": amount, "currency": "EUR"}).to_string();
        let answered = self.books().answer(&Method::POST, &Uri::from_static("/pages"), asked.as_bytes());
        answered.expect("a page is made");
    }

    /// A shopper pays, even if the page has been closed meanwhile.
    pub fn pay(&self, page: &str) {
        *self.books().find(page).expect("the page is there").get_mut("status").unwrap() = json!("paid");
    }

    /// A refund in the toy's own dashboard.
    pub fn refund(&self, page: &str, amount: i64) {
        self.books().refund(page, amount, "dashboard");
    }

    /// The refunds of a page.
    pub fn refunds(&self, page: &str) -> usize {
        self.books().find(page).unwrap()["refunds"].as_array().unwrap().len()
    }

    /// An event with a page's present state, which the toy will confirm.
    pub fn event(&self, page: &str) -> Value {
        let mut books = self.books();
        let event = json!({"event": format!("e{}", books.events.len()), "page": books.find(page).unwrap().clone()});
        books.events.push(event.to_string());
        event
    }
}

async fn answer(State(state): State<Arc<Mutex<Books>>>, method: Method, uri: Uri, body: Bytes) -> (StatusCode, String) {
    let mut books = state.lock().unwrap_or_else(PoisonError::into_inner);
    books.calls.push(format!("{method} {}", uri.path()));
    let changes = method == Method::POST && uri.path() != "/verify" && uri.path() != "/pay";
    let failed = || (StatusCode::INTERNAL_SERVER_ERROR, String::new());
    if uri.path() == "/verify" && !books.verifies {
        return failed();
    }
    if changes && books.dropped > 0 {
        books.dropped -= 1;
        return failed();
    }
    let reply = books.answer(&method, &uri, &body);
    if changes && books.lost > 0 {
        books.lost -= 1;
        return failed();
    }
    reply.map_or((StatusCode::NOT_FOUND, String::new()), |reply| (StatusCode::OK, reply.to_string()))
}

impl Books {
    fn find(&mut self, id: &str) -> Option<&mut Value> {
        self.pages.iter_mut().find(|page| page["id"] == id)
    }

    fn refund(&mut self, page: &str, amount: i64, reference: &str) -> Option<Value> {
        let count = self.pages.iter().map(|page| page["refunds"].as_array().map_or(0, Vec::len)).sum::<usize>();
        let refund = json!({"id": format!("r{count}"), "reference": reference, "amount": amount});
        self.find(page)?["refunds"].as_array_mut()?.push(refund.clone());
        Some(refund)
    }

    fn answer(&mut self, method: &Method, uri: &Uri, body: &[u8]) -> Option<Value> {
        let path: Vec<_> = uri.path().split('/').skip(1).collect();
        let asked = || serde_json::from_slice::<Value>(body).ok();
        match (method.as_str(), path.as_slice()) {
            ("POST", ["pages"]) => {
                let (asked, id) = (asked()?, format!("p{}", self.pages.len()));
                let mut page = json!({"id": id, "status": "open", "refunds": [], "action": format!("{}/pay", self.url),
                    "fields": {"page": id, "sum": "\"1\"&2"}, "token": "oauth-token-of-the-toy"});
                for name in ["reference", "amount", "currency"] {
                    page[name] = asked[name].clone();
                }
                self.pages.push(page.clone());
                Some(page)
            }
            ("GET", ["pages"]) => {
                let wanted = uri.query()?.strip_prefix("reference=")?;
                Some(self.pages.iter().filter(|page| page["reference"] == wanted).cloned().collect())
            }
            ("GET", ["pages", id]) => self.find(id).cloned(),
            ("POST", ["pages", id, "close"]) => {
                let page = self.find(id)?;
                if page["status"] == "open" {
                    page["status"] = json!("closed");
                }
                Some(page.clone())
            }
            ("POST", ["pages", id, "refunds"]) => {
                let asked = asked()?;
                self.refund(id, asked["amount"].as_i64()?, asked["reference"].as_str()?)
            }
            ("POST", ["pay"]) => {
                let form: Vec<_> = url::form_urlencoded::parse(body).into_owned().collect();
                let sum = form.iter().any(|(name, value)| name == "sum" && value == "\"1\"&2");
                let (_, id) = form.iter().find(|(name, _)| name == "page" && sum)?.clone();
                self.find(&id)?["status"] = json!("paid");
                Some(json!({}))
            }
            ("POST", ["verify"]) => {
                let genuine = self.events.iter().any(|event| event.as_bytes() == body);
                Some(json!({"genuine": genuine}))
            }
            _ => None,
        }
    }
}
