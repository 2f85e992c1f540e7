//! Times the core layer.
fn main() {
    let mut args = std::env::args().skip(1);
    let first: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(0);
    let n: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(100_000);
    let mut core = simulate::core::Core::default();
    if n == 0 { let f = core.replay(first); for l in f.trace { println!("{l}"); } println!("{:?}", f.violation); return; }
    let began = std::time::Instant::now();
    let mut bad: std::collections::BTreeMap<&'static str, (u64, u64, String)> = Default::default();
    for seed in first..first + n {
        if let Err(v) = core.run(seed) { let e = bad.entry(v.invariant).or_insert((seed, 0, v.detail)); e.1 += 1; }
    }
    let ms = began.elapsed().as_micros() as u64;
    println!("{n} seeds in {ms} µs: {} seeds/s", n * 1_000_000 / ms.max(1));
    for (k, v) in bad { println!("{k}: {v:?}"); }
}
