//! Closes an attempt's page at the provider. Subject: attempt.

use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::Error;
use crate::work::Next;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    Attempts::of(context).close(subject).await
}
