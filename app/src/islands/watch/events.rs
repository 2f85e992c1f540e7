//! News from the server by an event stream. Without a stream the timer asks for news.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{EventSource, PageTransitionEvent};

use super::page::listen;
use super::{Watch, forms};

/// Follows the session's stream for as long as the page is shown.
pub(super) fn follow(watch: &Rc<Watch>) {
    let stream = Rc::new(RefCell::new(open(watch)));
    let window = watch.page.window.clone();
    // An open stream would keep the page out of the back/forward cache and occupy a place on the server.
    let closing = Rc::clone(&stream);
    listen(&window, "pagehide", move |_| {
        if let Some(source) = closing.borrow_mut().take() {
            source.close();
        }
    });
    let watch = Rc::clone(watch);
    listen(&window, "pageshow", move |event| {
        if event.unchecked_ref::<PageTransitionEvent>().persisted() {
            forms::release_all(&watch);
            *stream.borrow_mut() = open(&watch);
            watch.refresh();
        }
    });
}

fn open(watch: &Rc<Watch>) -> Option<EventSource> {
    // A link's page has no session yet, so there is no stream. An action on the page leads to the session's page.
    if watch.page.is_link() {
        return None;
    }
    let source = EventSource::new(&format!("/c/{}/events", watch.page.token())).ok()?;
    watch.streaming.set(true);
    let told = Rc::clone(watch);
    listen(&source, "status", move |_| {
        told.streaming.set(true);
        told.refresh();
    });
    let (lost, closed) = (Rc::clone(watch), source.clone());
    listen(&source, "error", move |_| {
        // A lost stream that is not closed is connected again by the browser.
        lost.streaming.set(closed.ready_state() != EventSource::CLOSED);
    });
    Some(source)
}
