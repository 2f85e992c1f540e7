//! The outside world, passed in: time, randomness and HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Millis;
use futures::future::BoxFuture;

use crate::transport::Transport;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now(&self) -> Millis;

    /// Sleeps for a time.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    /// Sleeps for a time, or until something happens.
    fn sleep_unless<'a>(&'a self, time: Duration, happens: BoxFuture<'a, ()>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            tokio::select! {
                () = happens => {}
                () = self.sleep(time) => {}
            }
        })
    }
}

/// Gives random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy)]
pub struct OsRandom;

impl Random for OsRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness no id and no nonce is safe, so the process cannot continue.
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// The bytes of a timed id that hold the time.
const TIME: usize = 6;

/// The lowest id that [`Env::timed_bits`] can make at a time.
pub(crate) fn first_bits(time: Millis) -> [u8; 16] {
    let mut bits = [0; 16];
    bits[..TIME].copy_from_slice(&time.max(0).to_be_bytes()[8 - TIME..]);
    bits
}

/// The engine's access to the outside world.
#[derive(Clone)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// HTTP to the providers.
    pub transport: Arc<dyn Transport>,
}

impl Env {
    /// Milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// 128 random bits, for values that must not be guessed.
    #[must_use]
    pub fn bits(&self) -> [u8; 16] {
        let mut bits = [0; 16];
        self.random.fill(&mut bits);
        bits
    }

    /// 48 bits of time in milliseconds and 80 random bits, for the ids of rows that are written in large numbers. Rows written together
    /// are then stored together in the index.
    #[must_use]
    pub fn timed_bits(&self) -> [u8; 16] {
        let mut bits = self.bits();
        bits[..TIME].copy_from_slice(&first_bits(self.now())[..TIME]);
        bits
    }

    /// A random number from zero up to, but not including, the bound; zero for a bound below one. Used for jitter only.
    #[must_use]
    pub fn below(&self, bound: Millis) -> Millis {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        let number = u64::from_le_bytes(bytes) >> 1;
        i64::try_from(number).unwrap_or(0) % bound.max(1)
    }
}
