//! The waiting faults, each with a button to remove it.

use std::fmt::Write;

use crate::{
    control::faults::{Fault, Faults, Side},
    page::escape,
    provider::{View, mask},
};

/// The list, or a sentence when there are no faults.
pub fn html(faults: &Faults, views: &[View]) -> String {
    let list = faults.list();
    if list.is_empty() {
        return r#"<p class="empty">None: the simulator behaves. Add one below.</p>"#.to_owned();
    }
    let mut html = String::from(r#"<ul class="faults">"#);
    for fault in &list {
        let _ = write!(
            html,
            r#"<li><div class="fault"><p class="name"><strong>{title}</strong> <code>{kind}</code></p><p class="does">{effect}</p><p class="facts">{facts}</p></div><form method="post" action="/_control/form/faults/{id}/remove"><button type="submit" aria-label="Remove {title}, {id}">Remove</button></form></li>"#,
            title = escape(fault.kind.title()),
            kind = fault.kind.as_str(),
            effect = escape(&faults.effect(fault.kind)),
            facts = facts(fault, faults, views),
            id = escape(&fault.id),
        );
    }
    html + r#"</ul><form method="post" action="/_control/form/faults/clear" class="row"><button type="submit">Clear all faults</button></form>"#
}

/// The facts of a fault: provider, operation, frequency, account.
fn facts(fault: &Fault, faults: &Faults, views: &[View]) -> String {
    let provider = faults.provider(&fault.provider).map_or("Every provider", |about| about.title);
    let mut facts = vec![provider.to_owned(), operation(fault), often(fault)];
    if let Some(key) = &fault.account {
        let mut accounts = views.iter().flat_map(|view| &view.accounts);
        let known = accounts.find(|account| account.key == *key).map(|account| format!(" ({})", account.id));
        facts.push(format!("account {}{}", escape(&mask(key)), escape(&known.unwrap_or_default())));
    }
    if let Some(delay_ms) = fault.delay_ms {
        facts.push(format!("delay {delay_ms} ms"));
    }
    if let Some(copies) = fault.copies {
        facts.push(format!("{copies} extra"));
    }
    if let Some(delta) = fault.amount_delta {
        facts.push(format!("{delta:+} minor units"));
    }
    if fault.happened > 0 {
        facts.push(format!("happened {} so far", times(fault.happened)));
    }
    facts.iter().map(|fact| format!("<span>{fact}</span>")).collect()
}

fn operation(fault: &Fault) -> String {
    let sides: &[Side] = match &fault.on {
        Some(side) => std::slice::from_ref(side),
        None => fault.kind.sides(),
    };
    let all = match sides {
        [Side::Api] => "every API call",
        [Side::Webhook] => "every webhook",
        _ => "every API call and webhook",
    };
    match fault.operation.as_str() {
        "*" => all.to_owned(),
        name => format!("<code>{}</code>", escape(name)),
    }
}

fn often(fault: &Fault) -> String {
    let chance = fault.probability_permille.map(|permille| {
        let (whole, tenth) = (permille / 10, permille % 10);
        if tenth == 0 { format!("{whole} % of the time") } else { format!("{whole}.{tenth} % of the time") }
    });
    let left = match fault.count {
        None => "until removed".to_owned(),
        Some(1) => "once more".to_owned(),
        Some(count) => format!("{count} more times"),
    };
    chance.map_or(left.clone(), |chance| format!("{chance}, {left}"))
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use crate::control::faults::{Faults, Wanted};

    #[test]
    fn a_fault_is_told_in_words_and_foreign_text_is_data() {
        let faults = Faults::default();
        let json =
            r#"{"fault":"slow","operation":"<b>*","probability":0.125,"count":2,"account":"secret_<i>aaaaaaaa"}"#;
        faults.add(Wanted::read(json.as_bytes()).unwrap()).unwrap();
        let html = super::html(&faults, &[]);
        assert!(html.contains("12.5 % of the time, 2 more times"), "{html}");
        assert!(html.contains("&lt;b&gt;*") && !html.contains("<b>") && !html.contains("<i>"), "{html}");
    }
}
