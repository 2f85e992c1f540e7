//! Words for links that are refused.

use engine::problem::LinkProblem;

use super::amount;

pub(super) fn words(problem: &LinkProblem) -> String {
    let mode = |live: bool| if live { "live" } else { "test" };
    match problem {
        LinkProblem::CannotCaptureLater => {
            "a provider account of this merchant cannot capture later than it authorises".to_owned()
        }
        LinkProblem::NoAccount { live } => {
            format!("this merchant has no enabled {} provider account; add one with `till provider add`", mode(*live))
        }
        LinkProblem::NotTaken { live, rules } => {
            let rules: Vec<_> = rules.iter().map(amount::rule).collect();
            let mode = mode(*live);
            format!("no enabled {mode} provider account of this merchant takes this order: {}", rules.join("; "))
        }
        LinkProblem::Off(id) => format!("link {id} is switched off; switch it on with `till link enable {id}`"),
    }
}
