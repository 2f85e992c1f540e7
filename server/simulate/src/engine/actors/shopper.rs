//! The shopper: presses, looks, cancels, pays on the provider's page. Also checks that the shopper never sees a false
//! page.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::{Attempt, CloseReason, Stage};
use engine::Started;

use crate::census::Seen;
use crate::engine::World;
use crate::engine::servers::Output;
use crate::rules::is_evidenced;

impl World {
    pub async fn shopper_acts(&mut self) {
        let tab = self.random.below(self.tabs.len());
        let Some(token) = self.token.clone() else { return };
        let (server, credit) = (self.random.below(2), self.credit());
        let impatient = self.hasty && self.shared.provider().pages.iter().any(|one| one.paying);
        let choice = if impatient { self.random.pick(&[0, 7, 9]) } else { self.random.below(10) };
        match (choice, self.tabs[tab].page) {
            (0..=6, Some(page)) => self.on_page(tab, page).await,
            (7, _) => {
                self.begin(server, "the shopper stops".to_owned(), credit, |engine| async move {
                    let _ = engine.checkout().cancel(&token).await;
                    Output::Nothing
                })
                .await;
            }
            (8, _) => {
                let came_back = self.random.percent(50);
                self.begin(
                    server,
                    format!("the shopper looks, back from the provider: {came_back}"),
                    credit,
                    |engine| async move {
                        let view = engine.checkout().view(&token, came_back).await;
                        view.map_or(Output::Nothing, |view| Output::Viewed(view.phase))
                    },
                )
                .await;
            }
            _ => {
                let debits = self.shared.provider().takes_debits();
                let method = self.random.pick(&[Method::Card, Method::Card, Method::BankDebit]);
                let method = if debits { method } else { Method::Card };
                self.begin(
                    server,
                    format!("the shopper presses {method:?} in tab {tab}"),
                    credit,
                    |engine| async move {
                        match engine.checkout().start(&token, method, None).await {
                            Ok(Started::Redirect) => Output::Started(
                                tab,
                                engine
                                    .checkout()
                                    .handoff(&token)
                                    .await
                                    .unwrap_or(None)
                                    .map(|way| way.address().to_owned()),
                            ),
                            _ => Output::Nothing,
                        }
                    },
                )
                .await;
            }
        }
    }

    /// The tab goes to the provider's page.
    pub fn started(&mut self, tab: usize, address: Option<&str>) {
        let id = address.and_then(|address| address.rsplit('/').next());
        let page = id.and_then(|id| self.shared.provider().page_of(id));
        let Some(page) = page else { return };
        self.tabs[tab].page = Some(page);
        self.census.count(Seen::Redirected);
        self.note(|| format!("shopper: tab {tab} is at page {page}"));
        let payable = {
            let mut provider = self.shared.provider();
            provider.pages[page].given = true;
            provider.pages.iter().filter(|one| one.given && one.status == "open").count()
        };
        if payable > 1 {
            self.violate("at most one page can be paid on", format!("{payable} pages are open to a shopper"));
        }
    }

    pub fn viewed(&mut self, phase: Phase) {
        self.note(|| format!("shopper: sees {phase:?}"));
        let (captured, authorised) = {
            let provider = self.shared.provider();
            (provider.captured_ever > 0, provider.authorised_ever)
        };
        if !is_evidenced(phase, captured, authorised) {
            self.violate("nothing is shown as paid without evidence", format!("the page says {phase:?}"));
        }
    }

    async fn on_page(&mut self, tab: usize, page: usize) {
        self.check_closed_there(false).await;
        let now = self.shared.now();
        let choice = self.random.below(8);
        let thinks = self.hasty && self.random.percent(60);
        let mut provider = self.shared.provider();
        if provider.pages[page].status != "open" || provider.pages[page].paying {
            drop(provider);
            self.tabs[tab].page = None;
            return;
        }
        match choice {
            0..=4 if provider.pages[page].debit => provider.begin_debit(page, now),
            0..=4 if thinks => provider.pages[page].paying = true,
            0..=4 => provider.pay(page, now),
            5 => provider.decline(page, now),
            6 => provider.ask_shopper(page, now),
            _ => {
                drop(provider);
                self.tabs[tab].page = None;
            }
        }
    }

    /// An attempt that Till has closed is closed at the provider, too: no shopper may be able to pay it. The search for
    /// a delayed request can find no page before the request arrives; its page is then closed when a later search finds
    /// it. Until everything has come to rest a page therefore counts as open only if a shopper was given its address.
    pub async fn check_closed_there(&mut self, at_rest: bool) {
        let open: Vec<(bool, String)> = {
            let now = self.shared.now();
            let provider = self.shared.provider();
            let open = provider.pages.iter().filter(|one| one.status == "open" && now < one.until);
            open.map(|one| (one.given, one.attempt.clone())).collect()
        };
        let Some(payment) = self.payment.clone().filter(|_| !open.is_empty()) else { return };
        let Some(scope) = self.scope() else { return };
        self.shared.gate.set_open(true);
        let statement = self.servers[0].engine.money(&scope).statement(&payment).await;
        self.shared.gate.set_open(false);
        let Ok(statement) = statement else { return };
        let closed = |attempt: &&Attempt| matches!(attempt.stage, Stage::Closed(_));
        let is_open = |known: &&Attempt| {
            let unseen = known.stage == Stage::Closed(CloseReason::NotFound) && !at_rest;
            open.iter().any(|(given, attempt)| attempt == known.id.as_str() && (!unseen || *given))
        };
        let known = statement.payment.attempts.iter().filter(closed).find(is_open);
        if let Some(known) = known {
            let detail = format!("attempt {} is {:?}, but its page is open at the provider", known.id, known.stage);
            self.violate("what is closed here is closed there", detail);
        }
    }
}
