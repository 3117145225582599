//! `lazaret agent`.

use crate::World;
use crate::exit::{Exit, Failure};

pub(crate) fn run(_world: &World, _args: &crate::args::AgentArgs) -> Result<Exit, Failure> {
    Err(Failure::usage("this command is not there yet"))
}
