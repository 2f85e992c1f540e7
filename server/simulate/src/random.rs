//! Random numbers from a seed: SplitMix64, small and fast enough for more than a million draws a second.

/// A generator. The same seed gives the same numbers on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for a seed. Neighbouring seeds differ from the first number on.
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x632b_e59b_d9b4_e019));
        random.next();
        random
    }

    /// 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from zero up to, but not including, the bound; zero for a bound of zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let high = u128::from(self.next()) * bound as u128;
        (high >> 64) as usize
    }

    /// True in `chance` of a hundred draws.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance as usize
    }

    /// An amount from one up to a bound.
    pub fn amount(&mut self, bound: i64) -> i64 {
        1 + i64::try_from(self.below(usize::try_from(bound).unwrap_or(0))).unwrap_or(0)
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_and_neighbours_give_others() {
        let first = |seed| Random::new(seed).next();
        assert_eq!(first(7), first(7));
        assert!((0..1_000).all(|seed| first(seed) != first(seed + 1)));
    }

    #[test]
    fn bounds_are_kept() {
        let mut random = Random::new(1);
        assert!((0..1_000).all(|_| random.below(3) < 3 && (1..=5).contains(&random.amount(5))));
        assert_eq!(random.below(0), 0);
    }
}
