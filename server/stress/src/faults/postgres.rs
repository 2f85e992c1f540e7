//! Stops and starts PostgreSQL under load. Meanwhile deliveries are answered "busy", never "stored". Afterwards the
//! server continues by itself.

use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;

use super::Faults;
use super::site::{Setup, Site};
use crate::Failure;
use crate::cluster::Cluster;
use crate::database::Database;
use crate::random::Random;

/// The time that PostgreSQL runs, in milliseconds.
const UP: (u64, u64) = (400, 1500);
/// The time that PostgreSQL is down, in milliseconds: sometimes longer than Till waits for a connection before it
/// answers "busy".
const DOWN: (u64, u64) = (500, 7000);
/// The time that a reply may still need to reach the client after the database is gone.
const ON_THE_WAY: Duration = Duration::from_millis(100);

pub(super) async fn run(options: &Faults) -> Result<(), Failure> {
    let mut moments = Random::new(options.seed, 4);
    let cluster = block_in_place(Cluster::start_new)?;
    let database = Database::postgres(&cluster.url(), &Random::new(options.seed, 5).word()).await?;
    let mut site = Site::open(options, "stopped", database, Setup::default()).await?;
    let (mut rounds, mut slowest) = (options.begin(), Duration::ZERO);
    while rounds.go_on() {
        sleep(Duration::from_millis(moments.between(UP.0, UP.1))).await;
        let mode = *moments.pick(&["immediate", "fast"]);
        block_in_place(|| cluster.stop(mode))?;
        sleep(ON_THE_WAY).await;
        let stored = site.replies(200);
        sleep(Duration::from_millis(moments.between(DOWN.0, DOWN.1))).await;
        let after = site.replies(200);
        if after != stored {
            let error = format!("{} deliveries were acknowledged while PostgreSQL was down", after - stored);
            return Err(site.broken(options, error));
        }
        block_in_place(|| cluster.start())?;
        let took = site.recovered(options, "PostgreSQL is back").await?;
        slowest = slowest.max(took);
        rounds.did();
    }
    let busy = site.replies(503);
    let what = format!("{busy} times told to come back, slowest recovery {} ms", slowest.as_millis());
    if rounds.done() > 0 && busy == 0 {
        return Err(site.broken(options, "nobody was told to come back while PostgreSQL was down".to_owned()));
    }
    site.conclude(options, &rounds, &what).await
}
