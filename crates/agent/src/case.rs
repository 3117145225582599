//! A program that a container ran, while it waits for its judgement.

use crate::seals::Sealed;
use std::sync::Arc;
use vocabulary::{Container, Event};

/// An execution whose digest is still to come. It holds what it is judged by: the container may have
/// ended by then.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) container: Container,
    pub(crate) sealed: Option<Arc<Sealed>>,
    pub(crate) event: Event,
    /// Whether the guard was asked before it began.
    pub(crate) asked: bool,
    /// Whether the file may have held something else when it began.
    pub(crate) doubtful: bool,
    /// Whether the kernel has already sent it the signal.
    pub(crate) stopped: bool,
}

impl Case {
    /// Whether its file may have held something else, as far as the file tells.
    pub(crate) fn doubted(mut self, doubtful: bool) -> Self {
        self.doubtful = doubtful && !self.asked;
        self
    }
}
