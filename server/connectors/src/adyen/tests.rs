use domain::id::ProviderAccountId;

use super::*;

fn account() -> Account {
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: "https://checkout-test.adyen.com".to_owned(),
        live: false,
        credentials: BTreeMap::new(),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn check(key: &str, merchant: &str) -> Result<(), SetupProblem> {
    let credentials = [(API_KEY, key), (MERCHANT_ACCOUNT, merchant)];
    let credentials = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Adyen.check(&BTreeMap::from(credentials), false)
}

#[test]
fn credentials_that_cannot_be_adyens_are_refused_by_name() {
    assert_eq!(check("AQEyhmfxK4vJbRdHw0m/n3Q5qf3Va+KRClRZ==-x.<y", "TestMerchant_ECOM-1"), Ok(()));
    for (key, merchant) in [
        ("", "TestMerchant"),
        ("AQE key with spaces", "TestMerchant"),
        ("AQEyhmfxK4v\n", "Test"),
        ("\"AQEyhmfxK4vJbRdH\"", "Test"),
        ("'AQEyhmfxK4vJbRdH'", "Test"),
        ("sk_test_51HxQ0pLkW3v", "Test"),
        ("whsec_51HxQ0pLkW3v", "Test"),
        ("AQEyhmfxK....LAG84XwzP5pEpVd4ii", "Test"),
    ] {
        assert!(check(key, merchant).is_err_and(|problem| problem.credential() == Some(API_KEY)));
    }
    for merchant in ["", "Test:Merchant", "Test Merchant", &"x".repeat(81)] {
        assert!(check("AQEyhmfxK4vJ", merchant).is_err_and(|problem| problem.credential() == Some(MERCHANT_ACCOUNT)));
    }
    assert!(check("AQEyhmfxK4vJ", "AQEyhmfxK4vJ").is_err_and(|problem| problem.credential() == Some(MERCHANT_ACCOUNT)));
    assert!(Adyen.check(&BTreeMap::new(), true).is_err());
    assert_eq!(Adyen.check_webhook_secret(&"0aF9".repeat(16)), Ok(()));
    for secret in ["", "whsec_x", &"0".repeat(63), &"g".repeat(64), &"0".repeat(66), &"0".repeat(64), &"fF".repeat(32)]
    {
        assert!(Adyen.check_webhook_secret(secret).is_err());
    }
}

#[test]
fn an_address_of_the_other_mode_is_refused() {
    let live = "https://1797a841fbb37ca7-Shop-checkout-live.adyenpayments.com/checkout";
    for live in ["https://checkout-live.adyen.com", "https://pal-live.adyen.com/x", live] {
        assert_eq!(Adyen.check_address(live, false), Err(SetupProblem::LiveAddress), "{live}");
        assert_eq!(Adyen.check_address(live, true), Ok(()), "{live}");
    }
    let (test, proxy) = ("https://checkout-test.adyen.com", "https://adyen.proxy.example");
    for (address, fits_test, fits_live) in [(live, false, true), (test, true, false), (proxy, true, true)] {
        assert_eq!(Adyen.check_address(address, false).is_ok(), fits_test, "{address}");
        assert_eq!(Adyen.check_address(address, true).is_ok(), fits_live, "{address}");
    }
}

#[test]
fn cards_are_offered_in_the_listed_currencies_and_nothing_else() {
    let takes =
        |method, code: &str| Adyen.takes(&account(), method, &[], Money::new(100, code.parse().unwrap())).is_ok();
    assert!(takes(Method::Card, "EUR") && takes(Method::Card, "USD") && !takes(Method::Card, "KPW"));
    assert!(!takes(Method::BankDebit, "EUR") && !takes(Method::BankDebit, "USD"));
}

#[test]
fn deliveries_are_answered_in_adyens_dialect() {
    assert_eq!(Adyen.reply(Disposition::Stored), Reply::text(202, "[accepted]"));
    assert_eq!(Adyen.reply(Disposition::Rejected).status, 401);
    assert_eq!(Adyen.reply(Disposition::Busy).status, 503);
}

#[test]
fn it_is_known_by_its_name() {
    let connector = crate::Registry::default().get("adyen").unwrap();
    assert_eq!(connector.provider(), "adyen");
    let capabilities = connector.capabilities(&account());
    assert!(capabilities.page_life_min < capabilities.page_life_max);
}

mod life {
    use domain::id::{AttemptId, MerchantId, ModificationId, PaymentId, ProviderAccountId, SessionId};
    use domain::money::Money;
    use domain::payment::{
        Answer, Attempt, Capture, Fact, Handoff, Modification, ModificationKind, Outcome, Payment, Refs, Status, decide,
    };
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;

    fn after(payment: &mut Payment, fact: Fact) {
        for event in decide(payment, &fact).unwrap() {
            payment.apply(&event);
        }
    }

    fn attempt() -> AttemptId {
        AttemptId::from_random([7; 16])
    }

    /// An authorised payment that is to be captured later, as webhooks would build it.
    fn opened() -> Payment {
        let amount = Money::new(1000, "EUR".parse().unwrap());
        let mut payment = Payment {
            id: PaymentId::from_random([1; 16]),
            merchant: MerchantId::from_random([1; 16]),
            amount,
            capture: Capture::Manual,
            canceled: false,
            attempts: vec![],
        };
        let (session, account) = (SessionId::from_random([1; 16]), ProviderAccountId::from_random([1; 16]));
        let new = Attempt::new(attempt(), session, account, Method::Card, amount, 0, 9_000_000);
        after(&mut payment, Fact::Start(Box::new(new)));
        let refs = Refs { session: Some("PL1".into()), payment: None };
        let handoff = Handoff::Redirect { url: "https://test.adyen.link/PL1".into() };
        after(&mut payment, Fact::Opened { attempt: attempt(), refs, handoff, until: None });
        payment
    }

    fn told(payment: &mut Payment, code: &str, success: bool, psp: &str, reference: &str, value: i64) {
        let original = if code == "AUTHORISATION" { "" } else { "PAY" };
        let item = json!({"live": "false", "item": {"eventCode": code, "success": success.to_string(),
            "pspReference": psp, "originalReference": original, "merchantAccountCode": "TestMerchant",
            "merchantReference": reference, "amount": {"value": value, "currency": "EUR"}, "reason": "Refused"}});
        let account = Account {
            id: ProviderAccountId::from_random([1; 16]),
            base_url: String::new(),
            live: false,
            credentials: BTreeMap::from([(MERCHANT_ACCOUNT.to_owned(), SecretString::from("TestMerchant"))]),
            webhook_secrets: vec![],
            tls: None,
        };
        let seen = Adyen.read(&account, item.to_string().as_bytes(), 5).unwrap();
        assert_eq!(seen.foreign, None);
        after(payment, Fact::Observed { attempt: attempt(), observation: seen.observation });
    }

    fn modified(payment: &mut Payment, random: u8, kind: ModificationKind, psp: &str) -> ModificationId {
        let id = ModificationId::from_random([random; 16]);
        let limits = Adyen.limits(&super::account(), Method::Card);
        let modification = Box::new(Modification::new(id.clone(), kind, 0));
        after(payment, Fact::Modify { attempt: attempt(), modification, limits });
        let answer = Answer::Accepted { reference: Some(psp.into()) };
        after(payment, Fact::Answered { attempt: attempt(), modification: id.clone(), answer });
        id
    }

    fn outcome(payment: &Payment, id: &ModificationId) -> Outcome {
        let attempt = &payment.attempts[0];
        attempt.modification(id).unwrap().outcome(&attempt.book)
    }

    #[test]
    fn a_payment_is_refused_authorised_captured_in_parts_refunded_and_disputed() {
        let mut payment = opened();
        let reference = format!("{}-m", attempt());
        told(&mut payment, "AUTHORISATION", false, "TRY1", &reference, 1000);
        assert!(payment.attempts[0].decline().is_some());
        told(&mut payment, "AUTHORISATION", true, "PAY", &reference, 1000);
        assert_eq!(payment.status(), Status::RequiresCapture);
        assert_eq!(payment.attempts[0].refs.payment.as_deref(), Some("PAY"));

        let first = modified(&mut payment, 1, ModificationKind::Capture { amount: 600, last: false }, "CAP1");
        let second = modified(&mut payment, 2, ModificationKind::Capture { amount: 400, last: true }, "CAP2");
        assert_eq!((outcome(&payment, &first), payment.totals().captured), (Outcome::Pending, 0));
        told(&mut payment, "CAPTURE", false, "CAP2", second.as_str(), 400);
        told(&mut payment, "CAPTURE", true, "CAP1", first.as_str(), 600);
        assert_eq!((outcome(&payment, &first), outcome(&payment, &second)), (Outcome::Succeeded, Outcome::Failed));
        assert_eq!((payment.status(), payment.totals().captured), (Status::Succeeded, 600));

        let refund = modified(&mut payment, 3, ModificationKind::Refund { amount: 200 }, "REF1");
        told(&mut payment, "REFUND", true, "REF1", refund.as_str(), 200);
        assert_eq!((outcome(&payment, &refund), payment.totals().refunded), (Outcome::Succeeded, 200));
        told(&mut payment, "REFUND_FAILED", true, "REF1", refund.as_str(), 200);
        assert_eq!((outcome(&payment, &refund), payment.totals().refunded), (Outcome::Failed, 0));

        told(&mut payment, "CHARGEBACK", true, "DIS1", &reference, 600);
        told(&mut payment, "NOTIFICATION_OF_CHARGEBACK", true, "DIS1", &reference, 600);
        assert_eq!(payment.totals().charged_back, 600);
        told(&mut payment, "CAPTURE_FAILED", true, "CAP1", first.as_str(), 600);
        assert_eq!((outcome(&payment, &first), payment.totals().captured), (Outcome::Failed, 0));
    }

    #[test]
    fn a_void_ends_with_its_webhook_either_way() {
        let authorised = || {
            let mut payment = opened();
            told(&mut payment, "AUTHORISATION", true, "PAY", &format!("{}-m", attempt()), 1000);
            let void = modified(&mut payment, 1, ModificationKind::Void, "CAN1");
            assert_eq!(outcome(&payment, &void), Outcome::Pending);
            (payment, void)
        };
        let (mut payment, void) = authorised();
        told(&mut payment, "CANCELLATION", true, "CAN1", void.as_str(), 1000);
        assert_eq!((outcome(&payment, &void), payment.status()), (Outcome::Succeeded, Status::Canceled));
        let (mut payment, void) = authorised();
        told(&mut payment, "CANCELLATION", false, "CAN1", void.as_str(), 1000);
        assert_eq!((outcome(&payment, &void), payment.status()), (Outcome::Failed, Status::RequiresCapture));
    }
}
