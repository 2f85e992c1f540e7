//! Figures, medians and ratios, as whole numbers.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::Bench;
use super::intake::micros;
use super::open_pages::{BYTES_MAX, OpenPages};

/// One measurement of intake.
#[derive(Debug, Clone, Copy, Default)]
pub struct Intake {
    /// Acknowledged deliveries per second.
    pub per_second: u64,
    /// The median of the replies' times, in microseconds.
    pub p50_micros: u64,
    /// The 99th percentile of the replies' times, in microseconds.
    pub p99_micros: u64,
    /// Deliveries without an acknowledgement.
    pub refused: u64,
    /// The server's peak memory, in KiB.
    pub memory_kib: u64,
}

impl Intake {
    /// The figures of the latencies of acknowledged deliveries.
    pub fn of(mut latencies: Vec<u64>, refused: u64, took: Duration) -> Intake {
        latencies.sort_unstable();
        let count = u64::try_from(latencies.len()).unwrap_or(0);
        Intake {
            per_second: count.saturating_mul(1_000_000) / micros(took).max(1),
            p50_micros: percentile(&latencies, 50),
            p99_micros: percentile(&latencies, 99),
            refused,
            memory_kib: 0,
        }
    }
}

/// The percentile of sorted values, by nearest rank.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    percentile(&values, 50)
}

/// The figures of one variant.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// One per repetition.
    pub intake: Vec<Intake>,
    /// The same with deliveries about unknown payments. Empty if not measured.
    pub strangers: Vec<Intake>,
    /// Payments per second from the first delivery until all are paid, one per repetition. Empty if not measured.
    pub applied_per_second: Vec<u64>,
    /// The server's peak memory during that time, in KiB.
    pub applied_memory_kib: u64,
    /// Times from a delivery to the news on an open page, over all repetitions.
    pub push_micros: Vec<u64>,
    /// The memory of open pages, if measured.
    pub open_pages: Option<OpenPages>,
}

impl Figures {
    fn intake(&self, of: fn(&Intake) -> u64) -> u64 {
        median(self.intake.iter().map(of).collect())
    }

    /// The rate of deliveries about unknown payments relative to deliveries that concern no payment, in thousandths.
    fn strangers_per_mille(&self) -> Option<u64> {
        let rate = median(self.strangers.iter().map(|intake| intake.per_second).collect());
        (!self.strangers.is_empty()).then(|| rate * 1000 / self.intake(|intake| intake.per_second).max(1))
    }

    fn applied(&self) -> u64 {
        median(self.applied_per_second.clone())
    }

    fn memory_kib(&self) -> u64 {
        self.intake.iter().map(|i| i.memory_kib).max().unwrap_or(0).max(self.applied_memory_kib)
    }

    fn push(&self, percent: usize) -> u64 {
        let mut sorted = self.push_micros.clone();
        sorted.sort_unstable();
        percentile(&sorted, percent)
    }

    fn json(&self) -> Value {
        let rates: Vec<u64> = self.intake.iter().map(|intake| intake.per_second).collect();
        json!({
            "intake_per_second": self.intake(|i| i.per_second), "intake_per_second_each": rates,
            "intake_p50_us": self.intake(|i| i.p50_micros), "intake_p99_us": self.intake(|i| i.p99_micros),
            "intake_refused": self.intake.iter().map(|i| i.refused).sum::<u64>(),
            "strangers_per_second_each": self.strangers.iter().map(|intake| intake.per_second).collect::<Vec<_>>(),
            "memory_peak_kib": self.memory_kib(),
            "applied_per_second": self.applied(), "applied_per_second_each": self.applied_per_second,
            "push_p50_us": self.push(50), "push_p99_us": self.push(99),
            "open_pages": self.open_pages.map(|pages| json!({
                "count": pages.count, "bytes_each": pages.bytes_each, "idle_server_kib": pages.idle_kib,
            })),
        })
    }
}

/// The lowest rate of deliveries about other shops' payments, for a thousand that concern no payment. A lower rate
/// fails the benchmark.
const STRANGERS_MIN: u64 = 500;

/// All figures, by database and variant.
pub struct Report {
    pinned: bool,
    connections: usize,
    repetitions: usize,
    parts: Vec<(&'static str, Vec<(String, Figures)>)>,
}

impl Report {
    /// An empty report.
    pub fn new(options: &Bench, pinned: bool) -> Report {
        Report { pinned, connections: options.connections, repetitions: options.repetitions(), parts: vec![] }
    }

    /// Adds a database's figures.
    pub fn add(&mut self, database: &'static str, figures: Vec<(String, Figures)>) {
        self.parts.push((database, figures));
    }

    /// The memory of open pages, by database.
    fn open_pages(&self) -> impl Iterator<Item = (&'static str, OpenPages)> {
        let first = |(database, variants): &(&'static str, Vec<(String, Figures)>)| {
            Some((*database, variants.first()?.1.open_pages?))
        };
        self.parts.iter().filter_map(first)
    }

    /// The figures beyond their bounds, in words.
    pub fn beyond(&self) -> Vec<String> {
        let beyond = self.open_pages().filter(|(_, pages)| pages.bytes_each > BYTES_MAX);
        let words = |(database, pages): (&str, OpenPages)| {
            format!("{database}: an open page costs {} bytes of memory, and {BYTES_MAX} are the most", pages.bytes_each)
        };
        let mut beyond: Vec<String> = beyond.map(words).collect();
        for (database, variants) in &self.parts {
            let ratio = variants.first().and_then(|(_, figures)| figures.strangers_per_mille());
            if let Some(ratio) = ratio.filter(|ratio| *ratio < STRANGERS_MIN) {
                beyond.push(format!(
                    "{database}: stranger against idle is {}, and {} is the least",
                    thousandths(ratio),
                    thousandths(STRANGERS_MIN)
                ));
            }
        }
        beyond
    }

    fn ratios(&self) -> Vec<(String, u64)> {
        let mut ratios = vec![];
        let rate = |figures: &Figures| figures.intake(|intake| intake.per_second);
        for (database, variants) in &self.parts {
            let Some((first, base)) = variants.first() else { continue };
            for (other, figures) in &variants[1..] {
                let name = format!("{database}: intake, {first} against {other}");
                ratios.push((name, rate(base) * 1000 / rate(figures).max(1)));
            }
            if let Some(ratio) = base.strangers_per_mille() {
                ratios.push((format!("{database}: stranger against idle, {first}"), ratio));
            }
            ratios.push((
                format!("{database}: applied against intake, {first}"),
                base.applied() * 1000 / rate(base).max(1),
            ));
        }
        if let [(one, first), (two, second)] = &self.parts[..]
            && let (Some((variant, a)), Some((_, b))) = (first.first(), second.first())
        {
            ratios.push((format!("{two} against {one}: intake, {variant}"), rate(b) * 1000 / rate(a).max(1)));
            ratios.push((format!("{two} against {one}: applied, {variant}"), b.applied() * 1000 / a.applied().max(1)));
        }
        ratios
    }

    /// The figures as JSON. Ratios are in thousandths.
    pub fn json(&self) -> String {
        let mut databases = serde_json::Map::new();
        for (database, variants) in &self.parts {
            let variants: serde_json::Map<_, _> =
                variants.iter().map(|(variant, figures)| (variant.clone(), figures.json())).collect();
            databases.insert((*database).to_owned(), Value::Object(variants));
        }
        let ratios: serde_json::Map<_, _> =
            self.ratios().into_iter().map(|(name, ratio)| (name, json!(ratio))).collect();
        let (connections, repetitions, pinned) = (self.connections, self.repetitions, self.pinned);
        json!({"connections": connections, "repetitions": repetitions, "pinned": pinned, "databases": databases,
            "ratios_per_mille": ratios})
        .to_string()
    }
}

/// Thousandths as a decimal number.
fn thousandths(value: u64) -> String {
    format!("{}.{:03}", value / 1000, value % 1000)
}

/// A cell, or a dash if nothing was measured.
fn measured(values: &[u64], cell: impl FnOnce() -> String) -> String {
    if values.is_empty() { "-".to_owned() } else { cell() }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (connections, repetitions) = (self.connections, self.repetitions);
        let cores = if self.pinned { "server and load on a core each" } else { "not pinned" };
        writeln!(
            f,
            "\n{connections} connections, medians of {repetitions}, {cores}; latencies in ms, memory in MiB\n"
        )?;
        let heads = ["intake/s", "p50", "p99", "refused", "memory", "applied/s", "push p50", "push p99"];
        writeln!(f, "{:<20}{}", "", heads.map(|head| format!("{head:>10}")).concat())?;
        for (database, variants) in &self.parts {
            for (variant, figures) in variants {
                let cells = [
                    figures.intake(|i| i.per_second).to_string(),
                    thousandths(figures.intake(|i| i.p50_micros)),
                    thousandths(figures.intake(|i| i.p99_micros)),
                    figures.intake.iter().map(|i| i.refused).sum::<u64>().to_string(),
                    (figures.memory_kib() / 1024).to_string(),
                    measured(&figures.applied_per_second, || figures.applied().to_string()),
                    measured(&figures.push_micros, || thousandths(figures.push(50))),
                    measured(&figures.push_micros, || thousandths(figures.push(99))),
                ];
                let name = format!("{database}, {variant}");
                writeln!(f, "{name:<20}{}", cells.map(|cell| format!("{cell:>10}")).concat())?;
            }
        }
        writeln!(f)?;
        for (database, OpenPages { count, bytes_each, idle_kib }) in self.open_pages() {
            let idle = idle_kib / 1024;
            writeln!(
                f,
                "{database}: {bytes_each} bytes for each of {count} open pages; an idle server has {idle} MiB"
            )?;
        }
        self.ratios().into_iter().try_for_each(|(name, ratio)| writeln!(f, "{:>9} × {name}", thousandths(ratio)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_the_nearest_rank() {
        let values: Vec<u64> = (1..=100).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (50, 99));
        assert_eq!((percentile(&[7], 50), percentile(&[7], 99), percentile(&[], 50)), (7, 7, 0));
        assert_eq!(median(vec![9, 1, 5]), 5);
    }

    #[test]
    fn pages_that_cost_too_much_are_told() {
        let options = <Cli as clap::Parser>::parse_from(["bench"]);
        let mut report = Report::new(&options.bench, false);
        for (database, bytes_each) in [("sqlite", BYTES_MAX), ("postgres", BYTES_MAX + 1)] {
            let open_pages = Some(OpenPages { count: 1, bytes_each, idle_kib: 1 });
            report.add(database, vec![("group".to_owned(), Figures { open_pages, ..Figures::default() })]);
        }
        assert_eq!(report.beyond().len(), 1);
        assert!(report.beyond()[0].starts_with("postgres: an open page costs 16385 bytes"), "{:?}", report.beyond());
    }

    #[test]
    fn strangers_that_cost_too_much_are_told() {
        let options = <Cli as clap::Parser>::parse_from(["bench"]);
        let mut report = Report::new(&options.bench, false);
        let rate = |per_second| vec![Intake { per_second, ..Intake::default() }];
        for (database, strangers) in [("sqlite", 500), ("postgres", 499)] {
            let figures = Figures { intake: rate(1_000), strangers: rate(strangers), ..Figures::default() };
            report.add(database, vec![("group".to_owned(), figures)]);
        }
        assert_eq!(report.beyond(), ["postgres: stranger against idle is 0.499, and 0.500 is the least"]);
    }

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        bench: Bench,
    }

    #[test]
    fn a_rate_counts_what_was_acknowledged() {
        let intake = Intake::of(vec![3000, 1000, 2000], 1, Duration::from_millis(1500));
        assert_eq!((intake.per_second, intake.p50_micros, intake.p99_micros), (2, 2000, 3000));
        assert_eq!(thousandths(1234), "1.234");
    }
}
