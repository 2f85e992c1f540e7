//! The kinds of facts by which the tables of transitions are keyed.

use crate::id::AttemptId;
use crate::payment::{Fact, Movement, News, Observation, Payment};

/// One kind of fact. A provider's reports are divided by their items, so one observation can be of several kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The shopper chose a method.
    Start,
    /// The provider opened the attempt.
    Opened,
    /// It is certain that the attempt was not opened.
    NotOpened,
    /// The request that opens the attempt was not answered.
    Unanswered,
    /// The attempt should be closed.
    CloseRequested,
    /// The provider names the attempt's page, so the page exists.
    Named,
    /// The provider reports a step without money.
    Step,
    /// The provider's page is closed for good.
    Ended,
    /// The provider reports an authorisation.
    Authorised,
    /// The provider reports captures, or their failure.
    Captured,
    /// The provider reports that an authorisation is gone.
    Released,
    /// The provider reports money that goes back: a refund, a dispute or a return.
    Back,
    /// The provider reports on a capture, void or refund that Till requested.
    Modified,
    /// The merchant called the payment off.
    Cancel,
    /// The merchant or Till requests a capture, void or refund.
    Modify,
    /// The provider answered, or did not answer, a capture, void or refund.
    Answered,
    /// The merchant keeps the money paid beyond the debt.
    Keep,
    /// The provider took a second payment on one page.
    Twin,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 18] = [
        Kind::Start,
        Kind::Opened,
        Kind::NotOpened,
        Kind::Unanswered,
        Kind::CloseRequested,
        Kind::Named,
        Kind::Step,
        Kind::Ended,
        Kind::Authorised,
        Kind::Captured,
        Kind::Released,
        Kind::Back,
        Kind::Modified,
        Kind::Cancel,
        Kind::Modify,
        Kind::Answered,
        Kind::Keep,
        Kind::Twin,
    ];

    /// The name in documents and alerts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Start => "start",
            Kind::Opened => "opened",
            Kind::NotOpened => "not opened",
            Kind::Unanswered => "unanswered",
            Kind::CloseRequested => "close requested",
            Kind::Named => "observed: page",
            Kind::Step => "observed: step",
            Kind::Ended => "observed: closed",
            Kind::Authorised => "observed: authorised",
            Kind::Captured => "observed: captured",
            Kind::Released => "observed: released",
            Kind::Back => "observed: money back",
            Kind::Modified => "observed: modification",
            Kind::Cancel => "cancel",
            Kind::Modify => "modify",
            Kind::Answered => "answered",
            Kind::Keep => "keep",
            Kind::Twin => "twin",
        }
    }

    /// Whether facts of this kind come from a provider. Only such facts move money.
    #[must_use]
    pub fn is_told(self) -> bool {
        self.is_observed() || matches!(self, Kind::Answered | Kind::Twin)
    }

    /// Whether the kind is part of an observation.
    #[must_use]
    pub fn is_observed(self) -> bool {
        use Kind::{Authorised, Back, Captured, Ended, Modified, Named, Released, Step};
        matches!(self, Named | Step | Ended | Authorised | Captured | Released | Back | Modified)
    }

    fn of_news(news: &News) -> Kind {
        match news {
            News::Step(_) => Kind::Step,
            News::Closed(_) => Kind::Ended,
            News::NotModified { .. } | News::Explained { .. } => Kind::Modified,
            News::Moved(movement) => match movement {
                Movement::Authorised { .. } => Kind::Authorised,
                Movement::Captured { .. } | Movement::Capture { .. } => Kind::Captured,
                Movement::Voided | Movement::Uncaptured { .. } => Kind::Released,
                _ => Kind::Back,
            },
        }
    }
}

/// The kinds of one fact: one, or several for an observation. A twin is a new attempt with an observation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kinds(u32);

impl Kinds {
    /// The kinds of a fact.
    #[must_use]
    pub fn of(fact: &Fact) -> Kinds {
        Kinds::one(match fact {
            Fact::Start(_) => Kind::Start,
            Fact::Opened { .. } => Kind::Opened,
            Fact::NotOpened { .. } => Kind::NotOpened,
            Fact::Unanswered { .. } => Kind::Unanswered,
            Fact::CloseRequested { .. } => Kind::CloseRequested,
            Fact::Observed { observation, .. } => return Kinds::of_observation(observation),
            Fact::Cancel => Kind::Cancel,
            Fact::Modify { .. } => Kind::Modify,
            Fact::Answered { .. } => Kind::Answered,
            Fact::Keep => Kind::Keep,
            Fact::Twin { observation, .. } => {
                let mut kinds = Kinds::of_observation(observation);
                kinds.add(Kind::Twin);
                return kinds;
            }
        })
    }

    fn of_observation(observation: &Observation) -> Kinds {
        let mut kinds = Kinds(0);
        if observation.refs.session.is_some() {
            kinds.add(Kind::Named);
        }
        if observation.modification.is_some() {
            kinds.add(Kind::Modified);
        }
        observation.news.iter().for_each(|news| kinds.add(Kind::of_news(news)));
        kinds
    }

    fn one(kind: Kind) -> Kinds {
        Kinds(1 << kind as u32)
    }

    fn add(&mut self, kind: Kind) {
        self.0 |= Kinds::one(kind).0;
    }

    /// The kinds, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.0 & Kinds::one(*kind).0 != 0)
    }

    /// The kind, if there is only one.
    #[must_use]
    pub fn single(self) -> Option<Kind> {
        self.iter().next().filter(|_| self.0.is_power_of_two())
    }
}

/// The attempt that a fact is about: a new attempt, the named attempt, or for a cancel the live attempt.
pub(super) fn subject<'a>(fact: &'a Fact, before: &'a Payment) -> Option<&'a AttemptId> {
    match fact {
        Fact::Start(attempt) | Fact::Twin { attempt, .. } => Some(&attempt.id),
        Fact::Opened { attempt, .. }
        | Fact::NotOpened { attempt, .. }
        | Fact::Unanswered { attempt }
        | Fact::CloseRequested { attempt, .. }
        | Fact::Observed { attempt, .. }
        | Fact::Modify { attempt, .. }
        | Fact::Answered { attempt, .. } => Some(attempt),
        Fact::Cancel => before.live().map(|live| &live.id),
        Fact::Keep => None,
    }
}
