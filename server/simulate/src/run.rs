//! Runs many seeds on many threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::census::Census;
use crate::report::{Failure, Report, Violation};

/// A world that runs seeds, one after another.
pub trait Layer {
    /// Seeds that a thread takes at a time; a few milliseconds' worth.
    const BATCH: u64;

    /// Makes a world for the calling thread.
    ///
    /// # Errors
    /// The world cannot be set up; the text says why.
    fn new() -> Result<Self, String>
    where
        Self: Sized;

    /// Runs a seed.
    ///
    /// # Errors
    /// The first violation.
    fn run(&mut self, seed: u64) -> Result<(), Violation>;

    /// Runs a seed and writes down every step.
    fn replay(&mut self, seed: u64) -> Failure;

    /// The counts over all seeds so far.
    fn census(&self) -> Census;
}

/// The extent of a run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The first seed.
    pub first: u64,
    /// The number of seeds.
    pub seeds: u64,
    /// The number of threads.
    pub threads: usize,
    /// No seed begins after this time.
    pub budget: Option<Duration>,
    /// No seed begins after this many failures.
    pub failures_max: usize,
}

/// The interval between progress reports.
const PROGRESS: Duration = Duration::from_secs(2);

/// Runs seeds and reports the progress: seeds run and failures so far.
///
/// # Errors
/// A world cannot be made.
pub fn run<L: Layer>(options: Options, progress: impl Fn(u64, usize) + Sync) -> Result<Report, String> {
    let began = Instant::now();
    let (next, done, enough) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let shared = Mutex::new(Report::default());
    let errors = std::thread::scope(|scope| {
        let work = || -> Result<(), String> {
            let mut world = L::new()?;
            loop {
                let late = options.budget.is_some_and(|budget| began.elapsed() >= budget);
                let from = next.fetch_add(L::BATCH, Ordering::Relaxed);
                if late || from >= options.seeds || enough.load(Ordering::Relaxed) {
                    break;
                }
                let until = options.seeds.min(from + L::BATCH);
                for offset in from..until {
                    let seed = options.first.wrapping_add(offset);
                    let result = world.run(seed);
                    done.fetch_add(1, Ordering::Relaxed);
                    if let (Err(violation), Ok(mut report)) = (result, shared.lock()) {
                        report.failed.push((seed, violation));
                        enough.fetch_or(report.failed.len() >= options.failures_max, Ordering::Relaxed);
                    }
                }
            }
            if let Ok(mut report) = shared.lock() {
                report.census.add(&world.census());
            }
            Ok(())
        };
        let threads: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut told = Instant::now();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                progress(done.load(Ordering::Relaxed), shared.lock().map_or(0, |report| report.failed.len()));
            }
        }
        let ended = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into())));
        ended.collect::<Result<Vec<()>, String>>().err()
    });
    if let Some(error) = errors {
        return Err(error);
    }
    let mut report = shared.into_inner().unwrap_or_default();
    (report.seeds, report.took) = (done.load(Ordering::Relaxed), began.elapsed());
    report.failed.sort_by_key(|(seed, _)| *seed);
    Ok(report)
}
