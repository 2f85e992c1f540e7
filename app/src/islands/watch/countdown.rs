//! The page's timer: shows the time left once a second, and decides when to ask the server.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::Watch;

const SECOND: i64 = 1_000;
/// The time before the end in which the countdown is shown. The server announces the end in the same time.
const SHOWN: i64 = 300 * SECOND;

/// Starts the timer, which runs for as long as the page lives.
pub(super) fn run(watch: &Rc<Watch>) {
    let ticking = Rc::clone(watch);
    let asked_at = Cell::new(0);
    let tick = Closure::<dyn FnMut()>::new(move || {
        let now = ticking.page.now();
        ticking.tick_countdown();
        if now - asked_at.get() >= ticking.patience(now) {
            asked_at.set(now);
            ticking.refresh();
        }
    });
    let _ = watch
        .page
        .window
        .set_interval_with_callback_and_timeout_and_arguments_0(tick.into_js_value().unchecked_ref(), SECOND as i32);
    watch.tick_countdown();
}

impl Watch {
    /// Milliseconds between two requests for the status. News comes by the stream. The requests cover a stream that is closed, held up by a
    /// proxy, or silent because only time has passed. A failed request is repeated soon.
    fn patience(&self, now: i64) -> i64 {
        let left = self.ends_at.get().map(|end| end - now);
        let is_over = left.is_some_and(|left| left <= 0);
        let is_announced = self.page.query_one("[data-countdown]").is_some();
        let must_announce = left.is_some_and(|left| left <= SHOWN) && !is_announced;
        if self.unanswered.get() {
            return 3 * SECOND;
        }
        match (is_over || must_announce, self.page.is_changing(), self.streaming.get()) {
            (true, _, _) | (_, true, false) => 3 * SECOND,
            (_, true, true) => 10 * SECOND,
            (_, false, false) => 20 * SECOND,
            (_, false, true) => 300 * SECOND,
        }
    }

    pub(super) fn tick_countdown(&self) {
        let Some(end) = self.ends_at.get() else {
            return;
        };
        let Some(shown) = self.page.query_one("[data-countdown]") else {
            return;
        };
        let left = (end - self.page.now()).max(0) / SECOND;
        shown.set_text_content(Some(&format!("{}:{:02}", left / 60, left % 60)));
        if let Some(row) = self.page.query_one("[data-countdown-row]") {
            let _ = row.remove_attribute("hidden");
        }
    }
}
