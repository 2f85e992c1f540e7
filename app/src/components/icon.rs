//! The icons, drawn as inline SVG, so that no page loads a picture from another server.

use leptos::prelude::*;

/// The subject of an icon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Glyph {
    /// A payment card.
    Card,
    /// A bank building.
    Bank,
    /// A check mark: done.
    Check,
    /// An exclamation mark: attention.
    Alert,
    /// A clock: waiting.
    Clock,
    /// An arrow back: money on its way back.
    Back,
    /// A cross: called off.
    Cross,
    /// A lock: security.
    Lock,
}

impl Glyph {
    /// Strokes in a box of 24 by 24.
    fn strokes(self) -> &'static str {
        match self {
            Glyph::Card => {
                "M2.5 7.5a2 2 0 0 1 2-2h15a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-15a2 2 0 0 1-2-2zM2.5 10h19M6 14.5h4"
            }
            Glyph::Bank => "M3 9.5 12 4l9 5.5zM5.5 9.5V17M10 9.5V17M14 9.5V17M18.5 9.5V17M3 20h18M4 17h16",
            Glyph::Check => "M5 12.5l4.5 4.5L19 7.5",
            Glyph::Alert => "M12 4.5v9.5M12 19v.01",
            Glyph::Clock => "M12 6.5V12l3.5 2.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
            Glyph::Back => "M9 6 4.5 10.5 9 15M5 10.5h9a5 5 0 0 1 0 10h-2",
            Glyph::Cross => "M7 7l10 10M17 7 7 17",
            Glyph::Lock => {
                "M7 11V8a5 5 0 0 1 10 0v3M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z"
            }
        }
    }
}

/// A decorative icon: the words beside it carry the meaning, so screen readers skip the icon.
#[component]
pub fn Icon(
    /// The subject.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            width="24"
            height="24"
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=glyph.strokes()></path>
        </svg>
    }
}
