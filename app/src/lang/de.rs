//! The German words.

use domain::checkout::Phase;
use domain::decline::{Action, DeclineClass};
use domain::method::Method;
use domain::session::Notice;

use super::words::{Facts, Problem, Said, Words};

/// The words of the language.
pub const WORDS: Words = Words {
    phase,
    notice,
    method,
    method_hint,
    problem,
    pay: |amount| format!("{amount} bezahlen"),
    quantity: |count| format!("Menge {count}"),
    more_items: |count| match count {
        1 => "1 weiteren Artikel zeigen".to_owned(),
        _ => format!("{count} weitere Artikel zeigen"),
    },
    inactive: |merchant| {
        (
            "Dieser Zahlungslink ist nicht aktiv",
            format!("Hier kann gerade nichts bezahlt werden. Bitte fragen Sie {merchant} nach einem neuen Link."),
        )
    },
    back_to: |merchant| format!("Zurück zu {merchant}"),
    methods: "Zahlungsart",
    order: "Ihre Bestellung",
    subtotal: "Zwischensumme",
    included: "enthalten",
    total: "Gesamt",
    each: "pro Stück",
    redirect_hint: "Sie gehen zur sicheren Seite des Zahlungsanbieters und kommen danach hierher zurück.",
    no_methods: (
        "Dieser Shop kann diese Zahlung hier nicht annehmen",
        "Es wurde nichts abgebucht. Bitte fragen Sie den Shop, wie Sie bezahlen können, oder versuchen Sie es später erneut.",
    ),
    check_again: "Noch einmal nachsehen",
    back: "Zurück zu Ihrer Zahlung",
    not_finished: "Ich habe nicht zu Ende bezahlt",
    resume: "Weiter zur Zahlung",
    to_bank: "Weiter zu Ihrer Bank",
    choose_again: "Anders bezahlen",
    start_again: "Neu beginnen",
    more_time: "Ich brauche mehr Zeit",
    ends_soon: "Diese Zahlungsseite endet in weniger als fünf Minuten.",
    time_left: "Verbleibende Zeit:",
    opening: "Wird geöffnet …",
    working: "Einen Moment …",
    unreachable: "Der Server ist nicht erreichbar; deshalb wissen wir nicht, was aus Ihrem letzten Schritt geworden ist. Prüfen Sie Ihre Verbindung. Bezahlen Sie nicht noch einmal, bevor diese Seite den Stand Ihrer Zahlung zeigt.",
    setback: "Bei Ihrem letzten Schritt ist etwas schiefgegangen. Diese Seite zeigt jetzt den Stand Ihrer Zahlung.",
    redirecting: "Weiter zur Zahlungsseite",
    redirecting_hint: "Sie werden zur sicheren Seite des Zahlungsanbieters gebracht. Wenn nichts geschieht, nutzen Sie den Knopf.",
    sending_hint: "Sie gehen zur sicheren Seite des Zahlungsanbieters. Nutzen Sie den Knopf.",
    go_on: "Weiter zur Zahlungsseite",
    code: "Mit Ihrer App bezahlen",
    code_scan: "Scannen Sie diesen Code mit Ihrer Zahlungs-App oder kopieren Sie ihn dorthin. Diese Seite zeigt, wenn die Zahlung angekommen ist.",
    code_app: "Öffnen Sie Ihre Zahlungs-App mit dem Knopf oder kopieren Sie den Code dorthin. Diese Seite zeigt, wenn die Zahlung angekommen ist.",
    open_app: "App öffnen",
    paid_to: "Bezahlt an",
    reference: "Referenz",
    help: "Fragen?",
    by_till: "Sicher bezahlen mit Till",
    test_mode: "Testmodus",
    test_hint: "Es fließt kein echtes Geld.",
    languages: "Sprache",
    home: "Bezahlen",
    home_hint: "Unter dieser Adresse liegen Zahlungsseiten. Öffnen Sie zum Bezahlen den Link, den Sie vom Händler bekommen haben.",
    skip: "Zur Zahlung springen",
};

fn said(tab: &'static str, title: &str, body: impl Into<String>, next: impl Into<String>) -> Said {
    Said { tab, title: title.to_owned(), body: body.into(), next: next.into() }
}

fn phase(phase: Phase, facts: &Facts) -> Said {
    let Facts { merchant, total, received, refunded, returned, kept, less, went_back, can_renew } = facts;
    let back = went_back.then_some(refunded);
    match phase {
        Phase::Choose => said(
            "Bezahlen",
            "Wie möchten Sie bezahlen?",
            format!("Sie bezahlen {total} an {merchant}."),
            WORDS.redirect_hint,
        ),
        Phase::Resume => said(
            "Zahlung offen",
            "Sie haben eine Zahlung begonnen",
            "Soweit wir wissen, ist sie noch nicht angekommen.",
            "Wenn Sie schon bezahlt haben, bezahlen Sie nicht noch einmal: Warten Sie, und sehen Sie in ein paar Minuten wieder hier nach. Wenn nicht, machen Sie da weiter, wo Sie aufgehört haben, oder bezahlen Sie anders.",
        ),
        Phase::Opening => said(
            "Wird geöffnet",
            "Die Zahlungsseite wird geöffnet",
            "Wir fragen den Zahlungsanbieter nach einer Seite. Das dauert einige Sekunden.",
            "Lassen Sie diese Seite offen.",
        ),
        Phase::Closing => said(
            "Wird beendet",
            "Die Zahlung wird beendet",
            "Wir schließen die offene Zahlungsseite, damit nichts doppelt bezahlt wird.",
            "Lassen Sie diese Seite offen. Gleich können Sie neu wählen.",
        ),
        Phase::Confirming => said(
            "Bestätigung",
            "Ihre Bank bestätigt die Zahlung",
            "Wir warten auf die Bestätigung des Zahlungsanbieters. Das dauert meist einige Sekunden.",
            "Lassen Sie diese Seite offen und bezahlen Sie nicht noch einmal.",
        ),
        Phase::Authenticate => said(
            "Bestätigen",
            "Ihre Bank bittet um Bestätigung",
            format!("Ihre Bank möchte sicher sein, dass Sie es sind, der {total} bezahlt."),
            "Gehen Sie weiter zu Ihrer Bank, oder bezahlen Sie anders.",
        ),
        Phase::Processing => said(
            "Unterwegs",
            "Ihre Zahlung ist unterwegs",
            format!("Ihre Bank überweist {total} an {merchant}. Das kann mehrere Werktage dauern."),
            "Sie müssen nichts weiter tun; bezahlen Sie nicht noch einmal. Sie können diese Seite schließen und jederzeit wieder öffnen.",
        ),
        Phase::Unknown => said(
            "Wird geprüft",
            "Wir prüfen Ihre Zahlung",
            "Der Zahlungsanbieter hat nicht geantwortet, deshalb wissen wir noch nicht, ob Sie bezahlt haben. Wir fragen ihn, bis wir es wissen.",
            "Bezahlen Sie nicht noch einmal. Diese Seite ändert sich von selbst; Sie können auch später zurückkommen.",
        ),
        Phase::Unclear => said(
            "Wird geprüft",
            "Ihre Zahlung muss geprüft werden",
            "Was der Zahlungsanbieter über Ihre Zahlung meldet, passt nicht zusammen. Wir wissen deshalb nicht, wie es um sie steht.",
            format!(
                "Bezahlen Sie nicht noch einmal. Wenn hier in einer Stunde noch dasselbe steht, fragen Sie {merchant} und nennen Sie die Referenz."
            ),
        ),
        Phase::Declined(class) => {
            said("Nicht angenommen", "Ihre Zahlung wurde nicht angenommen", declined(class), advice(class))
        }
        Phase::Authorised => said(
            "Genehmigt",
            "Ihre Zahlung ist genehmigt",
            format!("Ihre Bank hat {total} genehmigt. {merchant} zieht den Betrag später ein."),
            "Sie müssen nichts weiter tun. Sie können diese Seite schließen.",
        ),
        Phase::Paid => said(
            "Bezahlt",
            "Zahlung abgeschlossen",
            format!("Sie haben {total} an {merchant} bezahlt."),
            "Sie können diese Seite schließen. Bewahren Sie die Referenz für spätere Fragen auf.",
        ),
        Phase::PaidLate => said(
            "Spät bezahlt",
            "Ihre Zahlung kam spät an",
            format!("Sie haben {total} an {merchant} bezahlt, nachdem die Zeit abgelaufen war. Die Zahlung gilt."),
            format!(
                "Bezahlen Sie nicht noch einmal. Wenn Sie nichts hören, fragen Sie {merchant} und nennen Sie die Referenz."
            ),
        ),
        Phase::PartlyPaid => said(
            "Teilweise bezahlt",
            "Ein Teil ist bezahlt",
            format!("{received} von {total} sind angekommen."),
            format!("Bitte fragen Sie {merchant}, wie Sie den Rest begleichen."),
        ),
        Phase::PartlyCollected => said(
            "Teilweise eingezogen",
            "Ein Teil wurde eingezogen",
            format!("Sie haben {total} freigegeben. {merchant} hat davon {received} eingezogen."),
            "Sie müssen nichts weiter tun. Sie können diese Seite schließen.",
        ),
        Phase::Overpaid => said(
            "Zu viel bezahlt",
            "Sie haben zu viel bezahlt",
            match less {
                Some(less) => {
                    format!("{received} sind angekommen, aber {merchant} nimmt für diese Bestellung nur {less}.")
                }
                None => format!("{received} sind für eine Bestellung über {total} angekommen."),
            } + &back.map_or_else(String::new, |back| format!(" {back} sind schon an Sie zurückgegangen.")),
            format!("Bezahlen Sie nicht noch einmal. {merchant} weiß Bescheid und klärt die Differenz mit Ihnen."),
        ),
        Phase::OverpaidKept => said(
            "Zu viel bezahlt",
            "Sie haben mehr als die Bestellung bezahlt",
            if *went_back {
                format!(
                    "Für diese Bestellung über {total} ist mehr angekommen. {merchant} hat {refunded} zurückgeschickt und behält {kept} über die Bestellung hinaus."
                )
            } else {
                format!("Für diese Bestellung über {total} ist mehr angekommen. {merchant} behält davon {kept}.")
            },
            format!(
                "Bezahlen Sie nicht noch einmal. Wenn Sie das nicht erwartet haben, fragen Sie {merchant} und nennen Sie die Referenz."
            ),
        ),
        Phase::PartlyRefunded => said(
            "Teilweise erstattet",
            "Ein Teil wurde erstattet",
            format!("{merchant} hat {refunded} von {received} zurückgeschickt."),
            "Es kann mehrere Werktage dauern, bis Ihre Bank es zeigt.",
        ),
        Phase::Refunded => said(
            "Erstattet",
            "Ihre Zahlung wurde erstattet",
            format!("{merchant} hat {refunded} zurückgeschickt."),
            "Es kann mehrere Werktage dauern, bis Ihre Bank es zeigt.",
        ),
        Phase::Returned => said(
            "Zurückgebucht",
            "Ihre Bank hat Geld zurückgeholt",
            format!("Ihre Bank hat {returned} zurückgebucht; {merchant} hat dieses Geld also nicht."),
            format!("Bitte fragen Sie {merchant}, wie Sie jetzt bezahlen."),
        ),
        Phase::Cancelled => said(
            "Abgesagt",
            "Diese Zahlung wurde abgesagt",
            format!("{merchant} hat sie zurückgezogen. Es wird nichts abgebucht."),
            format!("Sie müssen nichts tun. Wenn Sie das nicht erwartet haben, fragen Sie {merchant}."),
        ),
        Phase::Cancelling => said(
            "Wird abgesagt",
            "Diese Zahlung wird abgesagt",
            format!(
                "{merchant} hat sie zurückgezogen. Wir warten auf die Bestätigung des Zahlungsanbieters, dass nichts abgebucht wird."
            ),
            "Bezahlen Sie nicht noch einmal. Diese Seite ändert sich von selbst; Sie können auch später zurückkommen.",
        ),
        Phase::PaidCancelled => said(
            "Vor dem Bezahlen abgesagt",
            "Diese Zahlung war schon abgesagt",
            format!("{merchant} hatte sie zurückgezogen, bevor Ihre Zahlung ankam."),
            format!(
                "Bezahlen Sie nicht noch einmal. Ihr Geld bleibt liegen, bis {merchant} entscheidet, ob Sie es zurückbekommen. Wenn Sie nichts hören, fragen Sie {merchant} und nennen Sie die Referenz."
            ),
        ),
        Phase::Released => said(
            "Freigabe beendet",
            "Die Freigabe Ihrer Zahlung ist beendet",
            format!(
                "Die Freigabe über {total} endete, bevor {merchant} das Geld eingezogen hat. Es wurde nichts abgebucht."
            ),
            "Wenn Sie noch bezahlen möchten, wählen Sie eine Zahlungsart.",
        ),
        Phase::Expired => said(
            "Abgelaufen",
            "Die Zeit ist abgelaufen",
            "Die Zeit zum Bezahlen ist um. Es wurde nichts abgebucht.",
            if *can_renew {
                "Beginnen Sie neu, um zu bezahlen.".to_owned()
            } else {
                format!("Bitte fragen Sie {merchant} nach einem neuen Link.")
            },
        ),
    }
}

fn declined(class: DeclineClass) -> &'static str {
    match class.shown() {
        DeclineClass::InsufficientFunds => "Laut Ihrer Bank reicht das Guthaben nicht, oder eine Grenze ist erreicht.",
        DeclineClass::TryAgainLater => "Ihre Bank war nicht richtig erreichbar.",
        DeclineClass::DataError => "Eine Nummer, ein Datum oder die Prüfziffer war nicht richtig.",
        DeclineClass::ExpiredCard => "Diese Karte ist abgelaufen.",
        DeclineClass::AuthenticationRequired => "Ihre Bank konnte nicht bestätigen, dass Sie es sind, der bezahlt.",
        DeclineClass::CancelledByPayer => "Sie haben die Zahlung beendet.",
        DeclineClass::ProviderError => "Die Zahlung konnte nicht ausgeführt werden. Es liegt nicht an Ihnen.",
        DeclineClass::Generic | DeclineClass::DoNotRetry | DeclineClass::SuspectedFraud => {
            "Ihre Bank hat die Zahlung ohne Angabe von Gründen abgelehnt."
        }
    }
}

fn advice(class: DeclineClass) -> &'static str {
    match class.action() {
        Action::FixData => "Es wurde nichts abgebucht. Versuchen Sie es noch einmal und prüfen Sie Ihre Eingaben.",
        Action::OtherMethod => {
            "Es wurde nichts abgebucht. Versuchen Sie es mit einer anderen Karte oder bezahlen Sie anders."
        }
        Action::RetryLater => {
            "Es wurde nichts abgebucht. Versuchen Sie es in einigen Minuten wieder, oder bezahlen Sie anders."
        }
        Action::Authenticate => {
            "Es wurde nichts abgebucht. Versuchen Sie es noch einmal und bestätigen Sie die Zahlung bei Ihrer Bank."
        }
        Action::ContactBank => {
            "Es wurde nichts abgebucht. Versuchen Sie es mit einer anderen Karte, oder fragen Sie Ihre Bank."
        }
        Action::Choose => "Es wurde nichts abgebucht. Wählen Sie, wie Sie bezahlen möchten.",
    }
}

fn notice(notice: Notice) -> &'static str {
    match notice {
        Notice::MethodUnavailable => "Diese Zahlungsart gibt es hier nicht. Bitte wählen Sie eine andere.",
        Notice::ProviderUnreachable => {
            "Der Zahlungsanbieter war nicht erreichbar. Es wurde nichts abgebucht. Bitte versuchen Sie es gleich noch einmal."
        }
        Notice::ProviderRefused => {
            "Der Zahlungsanbieter hat die Zahlung nicht eröffnet. Es wurde nichts abgebucht. Bitte wählen Sie eine andere Zahlungsart."
        }
        Notice::Cancelled => "Die Zahlung wurde beendet. Es wurde nichts abgebucht.",
        Notice::Extended => "Sie haben jetzt mehr Zeit.",
        Notice::NotExtendable => "Die Zeit kann nicht verlängert werden.",
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Card => "Karte",
        Method::BankDebit => "Lastschrift",
    }
}

fn method_hint(method: Method) -> &'static str {
    match method {
        Method::Card => "Kredit- oder Debitkarte",
        Method::BankDebit => "Von Ihrem Bankkonto; dauert einige Tage",
    }
}

fn problem(problem: Problem) -> (&'static str, &'static str) {
    match problem {
        Problem::NotFound => {
            ("Hier ist nichts", "Prüfen Sie die Adresse, oder fragen Sie den Händler nach einem neuen Link.")
        }
        Problem::NotOpened => (
            "Einen Moment, bitte",
            "Wir konnten Ihren Zahlungslink gerade nicht öffnen. Bei diesem Besuch hat keine Zahlung begonnen. Wenn Sie über diesen Link schon bezahlt haben, warten Sie, bis er sich öffnet: Er zeigt, was daraus geworden ist.",
        ),
        Problem::Unsure => (
            "Wir können Ihre Zahlung gerade nicht anzeigen",
            "Wir sehen nach, wissen aber noch nicht, wie es um Ihre Zahlung steht. Bezahlen Sie nicht noch einmal. Diese Seite zeigt es, sobald wir es wissen; Sie können auch später hierher zurückkommen.",
        ),
        Problem::Setback => (
            "Ihr letzter Schritt ist vielleicht nicht angekommen",
            "Die Störung liegt bei uns; deshalb wissen wir nicht, ob etwas begonnen hat. Bezahlen Sie nicht noch einmal, bevor Ihre Zahlungsseite den Stand Ihrer Zahlung zeigt. Gehen Sie gleich dorthin zurück: Wenn sie Ihren letzten Schritt noch anbietet, können Sie ihn dort noch einmal versuchen.",
        ),
        Problem::Busy => (
            "Einen Moment, bitte",
            "Der Server ist gerade ausgelastet. Bitte versuchen Sie es in einigen Sekunden noch einmal.",
        ),
        Problem::BadRequest => (
            "Das hat nicht geklappt",
            "Wir konnten die Anfrage nicht lesen; sie wurde nicht ausgeführt. Gehen Sie zurück, um den Stand Ihrer Zahlung zu sehen.",
        ),
        Problem::Forbidden => (
            "Das ist nicht erlaubt",
            "Die Anfrage kam von einer anderen Seite und wurde nicht ausgeführt. Öffnen Sie Ihren Zahlungslink noch einmal.",
        ),
        Problem::TooMany => (
            "Zu viele Versuche",
            "Es kamen zu viele Anfragen in kurzer Zeit; diese wurde nicht ausgeführt. Bitte warten Sie eine Minute, bevor Sie es noch einmal versuchen.",
        ),
        Problem::Internal => (
            "Etwas ist schiefgegangen",
            "Der Fehler liegt bei uns. Bitte versuchen Sie es in einigen Minuten noch einmal. Wie es um eine Zahlung steht, zeigt ihr Link.",
        ),
    }
}
