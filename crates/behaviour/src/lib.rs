//! Judges what a container does: pure functions from events and a sealed record to findings.
