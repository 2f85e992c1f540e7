//! The rows of the tables: for each kind of fact, the states before and the states after.

use super::{Kind, Place, Row, Status};

use Place::{Absent, Closed, Closing, Open, Opening, Unanswered};
use Status::{Canceled, Processing, RequiresAction, RequiresCapture, RequiresPaymentMethod, Succeeded, Unknown};

pub(super) const fn of(kind: Kind) -> &'static [Row] {
    match kind {
        Kind::Start => START,
        Kind::Opened => OPENED,
        Kind::NotOpened => NOT_OPENED,
        Kind::Unanswered => UNANSWERED,
        Kind::CloseRequested => CLOSE_REQUESTED,
        Kind::Named => NAMED,
        Kind::Step => STEP,
        Kind::Ended => ENDED,
        Kind::Authorised => AUTHORISED,
        Kind::Captured => CAPTURED,
        Kind::Released => RELEASED,
        Kind::Back => BACK,
        Kind::Modified => MODIFIED,
        Kind::Cancel => CANCEL,
        Kind::Modify => MODIFY,
        Kind::Answered => ANSWERED,
        Kind::Keep => KEEP,
        Kind::Twin => TWIN,
    }
}

const ANY: &[Status] = &Status::ALL;

const fn row(
    from: &'static [Status],
    places: &'static [Place],
    to: Option<Status>,
    place: Option<Place>,
    when: &'static str,
) -> Row {
    Row { from, places, to, place, when }
}

const START: &[Row] = &[row(&[RequiresPaymentMethod], &[Absent], None, Some(Opening), "a new attempt begins")];
const OPENED: &[Row] = &[
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing, RequiresCapture, Succeeded],
        &[Open, Closing, Closed],
        None,
        None,
        "the reply comes after other news; only what it adds is kept",
    ),
    row(&[Unknown], &[Closed], None, None, "the reply comes after other news; only what it adds is kept"),
    row(&[Canceled], &[Closing, Closed], None, None, "the reply comes after other news; only what it adds is kept"),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening],
        None,
        Some(Open),
        "the shopper can pay at the provider",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Unanswered],
        None,
        Some(Closing),
        "opened, but nothing is owed any more",
    ),
    row(&[Unknown], &[Unanswered], Some(RequiresPaymentMethod), Some(Open), "found: the shopper can pay"),
    row(&[Unknown], &[Unanswered], Some(RequiresAction), Some(Open), "found; the bank asks the shopper for something"),
    row(&[Unknown], &[Unanswered], Some(Processing), Some(Open), "found; under way"),
];
const NOT_OPENED: &[Row] = &[
    row(&[RequiresPaymentMethod], &[Opening], None, Some(Closed), "refused or unreachable; other money decides"),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Unanswered],
        None,
        Some(Closed),
        "refused or unreachable; other money decides",
    ),
    row(
        &[RequiresAction, Processing],
        &[Opening],
        Some(RequiresPaymentMethod),
        Some(Closed),
        "it was not opened: payable again",
    ),
    row(&[Unknown], &[Unanswered], Some(RequiresPaymentMethod), Some(Closed), "it was not opened: payable again"),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening],
        Some(Canceled),
        Some(Closed),
        "it was not opened, and the merchant has called the debt off",
    ),
    row(
        &[Unknown],
        &[Unanswered],
        Some(Canceled),
        Some(Closed),
        "it was not opened, and the merchant has called the debt off",
    ),
];
const UNANSWERED: &[Row] = &[
    row(&[RequiresCapture, Succeeded], &[Opening], None, Some(Unanswered), "no answer; other money decides"),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening],
        Some(Unknown),
        Some(Unanswered),
        "the provider does not answer",
    ),
];
const CLOSE_REQUESTED: &[Row] = &[row(
    &[RequiresPaymentMethod, RequiresAction],
    &[Open],
    None,
    Some(Closing),
    "another method, a cancel, or the end of time",
)];
const NAMED: &[Row] = &[
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing, RequiresCapture, Succeeded],
        &[Opening, Open, Closing, Closed],
        None,
        None,
        "its page was known",
    ),
    row(&[Unknown], &[Closed], None, None, "its page was known"),
    row(&[Canceled], &[Closing, Closed], None, None, "its page was known"),
    row(&[RequiresCapture, Succeeded], &[Unanswered], None, Some(Closing), "found, but nothing is owed any more"),
    row(&[Unknown], &[Unanswered], Some(RequiresPaymentMethod), Some(Open), "found: the shopper can pay"),
    row(&[Unknown], &[Unanswered], Some(RequiresAction), Some(Open), "found; the bank asks the shopper for something"),
    row(&[Unknown], &[Unanswered], Some(Processing), Some(Open), "found; under way"),
];
const STEP: &[Row] = &[
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing, Closed],
        None,
        None,
        "it changes nothing that counts",
    ),
    row(&[Unknown], &[Unanswered, Closed], None, None, "it changes nothing that counts"),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Open, Unanswered, Closing, Closed],
        None,
        None,
        "it changes nothing that counts",
    ),
    row(&[Canceled], &[Closing, Closed], None, None, "it changes nothing that counts"),
    row(&[RequiresCapture, Succeeded], &[Open], None, Some(Closing), "a page that nobody needs can be closed now"),
    row(
        &[RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(RequiresPaymentMethod),
        None,
        "waiting, or declined",
    ),
    row(
        &[RequiresPaymentMethod, Processing],
        &[Opening, Open, Closing],
        Some(RequiresAction),
        None,
        "the bank asks the shopper for something",
    ),
    row(&[Canceled], &[Closing], Some(RequiresAction), None, "the bank asks the shopper for something"),
    row(&[RequiresPaymentMethod, RequiresAction], &[Opening, Open, Closing], Some(Processing), None, "under way"),
    row(&[Canceled], &[Closing], Some(Processing), None, "under way"),
    row(&[RequiresAction, Processing], &[Closing], Some(Canceled), None, "waiting or declined, and called off"),
];
const ENDED: &[Row] = &[
    row(
        &[RequiresPaymentMethod],
        &[Opening, Open, Closing],
        None,
        Some(Closed),
        "over at the provider; other money decides",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Open, Unanswered, Closing],
        None,
        Some(Closed),
        "over at the provider; other money decides",
    ),
    row(&[Canceled], &[Closing], None, Some(Closed), "over at the provider; other money decides"),
    row(
        &[RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(RequiresPaymentMethod),
        Some(Closed),
        "failed, given up or expired: payable again",
    ),
    row(
        &[Unknown],
        &[Unanswered],
        Some(RequiresPaymentMethod),
        Some(Closed),
        "failed, given up or expired: payable again",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(Canceled),
        Some(Closed),
        "over, and the debt is called off",
    ),
    row(&[Unknown], &[Unanswered], Some(Canceled), Some(Closed), "over, and the debt is called off"),
];
const AUTHORISED: &[Row] = &[
    row(ANY, &[Closed], None, None, "told late; other money decides"),
    row(&[RequiresPaymentMethod], &[Opening, Open, Closing], None, Some(Closed), "approved; other money decides"),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Open, Unanswered, Closing],
        None,
        Some(Closed),
        "approved; other money decides",
    ),
    row(&[Canceled], &[Closing], None, Some(Closed), "approved; other money decides"),
    row(
        &[RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(RequiresPaymentMethod),
        Some(Closed),
        "approved, and released before that was told",
    ),
    row(
        &[Unknown],
        &[Unanswered],
        Some(RequiresPaymentMethod),
        Some(Closed),
        "approved, and released before that was told",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing, Unknown, Canceled],
        &[Closed],
        Some(RequiresCapture),
        None,
        "late success: approved after all",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(RequiresCapture),
        Some(Closed),
        "approved",
    ),
    row(&[Unknown], &[Unanswered], Some(RequiresCapture), Some(Closed), "approved"),
    row(&[Canceled], &[Closing], Some(RequiresCapture), Some(Closed), "approved"),
    row(
        &[RequiresPaymentMethod, Processing],
        &[Opening, Open, Closing],
        Some(Canceled),
        Some(Closed),
        "approved and released before that was told, and called off",
    ),
    row(
        &[RequiresAction],
        &[Open, Closing],
        Some(Canceled),
        Some(Closed),
        "approved and released before that was told, and called off",
    ),
    row(
        &[Unknown],
        &[Unanswered],
        Some(Canceled),
        Some(Closed),
        "approved and released before that was told, and called off",
    ),
];
const CAPTURED: &[Row] = &[
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing, Closed],
        None,
        None,
        "it changes nothing that counts",
    ),
    row(&[Unknown], &[Unanswered, Closed], None, None, "it changes nothing that counts"),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Open, Unanswered, Closing, Closed],
        None,
        None,
        "it changes nothing that counts",
    ),
    row(&[Canceled], &[Closing, Closed], None, None, "it changes nothing that counts"),
    row(&[Succeeded], &[Opening, Open, Unanswered, Closing], None, Some(Closed), "paid; other money had decided"),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(RequiresPaymentMethod),
        None,
        "the only capture has failed afterwards",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(RequiresAction),
        None,
        "the only capture has failed afterwards; another attempt waits for the shopper",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(Processing),
        None,
        "the only capture has failed afterwards; another attempt is under way",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(Unknown),
        None,
        "the only capture has failed afterwards; another attempt is unanswered",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing, Unknown, Succeeded, Canceled],
        &[Closed],
        Some(RequiresCapture),
        None,
        "a capture has failed afterwards, or is under way",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing, Unknown, RequiresCapture, Canceled],
        &[Closed],
        Some(Succeeded),
        None,
        "late success, or a capture",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(Succeeded),
        Some(Closed),
        "paid",
    ),
    row(&[Unknown], &[Unanswered], Some(Succeeded), Some(Closed), "paid"),
    row(&[RequiresCapture], &[Opening, Open, Unanswered, Closing], Some(Succeeded), Some(Closed), "paid"),
    row(&[Canceled], &[Closing], Some(Succeeded), Some(Closed), "paid"),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(Canceled),
        None,
        "the only capture of a payment called off has failed afterwards",
    ),
];
const RELEASED: &[Row] = &[
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing, Closed],
        None,
        None,
        "other money decides",
    ),
    row(&[Unknown], &[Unanswered, Closed], None, None, "other money decides"),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Open, Unanswered, Closing, Closed],
        None,
        None,
        "other money decides",
    ),
    row(&[Canceled], &[Closing, Closed], None, None, "other money decides"),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(RequiresPaymentMethod),
        None,
        "the provider has released it by itself: payable again",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(RequiresAction),
        None,
        "the approval is gone; another attempt waits for the shopper",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(Processing),
        None,
        "the approval is gone; another attempt is under way",
    ),
    row(
        &[RequiresCapture, Succeeded],
        &[Closed],
        Some(Unknown),
        None,
        "the approval is gone; another attempt is unanswered",
    ),
    row(
        &[Succeeded],
        &[Closed],
        Some(RequiresCapture),
        None,
        "what counted as captured was not; another approval stands",
    ),
    row(&[RequiresCapture, Succeeded], &[Closed], Some(Canceled), None, "released at the merchant's request"),
];
const BACK: &[Row] = &[
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing, Closed],
        None,
        None,
        "what goes back changes no debt",
    ),
    row(&[Unknown], &[Unanswered, Closed], None, None, "what goes back changes no debt"),
    row(
        &[RequiresCapture, Succeeded],
        &[Opening, Open, Unanswered, Closing, Closed],
        None,
        None,
        "what goes back changes no debt",
    ),
    row(&[Canceled], &[Closing, Closed], None, None, "what goes back changes no debt"),
    row(
        &[Succeeded],
        &[Opening, Open, Unanswered, Closing],
        None,
        Some(Closed),
        "money that goes back proves that it had been captured; other money had decided",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing, Unknown, RequiresCapture, Canceled],
        &[Closed],
        Some(Succeeded),
        None,
        "money that goes back proves that it had been captured",
    ),
    row(
        &[RequiresPaymentMethod, RequiresAction, Processing],
        &[Opening, Open, Closing],
        Some(Succeeded),
        Some(Closed),
        "money that goes back proves that it had been captured",
    ),
    row(
        &[Unknown],
        &[Unanswered],
        Some(Succeeded),
        Some(Closed),
        "money that goes back proves that it had been captured",
    ),
    row(
        &[RequiresCapture],
        &[Opening, Open, Unanswered, Closing],
        Some(Succeeded),
        Some(Closed),
        "money that goes back proves that it had been captured",
    ),
    row(
        &[Canceled],
        &[Closing],
        Some(Succeeded),
        Some(Closed),
        "money that goes back proves that it had been captured",
    ),
];
const MODIFIED: &[Row] = &[
    row(ANY, &[Closed], None, None, "its result is known"),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(RequiresPaymentMethod),
        None,
        "the capture of a released approval was not done: payable again",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(RequiresAction),
        None,
        "the capture of a released approval was not done; another attempt waits for the shopper",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(Processing),
        None,
        "the capture of a released approval was not done; another attempt is under way",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(Unknown),
        None,
        "the capture of a released approval was not done; another attempt is unanswered",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(Canceled),
        None,
        "the capture of an approval released on request was not done",
    ),
];
const CANCEL: &[Row] = &[
    row(&[RequiresAction, Processing], &[Closing], None, None, "said again, or the attempt that is closing decides"),
    row(&[Canceled], &[Absent], None, None, "said again, or the attempt that is closing decides"),
    row(&[RequiresAction], &[Open], None, Some(Closing), "called off; the attempt is to be closed"),
    row(&[RequiresPaymentMethod], &[Absent, Closing], Some(Canceled), None, "called off"),
    row(&[RequiresPaymentMethod], &[Open], Some(Canceled), Some(Closing), "called off; the attempt is to be closed"),
];
const MODIFY: &[Row] = &[row(&[RequiresCapture, Succeeded], &[Closed], None, None, "written down, to be sent")];
const ANSWERED: &[Row] = &[
    row(ANY, &[Closed], None, None, "its result is known, or not"),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(RequiresPaymentMethod),
        None,
        "the capture of a released approval was refused: payable again",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(RequiresAction),
        None,
        "the capture of a released approval was refused; another attempt waits for the shopper",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(Processing),
        None,
        "the capture of a released approval was refused; another attempt is under way",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(Unknown),
        None,
        "the capture of a released approval was refused; another attempt is unanswered",
    ),
    row(
        &[RequiresCapture],
        &[Closed],
        Some(Canceled),
        None,
        "the capture of an approval released on request was refused",
    ),
];
const KEEP: &[Row] = &[row(&[Succeeded], &[Absent], None, None, "what was paid too much is the merchant's")];
const TWIN: &[Row] =
    &[row(ANY, &[Absent], None, Some(Closed), "a second payment is recorded; its observation says what it is")];
