//! The simulation finds bugs: each planted one, within ten thousand seeds; and none where none is planted.

#![cfg(feature = "mutants")]

use domain::mutant::{self, Mutant};
use simulate::Layer;
use simulate::core::Core;

const SEEDS: u64 = 10_000;

#[test]
fn the_core_finds_every_planted_bug() {
    let mut missed = vec![];
    for mutant in Mutant::ALL {
        mutant::choose(Some(mutant));
        let mut core = Core::new().unwrap();
        let found = (0..SEEDS).find_map(|seed| core.run(seed).err().map(|violation| (seed, violation)));
        mutant::choose(None);
        match found {
            Some((seed, violation)) => {
                println!("{:<28} seed {seed:>5}  {}", format!("{mutant:?}"), violation.invariant);
                mutant::choose(Some(mutant));
                let again = Core::new().unwrap().replay(seed).violation;
                mutant::choose(None);
                assert_eq!(again, Some(violation), "{mutant:?}: seed {seed} replays exactly");
            }
            None => missed.push(mutant),
        }
    }
    assert_eq!(missed, vec![], "missed");
}

#[test]
fn nothing_is_found_where_nothing_is_planted() {
    let mut core = Core::new().unwrap();
    for seed in 0..20 * SEEDS {
        assert_eq!(core.run(seed), Ok(()), "seed {seed}");
    }
}
