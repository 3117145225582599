//! `lazaret sealing`.

use crate::World;
use crate::exit::{Exit, Failure};

pub(crate) fn run(_world: &World, _args: &crate::args::SealArgs) -> Result<Exit, Failure> {
    Err(Failure::usage("this command is not there yet"))
}

pub(crate) fn seals(_world: &World, _command: crate::args::SealsCommand) -> Result<Exit, Failure> {
    Err(Failure::usage("this command is not there yet"))
}
