//! `kill -9` at random moments. Whatever was acknowledged must be there afterwards, and must have acted once.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Faults;
use super::site::{Setup, Site};
use crate::Failure;
use crate::database::Database;
use crate::random::Random;

/// How long a server lives, in milliseconds.
const LIFE: (u64, u64) = (100, 1500);
/// How long it stays dead, in milliseconds.
const DEATH: (u64, u64) = (0, 200);
/// Rounds in a line of the report.
const BLOCK: u32 = 10;

pub(super) async fn run(options: &Faults, postgres: Option<&str>) -> Result<(), Failure> {
    // A stream of its own: the moments depend on nothing but the seed.
    let mut moments = Random::new(options.seed, 2);
    let database = match postgres {
        Some(server) => Database::postgres(server, &Random::new(options.seed, 3).word()).await?,
        None => Database::sqlite()?,
    };
    let deadline = options.deadline();
    let mut site = Site::open(options, "kill -9", database, Setup::default()).await?;
    let (mut kills, mut slowest) = (0, Duration::ZERO);
    for round in 1..=options.rounds {
        if Instant::now() > deadline {
            println!("the time is up after {kills} rounds");
            break;
        }
        sleep(Duration::from_millis(moments.between(LIFE.0, LIFE.1))).await;
        site.server.kill()?;
        kills += 1;
        sleep(Duration::from_millis(moments.between(DEATH.0, DEATH.1))).await;
        let began = Instant::now();
        site.server = site.shop().serve().await?;
        slowest = slowest.max(began.elapsed());
        if round % BLOCK == 0 {
            site.report(&format!("{kills} kills, slowest start {} ms", slowest.as_millis())).await?;
        }
    }
    site.conclude(options, &format!("{kills} rounds, {kills} kills, seed {}", options.seed)).await
}
