//! `lazaret verifying`.

use crate::World;
use crate::exit::{Exit, Failure};

pub(crate) fn run(_world: &World, _args: &crate::args::VerifyArgs) -> Result<Exit, Failure> {
    Err(Failure::usage("this command is not there yet"))
}
