//! The parts that payment links and sessions share.

use super::{
    error::ApiError,
    fields::Fields,
    objects::{Capture, Checkout, Kind, Status},
    operation::Ctx,
    state::{Account, Timer},
    time,
};

/// Longest reference, in characters.
pub const REFERENCE: usize = 80;

/// Longest return address, in characters.
const RETURN_URL: usize = 1_024;

/// Longest delay of an automatic capture, hours.
const CAPTURE_DELAY: i64 = 28 * 24;

/// The time for which a page can be paid, in seconds.
#[derive(Debug)]
pub struct Lifetime {
    /// The lifetime unless the request names one.
    pub default: i64,
    /// The longest lifetime.
    pub longest: i64,
}

/// Reads the fields that links and sessions share.
pub fn read(ctx: &mut Ctx<'_>, fields: Fields, kind: Kind, id: String, life: &Lifetime) -> Result<Checkout, ApiError> {
    let merchant_account = merchant_account(ctx.account, &fields)?;
    let (amount, currency) = fields.amount()?;
    let reference = fields.required("reference", REFERENCE)?;
    let return_url = fields.text("returnUrl", RETURN_URL)?;
    if return_url.as_deref().is_some_and(|text| url::Url::parse(text).is_err()) {
        return Err(ApiError::kind_of("returnUrl", "an absolute address"));
    }
    fields.check_metadata()?;
    let now = ctx.now_ms / 1000;
    let expires_at = match fields.text("expiresAt", 40)? {
        None => now + life.default,
        Some(text) => {
            time::parse(&text).ok_or_else(|| ApiError::kind_of("expiresAt", "a date as 2026-12-31T23:59:59Z"))?
        }
    };
    if expires_at <= now || expires_at > now + life.longest {
        let hours = life.longest / 3600;
        return Err(ApiError::invalid(
            "702",
            format!("expiresAt must lie in the future, at most {hours} hours from now."),
        ));
    }
    Ok(Checkout {
        id,
        kind,
        merchant_account,
        reference,
        amount,
        currency,
        return_url,
        reusable: fields.boolean("reusable")?.unwrap_or(false),
        capture: capture(&fields)?,
        expires_at,
        request: fields.into_map(),
        status: Status::Active,
        tries: 0,
        challenge: None,
        refusal: None,
        results: Vec::new(),
    })
}

/// `merchantAccount`. A key has rights on the first merchant account that it names.
pub fn merchant_account(account: &mut Account, fields: &Fields) -> Result<String, ApiError> {
    let given = fields.required("merchantAccount", 80)?;
    if !given.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
        return Err(ApiError::merchant_account());
    }
    match &account.merchant_account {
        Some(own) if *own != given => Err(ApiError::merchant_account()),
        Some(_) => Ok(given),
        None => {
            account.merchant_account = Some(given.clone());
            Ok(given)
        }
    }
}

/// `manualCapture` and `captureDelayHours`. A delay of −1 hours means a manual capture.
fn capture(fields: &Fields) -> Result<Capture, ApiError> {
    let manual = fields.boolean("manualCapture")?.unwrap_or(false);
    match fields.integer("captureDelayHours")? {
        _ if manual => Ok(Capture::Manual),
        None | Some(0) => Ok(Capture::Automatic),
        Some(-1) => Ok(Capture::Manual),
        Some(hours @ 1..=CAPTURE_DELAY) => Ok(Capture::Delayed(hours)),
        Some(_) => Err(ApiError::kind_of("captureDelayHours", "-1 to 672 hours")),
    }
}

impl Account {
    /// Stores a new link or session, and plans its end.
    pub fn open_checkout(&mut self, checkout: Checkout) {
        self.common.timers.insert((checkout.expires_at * 1000, Timer::CloseCheckout(checkout.id.clone())));
        self.checkouts.insert(checkout);
    }

    /// Ends a page that was not paid. The provider sends no notification about this.
    pub fn close(&mut self, id: &str) {
        if let Some(checkout) = self.checkouts.get_mut(id).filter(|checkout| checkout.status == Status::Active) {
            checkout.status = Status::Expired;
            checkout.challenge = None;
        }
    }
}
