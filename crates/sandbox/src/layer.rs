//! What holds, layer by layer: a value that is told, and no error.

/// A layer, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it is called, such as `files`.
    pub name: &'static str,
    /// Whether it holds.
    pub state: State,
}

/// Whether a layer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds, and so far.
    Holds(String),
    /// It is left out on purpose for what was asked.
    LeftOut(String),
    /// The machine does not have it.
    Missing(String),
}

impl State {
    /// Whether the machine does not have it.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }

    /// In one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Holds(_) => "holds",
            Self::LeftOut(_) => "left out",
            Self::Missing(_) => "missing",
        }
    }

    /// How far, or why not.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Holds(text) | Self::LeftOut(text) | Self::Missing(text) => text,
        }
    }
}
