//! The English words.

use domain::checkout::Phase;
use domain::decline::{Action, DeclineClass};
use domain::method::Method;
use domain::session::Notice;

use super::words::{Facts, Problem, Said, Words};

/// The words of the language.
pub const WORDS: Words = Words {
    phase,
    notice,
    method,
    method_hint,
    problem,
    pay: |amount| format!("Pay {amount}"),
    quantity: |count| format!("Quantity {count}"),
    more_items: |count| match count {
        1 => "Show 1 more item".to_owned(),
        _ => format!("Show {count} more items"),
    },
    inactive: |merchant| {
        (
            "This payment link is not active",
            format!("Nothing can be paid here at the moment. Please ask {merchant} for a new link."),
        )
    },
    back_to: |merchant| format!("Back to {merchant}"),
    methods: "Payment method",
    order: "Your order",
    subtotal: "Subtotal",
    included: "included",
    total: "Total",
    each: "each",
    redirect_hint: "You will go to the payment provider's secure page and come back here afterwards.",
    no_methods: (
        "This shop cannot take this payment here",
        "Nothing was taken. Please ask the shop how to pay, or try again later.",
    ),
    check_again: "Check again",
    back: "Back to your payment",
    not_finished: "I did not finish paying",
    resume: "Continue to payment",
    to_bank: "Continue to your bank",
    choose_again: "Choose another way to pay",
    start_again: "Start again",
    more_time: "I need more time",
    ends_soon: "This checkout ends in less than five minutes.",
    time_left: "Time left:",
    opening: "Opening…",
    working: "One moment…",
    unreachable: "We could not reach the server, so we do not know what became of your last step. Check your connection. Do not pay again before this page shows where your payment stands.",
    setback: "Something went wrong with your last step. This page now shows where your payment stands.",
    redirecting: "Taking you to the payment page",
    redirecting_hint: "You are leaving for the payment provider's secure page. If nothing happens, use the button.",
    sending_hint: "You are leaving for the payment provider's secure page. Use the button.",
    go_on: "Continue to the payment page",
    code: "Pay with your app",
    code_scan: "Scan this code with your payment app, or copy it there. This page shows when the payment has arrived.",
    code_app: "Open your payment app with the button, or copy the code there. This page shows when the payment has arrived.",
    open_app: "Open the app",
    paid_to: "Paid to",
    reference: "Reference",
    help: "Questions?",
    by_till: "Secure checkout by Till",
    test_mode: "Test mode",
    test_hint: "No real money moves.",
    languages: "Language",
    home: "Checkout",
    home_hint: "Payment pages live at this address. To pay, open the link your merchant sent you.",
    skip: "Skip to payment",
};

fn said(tab: &'static str, title: &str, body: impl Into<String>, next: impl Into<String>) -> Said {
    Said { tab, title: title.to_owned(), body: body.into(), next: next.into() }
}

fn phase(phase: Phase, facts: &Facts) -> Said {
    let Facts { merchant, total, received, refunded, returned, kept, less, went_back, can_renew } = facts;
    let back = went_back.then_some(refunded);
    match phase {
        Phase::Choose => said(
            "Pay",
            "How would you like to pay?",
            format!("You are paying {total} to {merchant}."),
            WORDS.redirect_hint,
        ),
        Phase::Resume => said(
            "Payment open",
            "You have started to pay",
            "As far as we know, your payment has not arrived yet.",
            "If you have paid already, do not pay again: wait, and look here again in a few minutes. If not, continue where you left off, or choose another way to pay.",
        ),
        Phase::Opening => said(
            "Opening",
            "Opening the payment page",
            "We are asking the payment provider for a page. This takes a few seconds.",
            "Keep this page open.",
        ),
        Phase::Closing => said(
            "Stopping",
            "Stopping the payment",
            "We are closing the open payment page, so that nothing is paid twice.",
            "Keep this page open. You can choose again in a moment.",
        ),
        Phase::Confirming => said(
            "Confirming",
            "Confirming with your bank",
            "We are waiting for the payment provider to confirm your payment. This usually takes a few seconds.",
            "Keep this page open; do not pay again.",
        ),
        Phase::Authenticate => said(
            "Confirm",
            "Your bank asks you to confirm",
            format!("Your bank wants to be sure that it is you who pays {total}."),
            "Continue to your bank, or choose another way to pay.",
        ),
        Phase::Processing => said(
            "On its way",
            "Your payment is on its way",
            format!("Your bank is sending {total} to {merchant}. This can take several working days."),
            "There is nothing more to do; do not pay again. You can close this page and come back to it at any time.",
        ),
        Phase::Unknown => said(
            "Checking",
            "We are checking your payment",
            "The payment provider has not answered, so we do not know yet whether you have paid. We are asking the provider until we know.",
            "Do not pay again. This page changes by itself; you can also come back to it later.",
        ),
        Phase::Unclear => said(
            "Checking",
            "Your payment has to be looked at",
            "What the payment provider reports about your payment does not fit together, so we do not know where it stands.",
            format!("Do not pay again. If this page still says so in an hour, ask {merchant} and give the reference."),
        ),
        Phase::Declined(class) => said("Not accepted", "Your payment was not accepted", declined(class), advice(class)),
        Phase::Authorised => said(
            "Approved",
            "Your payment is approved",
            format!("Your bank has approved {total}. {merchant} will collect it later."),
            "There is nothing more to do. You can close this page.",
        ),
        Phase::Paid => said(
            "Paid",
            "Payment complete",
            format!("You paid {total} to {merchant}."),
            "You can close this page. Keep the reference if you have questions later.",
        ),
        Phase::PaidLate => said(
            "Paid late",
            "Your payment arrived late",
            format!("You paid {total} to {merchant} after this checkout had ended. The payment counts."),
            format!("Do not pay again. If you hear nothing, ask {merchant} and give the reference."),
        ),
        Phase::PartlyPaid => said(
            "Partly paid",
            "A part has been paid",
            format!("{received} of {total} has arrived."),
            format!("Please ask {merchant} how to settle the rest."),
        ),
        Phase::PartlyCollected => said(
            "Partly collected",
            "A part has been collected",
            format!("You approved {total}, and {merchant} has collected {received}."),
            "There is nothing more to do. You can close this page.",
        ),
        Phase::Overpaid => said(
            "Overpaid",
            "You have paid too much",
            match less {
                Some(less) => format!("{received} has arrived, but {merchant} takes only {less} for this order."),
                None => format!("{received} has arrived for an order of {total}."),
            } + &back.map_or_else(String::new, |back| format!(" {back} has already gone back to you.")),
            format!("Do not pay again. {merchant} has been told and will settle the difference with you."),
        ),
        Phase::OverpaidKept => said(
            "Overpaid",
            "You have paid more than the order",
            if *went_back {
                format!(
                    "More than the {total} of this order has arrived. {merchant} has sent back {refunded} and keeps {kept} beyond the order."
                )
            } else {
                format!("More than the {total} of this order has arrived, and {merchant} keeps {kept} of it.")
            },
            format!("Do not pay again. If you did not expect this, ask {merchant} and give the reference."),
        ),
        Phase::PartlyRefunded => said(
            "Partly refunded",
            "A part has been refunded",
            format!("{merchant} has sent back {refunded} of {received}."),
            "It can take several working days until your bank shows it.",
        ),
        Phase::Refunded => said(
            "Refunded",
            "Your payment has been refunded",
            format!("{merchant} has sent back {refunded}."),
            "It can take several working days until your bank shows it.",
        ),
        Phase::Returned => said(
            "Returned",
            "Your bank took money back",
            format!("Your bank took back {returned}, so {merchant} does not have this money."),
            format!("Please ask {merchant} how to pay now."),
        ),
        Phase::Cancelled => said(
            "Cancelled",
            "This payment was cancelled",
            format!("{merchant} has called it off. Nothing will be taken."),
            format!("You do not need to do anything. If you did not expect this, ask {merchant}."),
        ),
        Phase::Cancelling => said(
            "Cancelling",
            "This payment is being cancelled",
            format!(
                "{merchant} has called it off. We are waiting for the payment provider to confirm that nothing is taken."
            ),
            "Do not pay again. This page changes by itself; you can also come back to it later.",
        ),
        Phase::PaidCancelled => said(
            "Cancelled before it was paid",
            "This payment had been cancelled",
            format!("{merchant} had called it off before your payment arrived."),
            format!(
                "Do not pay again. Your money is held until {merchant} decides whether it goes back to you. If you hear nothing, ask {merchant} and give the reference."
            ),
        ),
        Phase::Released => said(
            "Approval ended",
            "The approval of your payment has ended",
            format!("Your approval of {total} ended before {merchant} collected the money. Nothing was taken."),
            "If you still want to pay, choose how.",
        ),
        Phase::Expired => said(
            "Expired",
            "This checkout has expired",
            "The time to pay ran out. Nothing was taken.",
            if *can_renew {
                "Start again to pay.".to_owned()
            } else {
                format!("Please ask {merchant} for a new link.")
            },
        ),
    }
}

fn declined(class: DeclineClass) -> &'static str {
    match class.shown() {
        DeclineClass::InsufficientFunds => {
            "Your bank says that there is not enough money, or that a limit has been reached."
        }
        DeclineClass::TryAgainLater => "Your bank could not be reached properly.",
        DeclineClass::DataError => "A number, a date or the security code was not right.",
        DeclineClass::ExpiredCard => "This card has expired.",
        DeclineClass::AuthenticationRequired => "Your bank could not confirm that it is you who is paying.",
        DeclineClass::CancelledByPayer => "You stopped the payment.",
        DeclineClass::ProviderError => "The payment could not be carried out. The fault is not yours.",
        DeclineClass::Generic | DeclineClass::DoNotRetry | DeclineClass::SuspectedFraud => {
            "Your bank refused the payment and gave no reason."
        }
    }
}

fn advice(class: DeclineClass) -> &'static str {
    match class.action() {
        Action::FixData => "Nothing was taken. Try again and check what you enter.",
        Action::OtherMethod => "Nothing was taken. Try again with another card or another way to pay.",
        Action::RetryLater => "Nothing was taken. Try again in a few minutes, or choose another way to pay.",
        Action::Authenticate => "Nothing was taken. Try again and confirm the payment with your bank.",
        Action::ContactBank => "Nothing was taken. Try another card, or ask your bank.",
        Action::Choose => "Nothing was taken. Choose how you would like to pay.",
    }
}

fn notice(notice: Notice) -> &'static str {
    match notice {
        Notice::MethodUnavailable => "This way to pay is not available here. Please choose another.",
        Notice::ProviderUnreachable => {
            "The payment provider could not be reached. Nothing was taken. Please try again in a moment."
        }
        Notice::ProviderRefused => {
            "The payment provider did not open the payment. Nothing was taken. Please choose another way to pay."
        }
        Notice::Cancelled => "The payment was stopped. Nothing was taken.",
        Notice::Extended => "You have more time now.",
        Notice::NotExtendable => "This checkout cannot be extended.",
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Card => "Card",
        Method::BankDebit => "Bank debit",
    }
}

fn method_hint(method: Method) -> &'static str {
    match method {
        Method::Card => "Credit or debit card",
        Method::BankDebit => "From your bank account; takes a few days",
    }
}

fn problem(problem: Problem) -> (&'static str, &'static str) {
    match problem {
        Problem::NotFound => ("There is nothing here", "Check the address, or ask the merchant for a new link."),
        Problem::NotOpened => (
            "One moment, please",
            "We could not open your payment link just now. No payment has begun with this visit. If you have paid through this link before, wait until it opens: it shows what became of that.",
        ),
        Problem::Unsure => (
            "We cannot show your payment right now",
            "We are looking, but we do not know yet where your payment stands. Do not pay again. This page shows it as soon as we know; you can also come back to it later.",
        ),
        Problem::Setback => (
            "Your last step may not have got through",
            "The trouble is on our side, so we do not know whether anything has begun. Do not pay again before your payment page shows where your payment stands. Go back to it in a moment: if it still offers your last step, you can try that again.",
        ),
        Problem::Busy => ("One moment, please", "The server is busy right now. Please try again in a few seconds."),
        Problem::BadRequest => (
            "That did not work",
            "We could not read the request, so it was not carried out. Go back to see where your payment stands.",
        ),
        Problem::Forbidden => (
            "That is not allowed",
            "The request came from another site, so it was not carried out. Open your payment link again.",
        ),
        Problem::TooMany => (
            "Too many tries",
            "There were too many requests in a short time, so this one was not carried out. Please wait a minute before you try again.",
        ),
        Problem::Internal => (
            "Something went wrong",
            "The fault is ours. Please try again in a few minutes. To see where a payment stands, open its link again.",
        ),
    }
}
