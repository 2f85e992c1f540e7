//! The provider's request bodies: `application/x-www-form-urlencoded` with brackets for structure.

use super::error::ApiError;

/// The most pairs in one request and the most nesting levels in one name, far above any real request.
const PAIRS: usize = 4_000;
const DEPTH: usize = 8;

/// A parameter: a text, or named children. The elements of a list have the names 0, 1, 2 ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A value as sent.
    Text(String),
    /// Children in the order of their first appearance.
    Group(Vec<(String, Node)>),
}

/// Parses a body or a query string.
pub fn parse(encoded: &[u8]) -> Result<Vec<(String, Node)>, ApiError> {
    let mut root = Vec::new();
    for (count, (name, value)) in url::form_urlencoded::parse(encoded).enumerate() {
        if count >= PAIRS {
            return Err(ApiError::invalid("Too many parameters in one request."));
        }
        if name.is_empty() {
            continue;
        }
        let path = split(&name);
        if path.len() > DEPTH {
            return Err(ApiError::invalid("Parameters are nested too deeply.").param(&name));
        }
        if !insert(&mut root, &path, &value) {
            return Err(ApiError::invalid(format!("Invalid request: conflicting values for {name}")).param(&name));
        }
    }
    Ok(root)
}

/// Splits a name: `a[0][b]` → `a`, `0`, `b`. A name with unbalanced brackets stays whole and is therefore unknown.
fn split(name: &str) -> Vec<String> {
    let Some((head, rest)) = name.split_once('[') else {
        return vec![name.to_owned()];
    };
    let Some(inner) = rest.strip_suffix(']') else {
        return vec![name.to_owned()];
    };
    let mut path = vec![head.to_owned()];
    let mut rest = inner;
    loop {
        // A metadata key may itself hold brackets, so the key reaches to the last bracket.
        if path.last().is_some_and(|part| part == "metadata") {
            path.push(rest.to_owned());
            return path;
        }
        match rest.split_once("][") {
            Some((part, more)) => {
                path.push(part.to_owned());
                rest = more;
            }
            None => {
                path.push(rest.to_owned());
                return path;
            }
        }
    }
}

/// Places a value. False when a name is used both as a text and as a group.
fn insert(group: &mut Vec<(String, Node)>, path: &[String], value: &str) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return false;
    };
    let name = if name.is_empty() { position(group, rest) } else { name.clone() };
    let at = group.iter().position(|(known, _)| *known == name);
    if rest.is_empty() {
        return match at.map(|at| &mut group[at].1) {
            Some(Node::Group(_)) => false,
            Some(Node::Text(text)) => {
                value.clone_into(text);
                true
            }
            None => {
                group.push((name, Node::Text(value.to_owned())));
                true
            }
        };
    }
    let at = at.unwrap_or_else(|| {
        group.push((name, Node::Group(Vec::new())));
        group.len() - 1
    });
    match &mut group[at].1 {
        Node::Group(children) => insert(children, rest, value),
        Node::Text(_) => false,
    }
}

/// The index of `[]`: a new element, unless the last element still lacks the following field.
fn position(group: &[(String, Node)], rest: &[String]) -> String {
    if let (Some(next), Some((name, Node::Group(last)))) = (rest.first(), group.last())
        && !last.iter().any(|(known, _)| known == next)
    {
        return name.clone();
    }
    group.len().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &str) -> Node {
        Node::Text(value.to_owned())
    }

    fn group(children: &[(&str, Node)]) -> Node {
        Node::Group(children.iter().map(|(name, node)| ((*name).to_owned(), node.clone())).collect())
    }

    #[test]
    fn brackets_nest() {
        let parsed = parse(b"a[0][b]=1&a[0][c]=2&a%5B1%5D%5Bb%5D=x+y%20z&m=payment").unwrap();
        let a = group(&[("0", group(&[("b", text("1")), ("c", text("2"))])), ("1", group(&[("b", text("x y z"))]))]);
        assert_eq!(parsed, vec![("a".to_owned(), a), ("m".to_owned(), text("payment"))]);
    }

    #[test]
    fn empty_brackets_append() {
        let parsed = parse(b"e[]=x&e[]=y&l[][n]=1&l[][q]=2&l[][n]=3").unwrap();
        let e = group(&[("0", text("x")), ("1", text("y"))]);
        let l = group(&[("0", group(&[("n", text("1")), ("q", text("2"))])), ("1", group(&[("n", text("3"))]))]);
        assert_eq!(parsed, vec![("e".to_owned(), e), ("l".to_owned(), l)]);
    }

    #[test]
    fn metadata_keys_may_hold_brackets() {
        let parsed = parse(b"metadata[k[x]]=v&d[metadata][a]=b").unwrap();
        assert_eq!(parsed[0].1, group(&[("k[x]", text("v"))]));
        assert_eq!(parsed[1].1, group(&[("metadata", group(&[("a", text("b"))]))]));
    }

    #[test]
    fn the_last_of_two_equal_names_wins_and_conflicts_are_refused() {
        assert_eq!(parse(b"a=1&a=2").unwrap(), vec![("a".to_owned(), text("2"))]);
        assert!(parse(b"a=1&a[b]=2").is_err());
        assert!(parse(b"a[b]=1&a=2").is_err());
    }

    #[test]
    fn absurd_requests_are_refused() {
        assert!(parse("a=1&".repeat(PAIRS + 1).as_bytes()).is_err());
        assert!(parse(b"a[a][a][a][a][a][a][a][a][a]=1").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_written_value_is_read_back(name in "[a-z]{1,8}", index in 0_u8..9, value in "\\PC{0,40}") {
            let mut out = url::form_urlencoded::Serializer::new(String::new());
            out.append_pair(&format!("{name}[{index}][x]"), &value);
            // `metadata` takes the rest of the name as one key, see [`split`].
            prop_assume!(name != "metadata");
            let parsed = parse(out.finish().as_bytes()).unwrap();
            let expected = group(&[(&index.to_string(), group(&[("x", text(&value))]))]);
            prop_assert_eq!(parsed, vec![(name, expected)]);
        }
    }
}
