//! Test mode and live mode. Everything that a merchant owns belongs to one of the two.

use serde::{Deserialize, Serialize};

/// Whether real money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No real money moves.
    Test,
    /// Real money moves.
    Live,
}

impl Mode {
    /// The mode with this flag, as tables and providers have it.
    #[must_use]
    pub fn of(live: bool) -> Mode {
        if live { Mode::Live } else { Mode::Test }
    }

    /// Whether real money moves.
    #[must_use]
    pub fn is_live(self) -> bool {
        self == Mode::Live
    }

    /// The mode's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Test => "test",
            Mode::Live => "live",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_its_flag_and_its_name() {
        for mode in [Mode::Test, Mode::Live] {
            assert_eq!(Mode::of(mode.is_live()), mode);
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
