//! Tests that the simulation finds each planted bug within ten thousand seeds, and no bug where none is planted.

#![cfg(feature = "mutants")]

use domain::mutant::{self, Mutant};
use simulate::Layer;
use simulate::core::Core;
use simulate::engine::EngineWorld;

const SEEDS: u64 = 10_000;

#[test]
fn the_core_finds_every_planted_bug() {
    let mut missed = vec![];
    for mutant in Mutant::ALL.into_iter().filter(|mutant| !IN_ENGINE_ALONE.contains(mutant)) {
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

/// The bugs that the core layer cannot find: it raises no alert about impossible amounts.
const IN_ENGINE_ALONE: [Mutant; 1] = [Mutant::OverdrawnIsSilent];

/// The bugs that the engine layer must find. Some others are in steps that the core layer takes in the engine's stead.
/// Some do no harm here, because the database refuses a second live attempt and providers refuse to return more than
/// they took. The rest need more bad luck than ten thousand seeds have.
const IN_ENGINE: [Mutant; 24] = [
    Mutant::OverdrawnIsSilent,
    Mutant::RefundIgnoresInFlight,
    Mutant::UnknownRefundNotReserved,
    Mutant::VoidDuringCapture,
    Mutant::MismatchApplied,
    Mutant::TotalsAddUp,
    Mutant::LateSuccessDropped,
    Mutant::SecondSuccessUnnoticed,
    Mutant::RefundFailureIgnored,
    Mutant::CaptureFailureIgnored,
    Mutant::LedgerForgetsReversals,
    Mutant::LedgerPostsTwice,
    Mutant::OutboxSkipsFailedRefunds,
    Mutant::OutboxSkipsAfterUnknown,
    Mutant::ClosedWithoutAsking,
    Mutant::NewKeyOnRetry,
    Mutant::ExpiredWithoutAsking,
    Mutant::ForgedAccepted,
    Mutant::UnknownIsForgotten,
    Mutant::RefusedStaysReserved,
    Mutant::PartialWinIsWhole,
    Mutant::SurplusFromOwed,
    Mutant::OrderRefundSwallows,
    Mutant::KeptIsSentBack,
];

#[test]
fn the_engine_layer_finds_planted_bugs_in_the_engine() {
    let mut missed = vec![];
    for mutant in IN_ENGINE {
        mutant::choose(Some(mutant));
        let mut world = EngineWorld::new().unwrap();
        let found = (0..SEEDS).find_map(|seed| world.run(seed).err().map(|violation| (seed, violation)));
        let again = found.as_ref().and_then(|(seed, _)| world.replay(*seed).violation);
        drop(world);
        mutant::choose(None);
        match found {
            Some((seed, violation)) => {
                println!("{:<28} seed {seed:>5}  {}", format!("{mutant:?}"), violation.invariant);
                assert_eq!(again, Some(violation), "{mutant:?}: seed {seed} replays exactly");
            }
            None => missed.push(mutant),
        }
    }
    assert_eq!(missed, vec![], "missed");
}

#[test]
fn the_engine_layer_finds_nothing_where_nothing_is_planted() {
    let mut world = EngineWorld::new().unwrap();
    for seed in 0..1_000 {
        assert_eq!(world.run(seed), Ok(()), "seed {seed}");
    }
}
