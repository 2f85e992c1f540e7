//! Random ids in the providers' forms.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new id: the prefix and `length` random letters and digits.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox stands for somebody else's system: it has randomness of its own"
)]
pub fn fresh(prefix: &str, length: usize) -> String {
    let mut random = vec![0_u8; length];
    // The sandbox cannot work without randomness, so it stops.
    getrandom::fill(&mut random).expect("the operating system has randomness");
    let tail = random.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    prefix.chars().chain(tail).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_carry_their_prefix_and_differ() {
        let (one, two) = (super::fresh("pi_", 24), super::fresh("pi_", 24));
        assert!(one.starts_with("pi_") && one.len() == 27);
        assert_ne!(one, two);
    }
}
