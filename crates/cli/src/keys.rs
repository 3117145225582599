//! `lazaret key`.

use crate::exit::{Exit, Failure};

pub(crate) fn run(_command: crate::args::KeyCommand) -> Result<Exit, Failure> {
    Err(Failure::usage("this command is not there yet"))
}
