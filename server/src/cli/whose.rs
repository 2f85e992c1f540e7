//! The merchant and the mode that a command means: the operator names both, or a row by its id.

use domain::Mode;
use domain::id::MerchantId;
use engine::{Installation, Scope};

/// The operator's installation: an operator who can run commands on the server may see and change everything.
pub(super) fn operator() -> Installation {
    Installation::operator()
}

/// The scope of a merchant and a mode that the command names.
pub(super) fn scope(merchant: &MerchantId, live: bool) -> Scope {
    operator().acting_for(merchant, Mode::of(live))
}

/// The words for an empty list of one mode, such as `payments`. `next` is what to do, if there is something.
pub(super) fn none_yet(what: &str, live: bool, next: &str) -> String {
    let next = if next.is_empty() { String::new() } else { format!("; {next}") };
    match live {
        false => format!("no test {what} yet{next}; --live lists the live ones"),
        true => format!("no live {what} yet{next}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_names_its_mode_and_the_other_one() {
        assert_eq!(none_yet("payments", false, ""), "no test payments yet; --live lists the live ones");
        assert_eq!(
            none_yet("links", true, "make one with `till link add`"),
            "no live links yet; make one with `till link add`"
        );
    }
}
