//! The form that adds a fault, and the effects of all faults. A refused form keeps its input.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
};

use serde_json::Number;

use crate::{
    control::{
        faults::{Faults, Kind, Side, Wanted},
        number::decimal,
    },
    page::{escape, parts},
    provider::{About, View, mask},
};

/// A submitted form, and the error if it was refused.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    fields: HashMap<String, String>,
    /// The field of the error, and its sentence.
    error: Option<(&'static str, String)>,
}

impl Draft {
    /// Reads a submitted form.
    pub fn read(body: &[u8]) -> Draft {
        let fields = url::form_urlencoded::parse(body).into_owned().collect();
        Draft { fields, error: None }
    }

    /// The form with an error about a field.
    pub fn refused(mut self, field: &'static str, message: impl Into<String>) -> Draft {
        self.error = Some((field, message.into()));
        self
    }

    /// The value of a field. Empty when absent.
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.trim())
    }

    /// The fault that the form requests. `key_of` finds an account's key by its id, so that the page contains no key.
    pub fn wanted(&self, key_of: impl Fn(&str) -> Option<String>) -> Result<Wanted, (&'static str, String)> {
        let kind = Kind::named(self.get("fault")).ok_or(("fault", "Choose what goes wrong.".to_owned()))?;
        let whole = |name: &'static str, says: &str| match self.get(name) {
            "" => Ok(None),
            text => text.parse::<u64>().map(Some).map_err(|_| (name, says.to_owned())),
        };
        let says = "Give a whole number, or nothing.";
        let small = |name, value: Option<u64>| {
            value.map(u32::try_from).transpose().map_err(|_| (name, "This number is too large.".to_owned()))
        };
        let account = match self.get("account") {
            "" => None,
            id => Some(key_of(id).ok_or(("account", "This account is gone.".to_owned()))?),
        };
        let amount_delta = match self.get("amount_delta") {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| ("amount_delta", "Give a whole number of minor units, as 100 or -1.".to_owned()))?,
            ),
        };
        let on = match self.get("on") {
            "api" => Some(Side::Api),
            "webhook" => Some(Side::Webhook),
            _ => None,
        };
        Ok(Wanted {
            provider: Some(self.get("provider")).filter(|name| !name.is_empty()).unwrap_or("*").to_owned(),
            operation: Some(self.get("operation")).filter(|name| !name.is_empty()).unwrap_or("*").to_owned(),
            kind,
            on,
            count: small("count", whole("count", says)?.filter(|count| *count > 0))?,
            probability_permille: self.percent()?,
            probability: None::<Number>,
            account,
            delay_ms: whole("delay_ms", says)?,
            copies: small("copies", whole("copies", says)?)?,
            amount_delta,
        })
    }

    fn percent(&self) -> Result<Option<u16>, (&'static str, String)> {
        let text = self.get("probability").trim_end_matches('%').trim_end();
        if text.is_empty() {
            return Ok(None);
        }
        let permille = decimal(text, 1).and_then(|permille| u16::try_from(permille).ok());
        match permille.filter(|permille| *permille <= 1000) {
            Some(permille) => Ok(Some(permille)),
            None => Err(("probability", "Give a percentage from 0 to 100, as 25 or 12.5.".to_owned())),
        }
    }

    fn problem(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, message)| message.as_str())
    }
}

/// Renders the form.
pub fn html(draft: &Draft, faults: &Faults, views: &[View]) -> String {
    format!(
        r##"<form method="post" action="/_control/form/faults#add" class="add">{alerts}
<div class="grid">{fields}</div>
<datalist id="operations">{operations}</datalist>
<button type="submit" class="primary">Add fault</button></form>
<details class="kinds"><summary>What each fault does</summary>{kinds}</details>"##,
        alerts = alerts(draft),
        fields = fields(draft, faults, views),
        operations = suggestions(faults.providers()),
        kinds = kinds(faults),
    )
}

/// The error about the whole form, or a link to the field with an error.
fn alerts(draft: &Draft) -> String {
    let named = draft.error.as_ref().filter(|(field, _)| !field.is_empty());
    let summary = named.map_or_else(String::new, |(field, message)| {
        format!(
            r##"<p class="alert" role="alert">The fault was not added. <a href="#f-{field}">{}</a></p>"##,
            escape(message)
        )
    });
    parts::alert(draft.problem("")) + &summary
}

fn fields(draft: &Draft, faults: &Faults, views: &[View]) -> String {
    let text = |name, label, attributes, hint| input(draft, name, label, attributes, hint);
    [
        select(draft, "fault", "What goes wrong", &kind_options(draft.get("fault")), "", "wide-field"),
        select(draft, "provider", "Provider", &provider_options(draft.get("provider"), faults), "", ""),
        select(draft, "on", "Strikes", &side_options(draft.get("on")), "For unknown values and wrong amounts", ""),
        text(
            "operation",
            "Operation or event type",
            r#"list="operations" placeholder="every one" autocapitalize="none" spellcheck="false" autocomplete="off""#,
            "One name, or a beginning with * as refunds.*",
        ),
        text(
            "count",
            "How often",
            r#"inputmode="numeric" placeholder="1" autocomplete="off""#,
            "Empty: once; with a probability, until removed",
        ),
        text(
            "probability",
            "Probability, %",
            r#"inputmode="decimal" placeholder="100" autocomplete="off""#,
            "In how many of 100 cases",
        ),
        text(
            "delay_ms",
            "Delay, milliseconds",
            r#"inputmode="numeric" autocomplete="off""#,
            "Empty: as described with the fault",
        ),
        select(draft, "account", "Account", &account_options(draft.get("account"), views), "", ""),
        text(
            "copies",
            "Extra copies",
            r#"inputmode="numeric" placeholder="1" autocomplete="off""#,
            "For duplicates, 1 to 20",
        ),
        text(
            "amount_delta",
            "Wrong by, minor units",
            r#"placeholder="100" autocomplete="off""#,
            "For wrong amounts, as 100 or -1",
        ),
    ]
    .concat()
}

fn field(draft: &Draft, name: &str, label: &str, control: &str, hint: &str, class: &str) -> String {
    let problem = draft
        .problem(name)
        .map(|message| format!(r#"<p class="error" id="e-{name}">{}</p>"#, escape(message)))
        .unwrap_or_default();
    let hint =
        if hint.is_empty() { String::new() } else { format!(r#"<p class="hint" id="h-{name}">{}</p>"#, escape(hint)) };
    format!(r#"<div class="field {class}"><label for="f-{name}">{label}</label>{control}{hint}{problem}</div>"#)
}

/// The attributes that connect a field with its hint and its error.
fn ties(draft: &Draft, name: &str, hint: bool) -> String {
    let wrong = draft.problem(name).is_some();
    let about: Vec<String> =
        [(hint, "h"), (wrong, "e")].iter().filter(|(is, _)| *is).map(|(_, which)| format!("{which}-{name}")).collect();
    let mut ties = String::new();
    if !about.is_empty() {
        let _ = write!(ties, r#" aria-describedby="{}""#, about.join(" "));
    }
    if wrong {
        ties.push_str(r#" aria-invalid="true""#);
    }
    ties
}

fn input(draft: &Draft, name: &str, label: &str, attributes: &str, hint: &str) -> String {
    let control = format!(
        r#"<input id="f-{name}" name="{name}" value="{}" {attributes}{}>"#,
        escape(draft.get(name)),
        ties(draft, name, !hint.is_empty())
    );
    field(draft, name, label, &control, hint, "")
}

fn select(draft: &Draft, name: &str, label: &str, options: &str, hint: &str, class: &str) -> String {
    let control =
        format!(r#"<select id="f-{name}" name="{name}"{}>{options}</select>"#, ties(draft, name, !hint.is_empty()));
    field(draft, name, label, &control, hint, class)
}

fn option(value: &str, text: &str, chosen: &str) -> String {
    let selected = if value == chosen { " selected" } else { "" };
    format!(r#"<option value="{}"{selected}>{}</option>"#, escape(value), escape(text))
}

/// The three groups of kinds, each with its heading.
fn groups() -> [(&'static str, Vec<Kind>); 3] {
    let of = |sides: &[Side]| Kind::ALL.iter().copied().filter(|kind| kind.sides() == sides).collect();
    [
        ("API calls", of(&[Side::Api])),
        ("Webhooks", of(&[Side::Webhook])),
        ("API calls and webhooks", of(&[Side::Api, Side::Webhook])),
    ]
}

fn kind_options(chosen: &str) -> String {
    let mut html = String::new();
    for (title, kinds) in groups() {
        let options: String = kinds.iter().map(|kind| option(kind.as_str(), kind.title(), chosen)).collect();
        let _ = write!(html, r#"<optgroup label="{title}">{options}</optgroup>"#);
    }
    html
}

fn kinds(faults: &Faults) -> String {
    let mut html = String::new();
    for (title, kinds) in groups() {
        let _ = write!(html, "<h3>{title}</h3><dl>");
        for kind in kinds {
            let _ = write!(
                html,
                "<div><dt>{} <code>{}</code></dt><dd>{}</dd></div>",
                escape(kind.title()),
                kind.as_str(),
                escape(&faults.effect(kind))
            );
        }
        html.push_str("</dl>");
    }
    html
}

fn provider_options(chosen: &str, faults: &Faults) -> String {
    let each = faults.providers().iter().map(|about| option(about.name, about.title, chosen));
    std::iter::once(option("*", "Every provider", chosen)).chain(each).collect()
}

fn side_options(chosen: &str) -> String {
    [("", "API calls and webhooks"), ("api", "API calls only"), ("webhook", "Webhooks only")]
        .map(|(value, text)| option(value, text, chosen))
        .concat()
}

fn account_options(chosen: &str, views: &[View]) -> String {
    let of = |view: &View| {
        let each = view.accounts.iter();
        each.map(|account| option(&account.id, &format!("{} {}", view.about.title, mask(&account.key)), chosen))
            .collect::<String>()
    };
    std::iter::once(option("", "Every account", chosen)).chain(views.iter().map(of)).collect()
}

fn suggestions(providers: &[About]) -> String {
    // Two addresses may be the same operation.
    let names: BTreeSet<&str> = providers
        .iter()
        .flat_map(|about| (about.operations)().into_iter().chain(about.events.iter().copied()))
        .collect();
    names.into_iter().map(|name| format!(r#"<option value="{name}"></option>"#)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(form: &str) -> Result<Wanted, &'static str> {
        Draft::read(form.as_bytes()).wanted(|_| None).map_err(|(field, _)| field)
    }

    #[test]
    fn forms_become_faults() {
        let fault = wanted("fault=slow&provider=full&operation=+refunds.*+&count=3&probability=12%2C5+%25&delay_ms=20")
            .unwrap();
        assert_eq!((fault.kind, fault.provider.as_str(), fault.operation.as_str()), (Kind::Slow, "full", "refunds.*"));
        assert_eq!((fault.count, fault.probability_permille, fault.delay_ms), (Some(3), Some(125), Some(20)));
        let fault = wanted("fault=wrong_amount&operation=&count=&amount_delta=-1&copies=").unwrap();
        assert_eq!((fault.operation.as_str(), fault.count, fault.amount_delta), ("*", None, Some(-1)));
    }

    #[test]
    fn every_providers_names_are_suggested_once() {
        let about =
            |name| About { operations: || vec!["pay", "pay", "refund"], events: &["paid"], ..About::named(name, "") };
        let html = suggestions(&[about("one"), about("two")]);
        for name in ["pay", "refund", "paid"] {
            assert_eq!(html.matches(&format!(r#"value="{name}""#)).count(), 1, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        for (form, field) in [
            ("fault=melt", "fault"),
            ("fault=slow&count=x", "count"),
            ("fault=slow&count=99999999999", "count"),
            ("fault=slow&probability=101", "probability"),
            ("fault=slow&probability=-1", "probability"),
            ("fault=slow&delay_ms=1.5", "delay_ms"),
            ("fault=slow&account=acct_gone", "account"),
            ("fault=wrong_amount&amount_delta=much", "amount_delta"),
        ] {
            assert_eq!(wanted(form).unwrap_err(), field, "{form}");
        }
        let draft = Draft::read(b"fault=slow&count=\"x").refused("count", "Give <a number>.");
        let html = html(&draft, &Faults::default(), &[]);
        assert!(html.contains(r#"value="&quot;x""#) && html.contains("Give &lt;a number&gt;."), "{html}");
        assert!(html.contains(r#"aria-describedby="h-count e-count" aria-invalid="true""#), "{html}");
    }
}
