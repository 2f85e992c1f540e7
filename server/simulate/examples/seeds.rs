//! `seeds core|engine FIRST COUNT [THREADS]` runs seeds; with a count of zero it replays one. With the feature
//! `mutants` the name of a planted bug may follow; such a run uses one thread. This example serves work on the
//! simulation itself; users have `till simulate`.

use simulate::{Layer, Options, core::Core, engine::EngineWorld, run};

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("core") => go::<Core>(&args),
        Some("engine") => go::<EngineWorld>(&args),
        _ => Err("which layer?".into()),
    }
}

fn go<L: Layer>(args: &[String]) -> Result<(), String> {
    let number = |at: usize| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(1);
    let (first, seeds, threads) = (number(1), number(2), number(3));
    #[cfg(feature = "mutants")]
    if let Some(name) = args.get(4) {
        return hunt::<L>(name, first, seeds);
    }
    if seeds == 0 {
        println!("{}", L::new()?.replay(first));
        return Ok(());
    }
    let threads = usize::try_from(threads).unwrap_or(1);
    let report = run::<L>(Options { first, seeds, threads, budget: None, failures_max: 10_000 }, |_, _| {})?;
    println!("{} seeds, {} a second, {} failed", report.seeds, report.speed(), report.failed.len());
    let mut kinds = std::collections::BTreeMap::new();
    for (seed, violation) in &report.failed {
        kinds.entry(violation.invariant).or_insert_with(Vec::new).push(*seed);
    }
    for (invariant, seeds) in kinds {
        println!("{invariant}: {} times, {:?}", seeds.len(), &seeds[..seeds.len().min(5)]);
    }
    for (text, count) in report.census.rows() {
        println!("{count:>12}  {text}");
    }
    Ok(())
}

/// Prints how many of the seeds find a planted bug, the first of these seeds, and the rules that found it. The name
/// `all` hunts every bug.
#[cfg(feature = "mutants")]
fn hunt<L: Layer>(name: &str, first: u64, seeds: u64) -> Result<(), String> {
    use domain::mutant::{Mutant, choose};
    for mutant in Mutant::ALL.into_iter().filter(|one| name == "all" || format!("{one:?}") == name) {
        choose(Some(mutant));
        let mut world = L::new()?;
        let found: Vec<_> =
            (first..first + seeds).filter_map(|seed| Some((seed, world.run(seed).err()?.invariant))).collect();
        drop(world);
        choose(None);
        println!("{:<28} {:>6} times, {:?}", format!("{mutant:?}"), found.len(), &found[..found.len().min(3)]);
    }
    Ok(())
}
