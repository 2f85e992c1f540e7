//! Kills the server with `kill -9` at random moments. Acknowledged deliveries must be there afterwards, and must have
//! acted once.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Faults;
use super::site::{Setup, Site};
use crate::Failure;
use crate::database::Database;
use crate::random::Random;

/// The time that a server lives, in milliseconds.
const LIFE: (u64, u64) = (100, 1500);
/// The time that it stays dead, in milliseconds.
const DEATH: (u64, u64) = (0, 200);
/// Rounds per line of the report.
const BLOCK: u32 = 10;

pub(super) async fn run(options: &Faults, postgres: Option<&str>) -> Result<(), Failure> {
    // A random stream of its own: the moments depend on nothing but the seed.
    let mut moments = Random::new(options.seed, 2);
    let database = match postgres {
        Some(server) => Database::postgres(server, &Random::new(options.seed, 3).word()).await?,
        None => Database::sqlite()?,
    };
    let mut site = Site::open(options, "kill -9", database, Setup { merchant: true, ..Setup::default() }).await?;
    let (mut rounds, mut slowest) = (options.begin(), Duration::ZERO);
    while rounds.go_on() {
        sleep(Duration::from_millis(moments.between(LIFE.0, LIFE.1))).await;
        site.server.kill()?;
        sleep(Duration::from_millis(moments.between(DEATH.0, DEATH.1))).await;
        let began = Instant::now();
        site.server = site.shop().serve().await?;
        slowest = slowest.max(began.elapsed());
        rounds.did();
        if rounds.done() % BLOCK == 0 {
            site.report(&format!("{} kills, slowest start {} ms", rounds.done(), slowest.as_millis())).await?;
        }
    }
    site.refunded(options).await?;
    site.conclude(options, &rounds, &format!("slowest start {} ms, seed {}", slowest.as_millis(), options.seed)).await
}
