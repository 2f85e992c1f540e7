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

/// What the island knows.
struct Watch {
    page: Page,
    say: WriteSignal<String>,
    /// Whether a question is under way, and whether another one came meanwhile.
    asking: Cell<bool>,
    again: Cell<bool>,
    /// When the session ends, in milliseconds since the page was asked for.
    ends_at: Cell<Option<i64>>,
    /// Whether the event stream works.
    streaming: Cell<bool>,
    /// Whether the last question was not answered, so that the page may say what is not so any more.
    unanswered: Cell<bool>,
}

/// Starts everything, on a page that has a session.
pub(super) fn start(say: WriteSignal<String>) {
    let Some(page) = Page::find() else { return };
    let watch = Rc::new(Watch {
        // The server wrote how long was left when it answered; the page's clock began just before.
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
    // Once the island itself has been hydrated.
    spawn_local(async move { watch.page.mark_ready() });
}

impl Watch {
    /// Asks the server soon; any number of calls become one question.
    fn refresh(self: &Rc<Self>) {
        let watch = Rc::clone(self);
        spawn_local(async move { watch.ask().await });
    }

    /// Asks the server, and once more if anybody wanted to know meanwhile.
    async fn ask(&self) {
        self.again.set(true);
        if self.asking.replace(true) {
            return;
        }
        while self.again.replace(false) {
            let (token, lang) = (self.page.token(), self.page.lang());
            // Only an answer to a later question tells what came of an action that went wrong.
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
