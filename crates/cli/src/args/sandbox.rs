//! `--sandbox`.

use clap::ValueEnum;

/// Whether it is given up: as far as the machine can, all of it or the program ends, or not at all.
// The variants have no comments of their own: help would show them, and grow to a line for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SandboxMode {
    #[default]
    Auto,
    Require,
    Off,
}
