//! The page as the island sees it.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlInputElement, Location, Window};

use crate::actions::Status;

/// The message about a failed action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No message.
    None,
    /// The action's outcome is not known.
    Unknown,
    /// The action failed; the page shows the present state.
    Over,
}

/// The parts of the page that are read or changed.
pub(super) struct Page {
    pub window: Window,
    pub document: Document,
    main: HtmlElement,
    live: HtmlElement,
}

impl Page {
    pub fn find() -> Option<Page> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let find = |id| document.get_element_by_id(id)?.dyn_into().ok();
        Some(Page { main: find("panel")?, live: find("live")?, window, document })
    }

    pub fn data(&self, name: &str) -> Option<String> {
        self.main.dataset().get(name)
    }

    pub fn token(&self) -> String {
        self.data("token").unwrap_or_default()
    }

    /// Whether the page is a link's. A link's page has no stored session that could change.
    pub fn is_link(&self) -> bool {
        self.data("link").is_some()
    }

    /// The part of the page's address before the token.
    pub fn place(&self) -> &'static str {
        if self.is_link() { "l" } else { "c" }
    }

    /// Turns a link's page into the page of the session that the shopper has begun there. The browser's history then leads back to that
    /// session; the link's address could begin another session.
    pub fn become_session(&self, token: &str) {
        let data = self.main.dataset();
        let _ = data.set("token", token);
        data.delete("link");
        if let Some(field) = self.query_one("[name=token]") {
            let _ = field.set_attribute("value", token);
        }
        if let Ok(history) = self.window.history() {
            let address = format!("/c/{token}{}", self.query());
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
        }
    }

    pub fn came_back(&self) -> bool {
        self.data("cameBack").is_some()
    }

    pub fn is_changing(&self) -> bool {
        self.data("changing").is_some()
    }

    pub fn lang(&self) -> String {
        let root = self.document.document_element();
        root.and_then(|root| root.get_attribute("lang")).unwrap_or_default()
    }

    /// The query that keeps the language, if the address has one.
    pub fn query(&self) -> String {
        let query = self.location().search().unwrap_or_default();
        let is_language = query.starts_with("?lang=") && !query.contains('&');
        if is_language { query } else { String::new() }
    }

    pub fn location(&self) -> Location {
        self.window.location()
    }

    /// Milliseconds since the page was requested.
    pub fn now(&self) -> i64 {
        self.window.performance().map_or(0, |clock| clock.now() as i64)
    }

    pub fn query_one(&self, selector: &str) -> Option<Element> {
        self.live.query_selector(selector).ok()?
    }

    pub fn mark_ready(&self) {
        if let Some(root) = self.document.document_element() {
            let _ = root.set_attribute("data-ready", "true");
        }
    }

    /// Shows one of the messages about a failed action, or hides them.
    pub fn say_trouble(&self, said: Trouble) {
        for (id, means) in [("trouble", Trouble::Unknown), ("setback", Trouble::Over)] {
            if let Some(text) = self.document.get_element_by_id(id) {
                let _ = text.toggle_attribute_with_force("hidden", said != means);
            }
        }
    }

    /// Whether the page says that the outcome of an action is not known.
    pub fn is_troubled(&self) -> bool {
        let trouble = self.document.get_element_by_id("trouble");
        trouble.is_some_and(|text| !text.has_attribute("hidden"))
    }

    /// Shows the server's status if its mark is new, and returns the text to announce.
    pub fn show(&self, status: &Status) -> Option<String> {
        let data = self.main.dataset();
        if data.get("mark").as_deref() == Some(status.mark.as_str()) {
            return None;
        }
        let is_outcome = status.settled && data.get("phase").as_deref() != Some(status.phase.as_str());
        self.swap(&status.html, is_outcome);
        self.document.set_title(&status.title);
        let _ = data.set("mark", &status.mark);
        let _ = data.set("phase", &status.phase);
        self.set_flag("data-changing", status.changing);
        self.set_flag("data-settled", status.settled);
        // A heading that receives focus is read out without an announcement.
        (!is_outcome).then(|| self.announcement())
    }

    fn announcement(&self) -> String {
        [".notice", "h1", ".ends"]
            .iter()
            .filter_map(|selector| self.query_one(selector)?.text_content())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn set_flag(&self, name: &str, is_set: bool) {
        let _ = match is_set {
            true => self.main.set_attribute(name, "true"),
            false => self.main.remove_attribute(name),
        };
    }

    /// Replaces the live region, then restores the chosen method and the focus.
    fn swap(&self, html: &str, is_outcome: bool) {
        let focused = self.document.active_element();
        let was_inside = focused.as_ref().is_some_and(|element| self.live.contains(Some(element)));
        let focused = focused.map(|element| element.id()).filter(|_| was_inside);
        let chosen = self.query_one("input:checked").map(|element| element.id());
        // The server has rendered and escaped this HTML; the browser adds no part to it.
        self.live.set_inner_html(html);
        if let Some(input) = chosen.and_then(|id| self.by_id::<HtmlInputElement>(&id)) {
            input.set_checked(true);
        }
        let again = focused.as_deref().and_then(|id| self.by_id::<HtmlElement>(id));
        let target = match again {
            Some(element) => Some(element),
            None if was_inside || is_outcome => self.by_id("title"),
            None => None,
        };
        if let Some(element) = target {
            let _ = element.focus();
        }
    }

    fn by_id<T: JsCast>(&self, id: &str) -> Option<T> {
        if id.is_empty() {
            return None;
        }
        self.document.get_element_by_id(id)?.dyn_into().ok()
    }
}

/// Listens for as long as the page lives.
pub(super) fn listen(target: &EventTarget, name: &str, act: impl FnMut(Event) + 'static) {
    let closure = Closure::<dyn FnMut(Event)>::new(act).into_js_value();
    let _ = target.add_event_listener_with_callback(name, closure.unchecked_ref());
}
