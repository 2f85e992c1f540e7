//! The content that an open page should show.

use super::plain::Plain;

/// The content of the page. An empty phase means that the token leads to no session and no link.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// The phase's name, in snake case.
    pub phase: String,
    /// A hash of `html`, by which the page notices a change.
    pub mark: String,
    /// Whether news can be expected within seconds.
    pub changing: bool,
    /// Whether this is the outcome of the payment.
    pub settled: bool,
    /// Milliseconds until the session ends, in phases in which the shopper can choose.
    pub ends_in: Option<i64>,
    /// The title of the tab: one line.
    pub title: String,
    /// The inside of the live region, rendered and escaped by the server.
    pub html: String,
}

impl Plain for Status {
    /// One line for each field; the HTML is the rest.
    fn write(&self) -> String {
        let flag = |is_set| if is_set { "yes" } else { "" };
        let ends_in = self.ends_in.map(|left| left.to_string()).unwrap_or_default();
        [self.phase.as_str(), &self.mark, flag(self.changing), flag(self.settled), &ends_in, &self.title, &self.html]
            .join("\n")
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.splitn(7, '\n');
        let mut next = || fields.next();
        Some(Status {
            phase: next()?.to_owned(),
            mark: next()?.to_owned(),
            changing: !next()?.is_empty(),
            settled: !next()?.is_empty(),
            ends_in: next()?.parse().ok(),
            title: next()?.to_owned(),
            html: next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_whatever_the_html_holds() {
        let status = Status {
            phase: "choose".to_owned(),
            mark: "1f".to_owned(),
            changing: false,
            settled: true,
            ends_in: Some(1),
            title: "Pay – Shop".to_owned(),
            html: "<p>\n\n</p>\n".to_owned(),
        };
        assert_eq!(Status::read(&status.write()), Some(status));
        assert_eq!(Status::read(&Status::default().write()), Some(Status::default()));
        assert_eq!(Status::read("a\nb"), None);
    }
}
