//! A provider's table of operations, and the look-up of a request's operation.

/// One operation of an API. `R` is the code that carries it out.
#[derive(Debug)]
pub struct Operation<R> {
    /// HTTP method.
    pub method: &'static str,
    /// The path below the API's root. `:id` matches one segment.
    pub path: &'static str,
    /// The operation's name in faults and logs.
    pub name: &'static str,
    /// The code.
    pub run: R,
}

/// A line of a table.
pub const fn op<R: Copy>(method: &'static str, path: &'static str, name: &'static str, run: R) -> Operation<R> {
    Operation { method, path, name, run }
}

/// An operation and the id in the path. The id is empty if the operation's path has none.
pub type Found<'p, R> = (&'static Operation<R>, &'p str);

/// The reason why there is no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoOperation {
    /// No route has this address.
    Address,
    /// The route at this address does not take this method.
    Method,
}

/// The operation for a method and a path below the API's root.
pub fn find<'p, R>(
    operations: &'static [Operation<R>],
    method: &str,
    path: &'p str,
) -> Result<Found<'p, R>, NoOperation> {
    let path = path.trim_end_matches('/');
    let mut missing = NoOperation::Address;
    for operation in operations {
        let Some(id) = matches(operation.path, path) else {
            continue;
        };
        if operation.method == method {
            return Ok((operation, id));
        }
        missing = NoOperation::Method;
    }
    Err(missing)
}

/// The id if the path matches the pattern. It is empty if the pattern has none.
fn matches<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let mut id = "";
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        if expected == ":id" && !segment.is_empty() {
            id = segment;
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    static OPERATIONS: &[Operation<u8>] = &[
        op("GET", "refunds", "list", 0),
        op("GET", "refunds/:id", "get", 1),
        op("POST", "refunds/:id/cancel", "cancel", 2),
    ];

    #[test]
    fn paths_find_their_operation() {
        let name = |method, path| find(OPERATIONS, method, path).map(|(operation, id)| (operation.name, id));
        assert_eq!(name("GET", "refunds"), Ok(("list", "")));
        assert_eq!(name("GET", "refunds/1"), Ok(("get", "1")));
        assert_eq!(name("GET", "refunds/1/"), Ok(("get", "1")));
        assert_eq!(name("POST", "refunds/1/cancel"), Ok(("cancel", "1")));
        assert_eq!(name("GET", "refunds//cancel"), Err(NoOperation::Address));
        assert_eq!(name("DELETE", "refunds/1"), Err(NoOperation::Method));
        assert_eq!(name("GET", ""), Err(NoOperation::Address));
        assert_eq!(name("GET", "refunds/1/cancel/2"), Err(NoOperation::Address));
    }
}
