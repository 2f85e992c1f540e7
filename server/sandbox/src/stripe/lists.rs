//! Lists: newest first, with cursors in both directions and filters by time of creation (Stripe API reference, Pagination).

use serde_json::{Value, json};

use super::{error::ApiError, params::Params};
use crate::store::{Cursor, Keyed, Store};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: i64 = 100;

/// The parameters that all list requests share.
#[derive(Debug)]
pub struct Query {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    created: Created,
}

/// Bounds in Unix seconds, both inclusive.
#[derive(Debug, Clone, Copy)]
struct Created {
    from: i64,
    to: i64,
}

impl Query {
    /// Takes the shared parameters out of a request.
    pub fn take(params: &mut Params) -> Result<Query, ApiError> {
        let limit = match params.integer("limit")? {
            None => DEFAULT_LIMIT,
            Some(limit @ 1..=MAX_LIMIT) => usize::try_from(limit).unwrap_or(DEFAULT_LIMIT),
            Some(limit) if limit > MAX_LIMIT => {
                return Err(ApiError::invalid("This value must be less than or equal to 100 (it currently is more).")
                    .code("parameter_invalid_integer")
                    .param("limit"));
            }
            Some(_) => {
                return Err(ApiError::invalid("This value must be greater than or equal to 1.")
                    .code("parameter_invalid_integer")
                    .param("limit"));
            }
        };
        let after = params.string("starting_after", 200)?;
        let before = params.string("ending_before", 200)?;
        if after.is_some() && before.is_some() {
            return Err(
                ApiError::invalid("You cannot use both starting_after and ending_before.").param("ending_before")
            );
        }
        Ok(Query { limit, after, before, created: Created::take(params)? })
    }

    /// Renders one page.
    pub fn page<T: Keyed>(
        &self,
        store: &Store<T>,
        (object, url): (&str, &str),
        created: impl Fn(&T) -> i64,
        keep: impl Fn(&T) -> bool,
        wire: impl Fn(&T) -> Value,
    ) -> Result<Value, ApiError> {
        let position =
            |id: &str, param: &str| store.position(id).ok_or_else(|| ApiError::no_such(object, id, param).status(400));
        let cursor = match (&self.after, &self.before) {
            (Some(id), _) => Cursor::After(position(id, "starting_after")?),
            (None, Some(id)) => Cursor::Before(position(id, "ending_before")?),
            (None, None) => Cursor::Newest,
        };
        let within = |item: &T| (self.created.from..=self.created.to).contains(&created(item));
        let page = store.page(cursor, self.limit, |item| within(item) && keep(item));
        let data: Vec<Value> = page.items.into_iter().map(wire).collect();
        Ok(json!({"object": "list", "data": data, "has_more": page.has_more, "url": url}))
    }
}

impl Created {
    fn take(params: &mut Params) -> Result<Created, ApiError> {
        let mut bounds = Created { from: i64::MIN, to: i64::MAX };
        // The parameter is `created=…` or `created[gte]=…`.
        match params.object("created") {
            Ok(None) => {}
            Ok(Some(mut range)) => {
                if let Some(at) = range.integer("gt")? {
                    bounds.from = at.saturating_add(1);
                }
                if let Some(at) = range.integer("gte")? {
                    bounds.from = bounds.from.max(at);
                }
                if let Some(at) = range.integer("lt")? {
                    bounds.to = at.saturating_sub(1);
                }
                if let Some(at) = range.integer("lte")? {
                    bounds.to = bounds.to.min(at);
                }
                range.finish()?;
            }
            Err(_) => {
                return Err(ApiError::invalid(
                    "Invalid created: use created[gte], created[gt], created[lte] or created[lt].",
                )
                .param("created"));
            }
        }
        Ok(bounds)
    }
}
