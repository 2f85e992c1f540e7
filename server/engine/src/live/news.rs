//! News of payments. News of a payment wake the pages of that payment and no others.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::PaymentId;
use tokio::sync::watch;

/// The parts of the map, so that tellers and watches seldom wait for each other.
const SHARDS: usize = 16;

/// The watches by payment. A payment is in the map for as long as it has a watch.
#[derive(Clone)]
pub(crate) struct News(Arc<[Shard; SHARDS]>);

type Shard = Mutex<HashMap<PaymentId, Watched>>;

struct Watched {
    payment: Arc<Payment>,
    watches: usize,
}

/// The state that the watches of one payment share.
struct Payment {
    id: PaymentId,
    /// How often there were news.
    told: watch::Sender<u64>,
    /// The newest answer about the payment, and how many news there were when the question was asked.
    answer: tokio::sync::Mutex<Option<(u64, Arc<str>)>>,
}

impl News {
    pub(crate) fn new() -> News {
        News(Arc::default())
    }

    fn shard(&self, payment: &PaymentId) -> MutexGuard<'_, HashMap<PaymentId, Watched>> {
        let spread = |sum: usize, byte: u8| sum.wrapping_mul(31).wrapping_add(usize::from(byte));
        let place = payment.as_str().bytes().fold(0, spread) % SHARDS;
        locked(&self.0[place])
    }

    /// Tells the watches of a payment that the payment, or one of its sessions, has changed.
    pub(crate) fn tell(&self, payment: &PaymentId) {
        if let Some(watched) = self.shard(payment).get(payment) {
            watched.payment.told.send_modify(count);
        }
    }

    /// Tells all watches that any payment may have changed.
    pub(crate) fn tell_all(&self) {
        for shard in self.0.iter() {
            locked(shard).values().for_each(|watched| watched.payment.told.send_modify(count));
        }
    }

    /// Watches a payment. Earlier news are not seen.
    pub(crate) fn watch(&self, payment: &PaymentId) -> Watch {
        let mut shard = self.shard(payment);
        let fresh =
            || Payment { id: payment.clone(), told: watch::Sender::new(0), answer: tokio::sync::Mutex::default() };
        let watched =
            shard.entry(payment.clone()).or_insert_with(|| Watched { payment: Arc::new(fresh()), watches: 0 });
        watched.watches += 1;
        let receiver = watched.payment.told.subscribe();
        Watch { news: self.clone(), payment: Arc::clone(&watched.payment), receiver }
    }

    #[cfg(test)]
    fn watched(&self) -> usize {
        self.0.iter().map(|shard| locked(shard).len()).sum()
    }
}

fn locked(shard: &Shard) -> MutexGuard<'_, HashMap<PaymentId, Watched>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(told: &mut u64) {
    *told = told.wrapping_add(1);
}

/// Waits for news of one payment.
pub(crate) struct Watch {
    news: News,
    payment: Arc<Payment>,
    receiver: watch::Receiver<u64>,
}

impl Watch {
    pub(crate) fn payment(&self) -> &PaymentId {
        &self.payment.id
    }

    /// Returns when the payment may have changed since the watch began, or since the last call returned. News between two calls are not
    /// lost: the next call returns at once. A call that is dropped loses no news.
    pub(crate) async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The watch itself keeps the sender.
            pending::<()>().await;
        }
    }

    /// The answer to a question about the payment, asked after the newest news. The watches of a payment share one answer: a watch that
    /// asks while the question is under way waits for the answer, and takes it unless there were news after the question.
    pub(crate) async fn ask<E>(&mut self, question: impl Future<Output = Result<Arc<str>, E>>) -> Result<Arc<str>, E> {
        let heard = *self.receiver.borrow_and_update();
        let mut answer = self.payment.answer.lock().await;
        if let Some((_, known)) = answer.as_ref().filter(|(told, _)| *told >= heard) {
            return Ok(Arc::clone(known));
        }
        let told = *self.payment.told.borrow();
        let known = question.await?;
        *answer = Some((told, Arc::clone(&known)));
        Ok(known)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let id = &self.payment.id;
        let mut shard = self.news.shard(id);
        if let Some(watched) = shard.get_mut(id) {
            watched.watches -= 1;
            if watched.watches == 0 {
                shard.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::time::timeout;

    use super::*;

    fn payment(number: u64) -> PaymentId {
        PaymentId::from_random(u128::from(number).to_be_bytes())
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits for news and counts how often this waiter is woken.
    fn waiting(watch: Watch) -> (std::pin::Pin<Box<dyn Future<Output = ()>>>, Arc<Woken>) {
        let woken = Arc::new(Woken::default());
        let mut watch = watch;
        let mut future: std::pin::Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move { watch.changed().await });
        assert!(future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&woken)))).is_pending());
        (future, woken)
    }

    #[test]
    fn news_wake_those_they_concern_and_nobody_else() {
        let news = News::new();
        let others: Vec<_> = (1..=1_000).map(|number| waiting(news.watch(&payment(number)))).collect();
        let mine: Vec<_> = (0..3).map(|_| waiting(news.watch(&payment(0)))).collect();
        let times = |of: &[(_, Arc<Woken>)]| of.iter().map(|(_, woken)| woken.0.load(Ordering::SeqCst)).sum::<usize>();
        for _ in 0..1_000 {
            news.tell(&payment(0));
            news.tell(&payment(2_000));
        }
        assert_eq!((times(&others), times(&mine)), (0, 3), "one wake-up each until they look");
        news.tell_all();
        assert_eq!(times(&others), 1_000);
    }

    #[test]
    fn what_nobody_watches_is_not_kept() {
        let news = News::new();
        let (first, second) = (news.watch(&payment(1)), news.watch(&payment(1)));
        let third = news.watch(&payment(2));
        assert_eq!(news.watched(), 2);
        drop((first, third));
        assert_eq!(news.watched(), 1);
        news.tell(&payment(2));
        drop(second);
        assert_eq!(news.watched(), 0);
    }

    #[tokio::test]
    async fn news_between_two_waits_are_seen_and_those_from_before_are_not() {
        let news = News::new();
        news.tell(&payment(1));
        let mut watch = news.watch(&payment(1));
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(watch.changed()).poll(&mut context).is_pending(), "from before");
        news.tell(&payment(1));
        news.tell(&payment(1));
        assert!(pin!(watch.changed()).poll(&mut context).is_ready(), "while nobody waited");
        assert!(pin!(watch.changed()).poll(&mut context).is_pending(), "seen together");
        let _other = news.watch(&payment(1));
        news.tell_all();
        assert!(pin!(watch.changed()).poll(&mut context).is_ready());
    }

    /// Changes come from several threads, and watches come and go. A watcher that looks after each piece of news must see the last
    /// change. A lost one would leave a watch waiting for ever.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_news_are_lost_whatever_happens_at_once() {
        const CHANGES: u64 = 2_000;
        let news = News::new();
        let state: Arc<Vec<AtomicU64>> = Arc::new((0..8).map(|_| AtomicU64::new(0)).collect());
        let tell = (0..4u64).map(|teller| {
            let (news, state) = (news.clone(), Arc::clone(&state));
            tokio::spawn(async move {
                for change in 0..CHANGES {
                    let number = (change + teller) % 8;
                    state[usize::try_from(number).unwrap()].fetch_add(1, Ordering::SeqCst);
                    news.tell(&payment(number));
                    if change % 64 == teller {
                        tokio::task::yield_now().await;
                    }
                }
            })
        });
        let watch = (0..64u64).map(|watcher| {
            let (news, state) = (news.clone(), Arc::clone(&state));
            tokio::spawn(async move {
                let (number, mut turns) = (watcher % 8, 0);
                let mut watch = news.watch(&payment(number));
                while state[usize::try_from(number).unwrap()].load(Ordering::SeqCst) < 4 * CHANGES / 8 {
                    watch.changed().await;
                    turns += 1;
                    // A watcher that leaves and returns looks first.
                    if turns % (watcher + 2) == 0 {
                        drop(watch);
                        watch = news.watch(&payment(number));
                    }
                }
            })
        });
        let all = join_all(tell.chain(watch).collect::<Vec<_>>());
        for ended in timeout(Duration::from_secs(60), all).await.expect("news were lost") {
            ended.unwrap();
        }
        assert_eq!(news.watched(), 0);
    }

    #[tokio::test]
    async fn those_who_watch_one_payment_share_a_question_but_never_an_answer_from_before_the_news() {
        let (news, asked) = (News::new(), AtomicUsize::new(0));
        let question = || async {
            let number = asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok::<_, ()>(Arc::from(number.to_string()))
        };
        let mut watches: Vec<Watch> = (0..50).map(|_| news.watch(&payment(1))).collect();
        for round in 0..3 {
            news.tell(&payment(1));
            let answers = join_all(watches.iter_mut().map(|watch| watch.ask(question()))).await;
            assert!(answers.iter().all(|answer| answer.as_deref() == Ok(&*round.to_string())), "{answers:?}");
        }
        // There are news while the question is under way, so its answer may be older than the news.
        let (first, rest) = watches.split_first_mut().unwrap();
        news.tell(&payment(1));
        let mut under_way = Box::pin(first.ask(question()));
        assert!(under_way.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        news.tell(&payment(1));
        let (old, new) = tokio::join!(under_way, rest[0].ask(question()));
        assert_eq!((old.as_deref(), new.as_deref()), (Ok("3"), Ok("4")));
    }
}
