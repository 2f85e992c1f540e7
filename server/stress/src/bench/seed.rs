//! Writes payments into the database, in the state that webhooks find them in, with the engine's own rows.

use domain::id::{AttemptId, JobId, LinkId, MerchantId, OrderId, PaymentId, ProviderAccountId, SessionId, Token};
use domain::link::{Link, LinkState, Usage};
use domain::method::Method;
use domain::money::Money;
use domain::order::{Basket, Metadata, Order, Policies, Returns};
use domain::payment::{Attempt, Capture, Payment, Refs, Stage};
use domain::session::{Session, SessionState};
use domain::{HOUR, Millis, Mode};
use engine::Installation;
use engine::store::{Store, attempts, jobs, links, orders, payments, sessions};
use sqlx::{AnyConnection, Connection, Executor};

use super::site::BenchSite;
use crate::Failure;
use crate::clock;
use crate::random::Random;
use crate::record::{Case, Fate};

/// Payments per transaction.
const CHUNK: usize = 500;
/// The debt of each payment, in minor units.
const OWED: i64 = 3098;

/// Random bits in the order of time, as in the engine's own ids.
fn bits(random: &mut Random, now: Millis) -> [u8; 16] {
    let mut bits = [0; 16];
    bits[..8].copy_from_slice(&(now.cast_unsigned() << 16).to_be_bytes());
    bits[6..8].copy_from_slice(&random.next().to_be_bytes()[..2]);
    bits[8..].copy_from_slice(&random.next().to_be_bytes());
    bits
}

/// Opens `count` payments, each with its page at the provider. The server must not run: SQLite has one writer.
pub async fn open(site: &BenchSite, count: usize, random: &mut Random) -> Result<Vec<Case>, Failure> {
    let store = Store::connect(&site.shop.database.url).await?;
    let merchant: MerchantId = site.shop.merchant.parse()?;
    let account: ProviderAccountId = site.shop.account.id.parse()?;
    let now = clock::millis();
    let link = Link {
        id: LinkId::from_random(bits(random, now)),
        token: Token::from_random(bits(random, now)),
        merchant: merchant.clone(),
        state: LinkState::Active,
        usage: Usage::Reusable,
        live: false,
        basket: Basket::of(vec![]),
        total: Money::new(OWED, "EUR".parse()?),
        metadata: Metadata::default(),
        returns: Returns::default(),
        policies: Policies::default(),
        created: now,
    };
    let mut tx = store.begin().await?;
    let scope = Installation::operator().acting_for(&link.merchant, Mode::Test);
    links::insert(&mut tx, &scope, &link).await?;
    tx.commit().await?;
    let mut cases = Vec::with_capacity(count);
    while cases.len() < count {
        chunk(&store, &link, &account, CHUNK.min(count - cases.len()), random, &mut cases).await?;
    }
    drop(store);
    // In operation, autovacuum analyses the tables. Plans for unanalysed tables would not be typical.
    if site.shop.database.name == "postgres" {
        let mut connection = AnyConnection::connect(&site.shop.database.url).await?;
        connection.execute("VACUUM ANALYZE").await?;
        connection.close().await?;
    }
    Ok(cases)
}

async fn chunk(
    store: &Store,
    link: &Link,
    account: &ProviderAccountId,
    count: usize,
    random: &mut Random,
    cases: &mut Vec<Case>,
) -> Result<(), Failure> {
    let (now, by) = (clock::millis(), Installation::operator());
    let scope = by.acting_for(&link.merchant, Mode::Test);
    let mut tx = store.begin().await?;
    let (mut attempts, mut wanted) = (vec![], vec![]);
    for _ in 0..count {
        let token = Token::from_random(bits(random, now));
        let order = link.order(OrderId::from_random(bits(random, now)), now);
        let visit = visit(&order, token, random, now);
        let id = AttemptId::from_random(bits(random, now));
        let mut attempt =
            Attempt::new(id, visit.id.clone(), account.clone(), Method::Card, link.total, now, now + HOUR);
        attempt.stage = Stage::Open;
        let case = case(&visit, &attempt, random);
        attempt.refs = Refs { session: Some(case.session.clone()), payment: None };
        let payment = Payment {
            id: visit.payment.clone(),
            merchant: link.merchant.clone(),
            amount: link.total,
            capture: Capture::Automatic,
            canceled: false,
            attempts: vec![],
        };
        orders::insert(&mut tx, &scope, &order, false).await?;
        payments::insert(&mut tx, &scope, &payment, &order, now).await?;
        sessions::insert(&mut tx, &scope, &visit).await?;
        for (kind, subject) in [("expire", visit.id.as_str()), ("check", attempt.id.as_str())] {
            let id = JobId::from_random(bits(random, now));
            let (subject, account) = (subject.to_owned(), None);
            wanted.push(jobs::NewJob { id, kind, subject, account, run_at: now + HOUR });
        }
        cases.push(case);
        attempts.push((payment.id, attempt));
    }
    let rows = attempts.iter().map(|(payment, attempt)| attempts::AttemptRow { payment, ordinal: 0, attempt });
    attempts::insert(&mut tx, &by, &rows.collect::<Vec<_>>(), now).await?;
    jobs::enqueue(&mut tx, &by, &wanted, now).await?;
    tx.commit().await?;
    Ok(())
}

fn visit(order: &Order, token: Token, random: &mut Random, now: Millis) -> Session {
    Session {
        id: SessionId::from_random(bits(random, now)),
        token,
        merchant: order.merchant.clone(),
        order: order.id.clone(),
        payment: PaymentId::from_random(bits(random, now)),
        state: SessionState::Open,
        notice: None,
        created: now,
        expires: now + HOUR,
        extension: 0,
    }
}

fn case(visit: &Session, attempt: &Attempt, random: &mut Random) -> Case {
    Case {
        token: visit.token.to_string(),
        attempt: attempt.id.to_string(),
        session: format!("cs_test_{}", random.word()),
        intent: format!("pi_{}", random.word()),
        amount: OWED,
        currency: "eur".to_owned(),
        fate: Fate::Paid,
    }
}
