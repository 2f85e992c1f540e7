use connectors::AmountRule;
use domain::currency::Currency;
use domain::id::{AttemptId, ModificationId, PaymentId, ProviderAccountId};
use domain::money::Money;
use domain::payment::{ModificationKind, Outcome};
use engine::problem::{
    Choice, LinkProblem, MoneyProblem, NothingToKeep, Obstacle, PartTaken, Proposal, Request, Rest, Settled, UnderWay,
    Waits,
};
use engine::{Cause, TlsOption, TlsProblem, Trouble};

use super::*;

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn eur_of(minor: i64) -> Money {
    Money::new(minor, eur())
}

fn proposal(attempt: u8, kind: ModificationKind) -> Proposal {
    let (payment, attempt) = (PaymentId::from_random([1; 16]), AttemptId::from_random([attempt; 16]));
    Proposal { payment, attempt, kind, currency: eur() }
}

fn says(problem: MoneyProblem) -> String {
    of(&problem.into())
}

fn blocked(obstacle: Obstacle) -> String {
    says(MoneyProblem::NotPossible { attempt: None, obstacle })
}

/// Checks that a text has these parts, in this order.
fn has(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing in {text:?}")).1;
    }
}

#[test]
fn each_possible_attempt_is_offered_as_a_command() {
    let choice = |attempt, is_beyond| Choice {
        proposal: proposal(attempt, ModificationKind::Refund { amount: 500 }),
        left: eur_of(500),
        account: ProviderAccountId::from_random([3; 16]),
        is_beyond,
    };
    let payment = PaymentId::from_random([1; 16]);
    let text = says(MoneyProblem::WhichAttempt { payment, choices: vec![choice(1, false), choice(2, true)] });
    let command = |attempt| proposal(attempt, ModificationKind::Refund { amount: 500 }).command();
    has(&text, &[&command(1), "can be refunded: EUR 5.00", &command(2), "paid beyond what was owed"]);
    assert!(command(1).ends_with("--amount 5.00"), "{}", command(1));
}

#[test]
fn a_rest_that_stays_is_offered_for_capture() {
    let part = |rest| vec![PartTaken { attempt: None, taken: eur_of(600), rest }];
    let capture = proposal(1, ModificationKind::Capture { amount: 400, last: true });
    let command = capture.command();
    let held = part(Rest::Held { left: eur_of(400), capture });
    let stays = "EUR 6.00 was captured; the other EUR 4.00 stays authorised";
    for text in [blocked(Obstacle::PartsTaken(held.clone())), says(MoneyProblem::Settled(Settled::InPart(held)))] {
        has(&text, &[stays, &command, "let it run out"]);
    }
    has(&blocked(Obstacle::PartsTaken(part(Rest::Final))), &["it was the last capture"]);
    has(&blocked(Obstacle::PartsTaken(part(Rest::Released))), &["has been released; nothing more can be captured"]);
    let all = "all that was authorised has been captured; to send it back, refund it";
    assert_eq!(blocked(Obstacle::AllTaken), all);
}

#[test]
fn money_that_is_only_authorised_is_offered_for_release() {
    let release: Vec<_> = [1, 2].map(|attempt| proposal(attempt, ModificationKind::Void)).into();
    let [one, other] = [1, 2].map(|attempt| proposal(attempt, ModificationKind::Void).command());
    let refund = blocked(Obstacle::OnlyAuthorised(release.clone()));
    has(&refund, &["nothing to refund yet", &one, "; or: ", &other]);
    has(
        &says(MoneyProblem::Settled(Settled::Authorised(release.clone()))),
        &["release it", &one, &other, "or capture"],
    );
    has(&says(MoneyProblem::NothingToKeep(NothingToKeep::OnlyAuthorised(release))), &["only authorised", &one, &other]);
    let kept = NothingToKeep::Kept(eur_of(1000));
    assert_eq!(says(MoneyProblem::NothingToKeep(kept)), "there is nothing more to keep: EUR 10.00 is kept already");
}

#[test]
fn what_was_never_handed_over_is_not_said_to_wait_for_an_answer() {
    let open = |outcome| {
        blocked(Obstacle::UnderWay(UnderWay {
            payment: PaymentId::from_random([1; 16]),
            modification: ModificationId::from_random([2; 16]),
            kind: ModificationKind::Capture { amount: 1000, last: true },
            currency: eur(),
            outcome,
        }))
    };
    let requested = open(Outcome::Requested);
    has(&requested, &["a capture of EUR 10.00", "not known to have been handed over", "`till alerts`"]);
    assert!(!requested.contains("has not answered"), "{requested}");
    has(&open(Outcome::Unknown), &["the provider has not answered yet"]);
    has(&open(Outcome::Pending), &["will say what came of it"]);
}

#[test]
fn a_request_that_was_made_before_is_named_with_its_key() {
    let known = |key: Option<&str>| Request {
        asked: proposal(1, ModificationKind::Refund { amount: 250 }),
        key: key.map(|key| key.parse().unwrap()),
    };
    let taken = MoneyProblem::KeyTaken { key: "mine".parse().unwrap(), known: known(Some("mine")) };
    has(&says(taken), &["the key mine names another request", "--amount 2.50 --key mine`", "another key"]);
    let modification = ModificationId::from_random([2; 16]);
    let text = says(MoneyProblem::Repeated { known: known(None), modification, at: 0 });
    has(&text, &["the same refund", "1970-01-01", "till payment show", "--key NEW"]);
}

#[test]
fn a_time_is_named_only_while_it_is_ahead() {
    let attempt = AttemptId::from_random([1; 16]);
    let text = |waits| says(MoneyProblem::InProgress { attempt: attempt.clone(), waits });
    for early in [Waits::Search(0), Waits::PageEnd(0)] {
        has(&text(early), &["cannot be called off now", "1970-01-01", "try again then"]);
    }
    for late in [Waits::SearchDue, Waits::PageEnded] {
        has(&text(late), &["cannot be called off now", "try again in a minute"]);
        assert!(!text(late).contains("1970"));
    }
    has(&text(Waits::Bank), &["at the shopper's bank", "refund it"]);
}

#[test]
fn rules_of_amounts_say_what_to_write_instead() {
    let step = |code: &str, minor, step| {
        let amount = Money::new(minor, code.parse().unwrap());
        let rule = Box::new(AmountRule::Step { provider: "Stripe", amount, step });
        of(&AmountRule::Line { name: "Tea".to_owned(), rule }.into())
    };
    let kwd = "the line \"Tea\": Stripe takes KWD amounts whose last digit is 0: write";
    assert_eq!(step("KWD", 1_234, 10), format!("{kwd} 1.230 or 1.240"));
    assert_eq!(step("KWD", 3, 10), format!("{kwd} 0.010"));
    let mga = "the line \"Tea\": Stripe takes MGA amounts whose last two digits are 0: write";
    assert_eq!(step("MGA", 1_234, 100), format!("{mga} 12.00 or 13.00"));
    let rules = vec![AmountRule::Currency("Stripe", eur()), AmountRule::TooSmall("Adyen", eur_of(50))];
    let text = of(&LinkProblem::NotTaken { live: true, rules }.into());
    has(&text, &["no enabled live provider account", "Stripe takes no EUR; Adyen takes no less than EUR 0.50"]);
}

#[test]
fn the_database_s_codes_have_a_remedy() {
    let refused = |cause| Trouble::Refused { message: "no".to_owned(), code: "13".to_owned(), cause };
    assert_eq!(database::trouble(&refused(None)), "no (code 13)");
    has(&database::trouble(&refused(Some(Cause::DiskFull))), &["no; ", "make room"]);
    has(&database::trouble(&refused(Some(Cause::NoRightOnSchema))), &["CREATE ON SCHEMA"]);
    has(&database::trouble(&refused(Some(Cause::NoRightOnTables))), &["SELECT, INSERT, UPDATE, DELETE"]);
}

#[test]
fn options_are_named_and_days_have_their_bounds() {
    let missing = TlsProblem::Without { given: TlsOption::ClientCert, missing: TlsOption::ClientKey };
    assert_eq!(tls::words(&missing), "--client-cert needs --client-key @FILE, the key of the certificate");
    let days = |text: &str| retention(&text.parse::<Retention>().unwrap_err());
    assert_eq!(days("bodies"), "\"bodies\" is not of the form name=days");
    assert!(days("ledger=1").contains("waits, bodies, deliveries"));
    assert_eq!(days("bodies=1"), "bodies must be a number of days from 2 to 3650");
    assert!(days("bodies=10").contains("waits=30 is longer than bodies=10"));
}
