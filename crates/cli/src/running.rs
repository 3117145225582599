//! `lazaret scan --running`.

use crate::World;
use crate::args::ScanArgs;
use crate::exit::{Exit, Failure};

pub(crate) fn run(_: &World, _: &ScanArgs, _: &policy::Policy) -> Result<Exit, Failure> {
    Err(Failure::usage("`--running` is not there yet"))
}
