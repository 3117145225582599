//! `lazaret running`.
