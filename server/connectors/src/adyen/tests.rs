use super::*;

fn check(key: &str, merchant: &str) -> Result<(), String> {
    let credentials = [(API_KEY, key), (MERCHANT_ACCOUNT, merchant)];
    let credentials = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Adyen.check(&BTreeMap::from(credentials), false)
}

#[test]
fn credentials_that_cannot_be_adyens_are_refused_with_a_sentence() {
    assert_eq!(check("AQEyhmfxK4vJbRdHw0m/n3Q5qf3Va+KRClRZ==-x.<y", "TestMerchant_ECOM-1"), Ok(()));
    for (key, merchant) in [("", "TestMerchant"), ("AQE key with spaces", "TestMerchant"), ("AQEyhmfxK4v\n", "Test")] {
        assert!(check(key, merchant).is_err_and(|text| text.contains(API_KEY)));
    }
    for merchant in ["", "Test:Merchant", "Test Merchant", &"x".repeat(81)] {
        assert!(check("AQEyhmfxK4vJ", merchant).is_err_and(|text| text.contains(MERCHANT_ACCOUNT)));
    }
    assert!(Adyen.check(&BTreeMap::new(), true).is_err());
    assert_eq!(Adyen.check_webhook_secret(&"0aF9".repeat(16)), Ok(()));
    for secret in ["", "whsec_x", &"0".repeat(63), &"g".repeat(64), &"0".repeat(66)] {
        assert!(Adyen.check_webhook_secret(secret).is_err());
    }
}

#[test]
fn cards_are_offered_in_the_listed_currencies_and_nothing_else() {
    assert_eq!(Adyen.methods("EUR".parse().unwrap()), vec![Method::Card]);
    assert_eq!(Adyen.methods("USD".parse().unwrap()), vec![Method::Card]);
    assert_eq!(Adyen.methods("KPW".parse().unwrap()), vec![]);
}

#[test]
fn deliveries_are_answered_in_adyens_dialect() {
    assert_eq!(Adyen.reply(Disposition::Stored), Reply { status: 202, body: "[accepted]" });
    assert_eq!(Adyen.reply(Disposition::Rejected).status, 401);
    assert_eq!(Adyen.reply(Disposition::Busy).status, 503);
}

#[test]
fn it_is_known_by_its_name() {
    let connector = crate::by_name("adyen").unwrap();
    assert_eq!((connector.provider(), crate::PROVIDERS.contains(&"adyen")), ("adyen", true));
    assert!(connector.capabilities().page_life_min < connector.capabilities().page_life_max);
}
