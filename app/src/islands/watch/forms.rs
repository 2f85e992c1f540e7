//! Sends the live region's forms by script: the same calls as without scripts, but without a reload, and a second press is ignored.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, FormData, HtmlElement, HtmlFormElement};

use super::Watch;
use super::page::{Trouble, listen};
use crate::actions::{ActionError, Next, cancel_payment, extend_session, renew_session, start_payment};

/// Listens on the document, because the forms are replaced with the live region.
pub(super) fn watch_forms(watch: &Rc<Watch>) {
    let document = watch.page.document.clone();
    let watch = Rc::clone(watch);
    listen(&document, "submit", move |event| submit(&watch, &event));
}

fn submit(watch: &Rc<Watch>, event: &Event) {
    let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let Some(form) = form else { return };
    let Some(action) = form.dataset().get("action") else {
        return;
    };
    event.prevent_default();
    let Ok(fields) = FormData::new_with_form(&form) else {
        return;
    };
    if !hold(&form) {
        return;
    }
    let watch = Rc::clone(watch);
    spawn_local(async move {
        let next = call(&action, &fields).await;
        watch.go(&form, next).await;
    });
}

async fn call(action: &str, fields: &FormData) -> Result<Next, ActionError> {
    let field = |name| fields.get(name).as_string().unwrap_or_default();
    let (token, lang) = (field("token"), field("lang"));
    match action {
        "start" => start_payment(token, field("method"), lang).await,
        "cancel" => cancel_payment(token, lang).await,
        "extend" => extend_session(token, lang).await,
        "renew" => renew_session(token, lang).await,
        _ => Err(ActionError::Unreadable),
    }
}

impl Watch {
    async fn go(&self, form: &HtmlFormElement, next: Result<Next, ActionError>) {
        let page = &self.page;
        let went_wrong = matches!(next, Ok(Next::Busy(_)) | Err(_));
        page.say_trouble(if went_wrong { Trouble::Unknown } else { Trouble::None });
        if let Ok(Next::Provider(token) | Next::Session(token) | Next::Busy(Some(token))) = &next
            && page.is_link()
        {
            page.become_session(token);
            // If the page stays, the timer asks often enough without a stream.
            self.streaming.set(false);
        }
        let address = match &next {
            Ok(Next::Provider(token)) => format!("/c/{token}/go{}", page.query()),
            Ok(Next::Session(token)) => format!("/c/{token}{}", page.query()),
            Ok(Next::Gone) => format!("/{}/{}", page.place(), page.token()),
            Ok(Next::Page | Next::Busy(_)) | Err(_) => String::new(),
        };
        if address.is_empty() {
            self.ask().await;
            release(form);
        } else {
            // The button keeps its busy label, because the browser is leaving the page.
            let _ = page.location().assign(&address);
        }
    }
}

/// Marks the form as busy; false if it already was. The attribute `disabled` would lose the focus.
fn hold(form: &HtmlFormElement) -> bool {
    let data = form.dataset();
    if data.get("busy").is_some() {
        return false;
    }
    let _ = data.set("busy", "true");
    if let Some(button) = button(form) {
        let data = button.dataset();
        let _ = data.set("label", &button.text_content().unwrap_or_default());
        button.set_text_content(data.get("busy").as_deref());
        let _ = button.set_attribute("aria-disabled", "true");
    }
    true
}

fn release(form: &HtmlFormElement) {
    form.dataset().delete("busy");
    if let Some(button) = button(form)
        && let Some(label) = button.dataset().get("label")
    {
        button.set_text_content(Some(&label));
        let _ = button.remove_attribute("aria-disabled");
    }
}

/// Releases all busy forms after the browser has restored the page from its cache.
pub(super) fn release_all(watch: &Watch) {
    while let Some(form) = watch.page.query_one("form[data-busy]") {
        release(form.unchecked_ref());
        // The loop must end even if `release` did not remove the attribute.
        let _ = Element::remove_attribute(&form, "data-busy");
    }
}

fn button(form: &HtmlFormElement) -> Option<HtmlElement> {
    form.query_selector("button").ok()??.dyn_into().ok()
}
