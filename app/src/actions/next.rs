//! The shopper's next page after an action.

use super::plain::Plain;

/// The shopper's next page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// To the provider, by way of the `/go` page of the session with this token.
    Provider(String),
    /// Stay: the outcome is stored and the page shows it.
    Page,
    /// To another session, by its token.
    Session(String),
    /// The server has no room now, or something broke during the action. Only the session's page shows how far the action came. The token
    /// is that of a session which a press on a link's page may have begun before the failure.
    Busy(Option<String>),
    /// There is no such session.
    Gone,
}

impl Plain for Next {
    fn write(&self) -> String {
        match self {
            Next::Provider(token) => format!("provider {token}"),
            Next::Page => "page".to_owned(),
            Next::Session(token) => format!("session {token}"),
            Next::Busy(None) => "busy".to_owned(),
            Next::Busy(Some(token)) => format!("busy {token}"),
            Next::Gone => "gone".to_owned(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "page" => Some(Next::Page),
            "busy" => Some(Next::Busy(None)),
            "gone" => Some(Next::Gone),
            _ => match text.split_once(' ')? {
                ("provider", token) => Some(Next::Provider(token.to_owned())),
                ("session", token) => Some(Next::Session(token.to_owned())),
                ("busy", token) => Some(Next::Busy(Some(token.to_owned()))),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_reads_back() {
        let token = || "070w3ge1r70w3ge1r70w3ge1r7".to_owned();
        let busy = [Next::Busy(None), Next::Busy(Some(token()))];
        for next in [Next::Provider(token()), Next::Page, Next::Session(token()), Next::Gone].into_iter().chain(busy) {
            assert_eq!(Next::read(&next.write()), Some(next));
        }
        assert_eq!(Next::read("<script>"), None);
    }
}
