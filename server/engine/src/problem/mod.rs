//! The reasons why a request is refused or cannot be served, as data: a file for each room that gives them. They are below all rooms,
//! because [`crate::Error`] names them.

mod admin;
mod money;
mod store;

pub use admin::{AccountProblem, LinkProblem, MerchantProblem};
pub use money::{
    Choice, MoneyProblem, NothingToKeep, Obstacle, PartTaken, Proposal, Request, Rest, Settled, UnderWay, Waits,
};
pub use store::{BodyProblem, Damage, DatabaseProblem, Finding};
