//! A merchant who makes refunds. Each runs the command line as a process of its own, which is sometimes killed in the
//! middle.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::money::Money;
use sqlx::{Row, query};
use tokio::time::sleep;

use super::Load;
use crate::Failure;
use crate::random::Random;
use crate::record::{Case, Fate};

/// The most refund commands for one payment: the second asks for a further part, or for more than is left.
const ASKED_MAX: u32 = 2;
/// The longest time for a command. Till's own bound on a provider's answer is well below.
const COMMAND_MAX: Duration = Duration::from_secs(60);
/// The time after which a command is killed, in milliseconds. By then it is starting, writing, waiting for the
/// provider, or done.
const KILLED_AFTER: (u64, u64) = (2, 60);

/// The counts of the merchant's commands.
#[derive(Debug, Default, Clone, Copy)]
pub struct Asked {
    /// Commands that succeeded: the refund is on its way.
    pub sent: u32,
    /// Commands that were killed.
    pub killed: u32,
    /// Commands that failed: nothing is left, or the database was busy.
    pub refused: u32,
}

pub(super) async fn run(load: Arc<Load>, mut random: Random) {
    while load.is_running() {
        let pause = random.between(20, 200);
        sleep(Duration::from_millis(pause)).await;
        let Some(index) = pick(&load, &mut random) else { continue };
        let case = load.record().cases[index].clone();
        // While the database cannot be reached, the next round tries again.
        if let Ok(Some(payment)) = paid(&load, &case).await {
            *load.record().asked.entry(index).or_default() += 1;
            if let Err(error) = refund(&load, &case, &payment, &mut random).await {
                load.record().outrages.push(format!("a refund of {payment}: {error}"));
            }
        }
    }
}

/// A case that may be refunded and has not had too many commands.
fn pick(load: &Load, random: &mut Random) -> Option<usize> {
    let record = load.record();
    let open = |(index, case): (usize, &Case)| {
        let asked = record.asked.get(&index).copied().unwrap_or(0);
        (case.fate == Fate::SentBack && asked < ASKED_MAX).then_some(index)
    };
    let open: Vec<usize> = record.cases.iter().enumerate().filter_map(open).collect();
    (!open.is_empty()).then(|| *random.pick(&open))
}

/// The payment of a case, once it is paid.
async fn paid(load: &Load, case: &Case) -> Result<Option<String>, Failure> {
    let mut connection = load.shop.database.look().await?;
    let asked = query(
        "SELECT payments.id FROM payments JOIN attempts ON attempts.payment_id = payments.id
         WHERE attempts.id = $1 AND payments.status = 'succeeded'",
    );
    let row = asked.bind(&case.attempt).fetch_optional(&mut connection).await?;
    Ok(row.map(|row| row.try_get("id")).transpose()?)
}

async fn refund(load: &Load, case: &Case, payment: &str, random: &mut Random) -> Result<(), Failure> {
    let mut command = load.shop.till();
    command.args(["--log", "error", "payment", "refund", payment, "--json"]);
    if random.percent(60) {
        let part = case.amount / i64::try_from(random.between(2, 4))?;
        command.args(["--amount", &Money::new(part, case.currency.to_uppercase().parse()?).to_decimal()]);
    }
    let killed_after =
        random.percent(50).then(|| Duration::from_millis(random.between(KILLED_AFTER.0, KILLED_AFTER.1)));
    let ended = watched(command, killed_after).await?;
    let mut record = load.record();
    match ended {
        None => record.merchant.killed += 1,
        Some(true) => record.merchant.sent += 1,
        Some(false) => record.merchant.refused += 1,
    }
    Ok(())
}

/// Whether the command succeeded. `None` if it was killed before it ended.
async fn watched(mut command: Command, killed_after: Option<Duration>) -> Result<Option<bool>, Failure> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        let killed = killed_after.is_some_and(|after| began.elapsed() >= after);
        if killed || began.elapsed() > COMMAND_MAX {
            child.kill()?;
            child.wait()?;
            return if killed { Ok(None) } else { Err(format!("no end within {COMMAND_MAX:?}").into()) };
        }
        sleep(Duration::from_millis(2)).await;
    }
}
