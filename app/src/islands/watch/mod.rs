//! The behaviour behind the live island.

mod countdown;
mod events;
mod forms;
mod page;

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::{Set, WriteSignal};
use wasm_bindgen_futures::spawn_local;

use crate::actions::{Status, read_status};
use page::{Page, Trouble};

/// The island's state.
struct Watch {
    page: Page,
    say: WriteSignal<String>,
    /// Whether a request for the status is under way (`asking`), and whether another one is due after it (`again`).
    asking: Cell<bool>,
    again: Cell<bool>,
    /// When the session ends, in milliseconds of the page's clock, which starts when the page is requested.
    ends_at: Cell<Option<i64>>,
    /// Whether the event stream works.
    streaming: Cell<bool>,
    /// Whether the last request for the status failed, so that the page may be out of date.
    unanswered: Cell<bool>,
}

/// Starts the island, on a page with a live region.
pub(super) fn start(say: WriteSignal<String>) {
    let Some(page) = Page::find() else { return };
    let watch = Rc::new(Watch {
        // The server wrote the time that was left at its reply. The page's clock started just before, at the request.
        ends_at: Cell::new(page.data("endsIn").and_then(|left| left.parse().ok())),
        page,
        say,
        asking: Cell::new(false),
        again: Cell::new(false),
        streaming: Cell::new(true),
        unanswered: Cell::new(false),
    });
    forms::watch_forms(&watch);
    events::follow(&watch);
    countdown::run(&watch);
    // Runs after the island has been hydrated.
    spawn_local(async move { watch.page.mark_ready() });
}

impl Watch {
    /// Asks the server soon. Several calls during one request become one further request.
    fn refresh(self: &Rc<Self>) {
        let watch = Rc::clone(self);
        spawn_local(async move { watch.ask().await });
    }

    /// Asks the server for the status, and once more if another call came meanwhile.
    async fn ask(&self) {
        self.again.set(true);
        if self.asking.replace(true) {
            return;
        }
        while self.again.replace(false) {
            let (token, lang) = (self.page.token(), self.page.lang());
            // After a failed action, only a request that was sent later shows the outcome.
            let troubled = self.page.is_troubled();
            let answer = read_status(token, self.page.came_back(), lang).await;
            self.unanswered.set(answer.is_err());
            if let Ok(status) = answer {
                self.show(&status, troubled);
            }
        }
        self.asking.set(false);
    }

    fn show(&self, status: &Status, troubled: bool) {
        if status.phase.is_empty() {
            return;
        }
        if troubled {
            self.page.say_trouble(Trouble::Over);
        }
        let ends_at = status.ends_in.map(|left| self.page.now().saturating_add(left));
        self.ends_at.set(ends_at);
        if let Some(said) = self.page.show(status) {
            self.say.set(said);
        }
        self.tick_countdown();
    }
}
