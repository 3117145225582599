//! x
use anyhow::Result;
use std::path::Path;
pub(crate) fn run(_root: &Path, _o: &[&str]) -> Result<()> {
    anyhow::bail!("later")
}
