//! Gives up, after the arguments are read and before anything of a stranger's is, what the command
//! does not need.
//!
//! What each command needs is said in one place, `needs`; how it is given up is `sandbox`. What the
//! machine cannot do is no error unless it was required: an old kernel still scans.

use crate::args::{Command, SandboxMode as Mode, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::helpers::{self, Broker};
use crate::world::World;
use crate::{needs, output, settings};
use sandbox::{Layer, Needs, State};
use serde::Serialize;
use std::sync::Arc;

/// Gives up what the command does not need.
pub(crate) fn enter(world: &mut World, command: &Command) -> Result<(), Failure> {
    let mode = world.global.sandbox.unwrap_or_default();
    let Some(needed) = needs::of(world, command) else { return Ok(()) };
    needed.folders.iter().try_for_each(needs::Folder::make)?;
    if mode == Mode::Off {
        return Ok(());
    }
    let config = settings::registry_credentials().docker_config;
    if needed.registry && config.is_some_and(|config| helpers::are_named(&config)) {
        // Without it a helper that is needed says that it cannot be run.
        world.helpers = Broker::start().ok().map(|broker| Arc::new(broker) as _);
    }
    let layers = sandbox::confine(&needed.needs);
    for Layer { name, state } in &layers {
        if let (State::Missing(reason), Mode::Require) = (state, mode) {
            return Err(Failure::usage(format!(
                "`--sandbox require`: {name} cannot be held here: {reason}; see `lazaret --sandbox-status`"
            )));
        }
        if world.global.verbose > 1 {
            world.printing.remark(&format!(
                "lazaret: sandbox: {name} {}: {}",
                state.word(),
                state.text()
            ));
        }
    }
    Ok(())
}

/// One layer, as it is shown.
#[derive(Serialize)]
struct Shown<'layer> {
    layer: &'layer str,
    state: &'layer str,
    detail: &'layer str,
}

#[derive(Serialize)]
struct Status<'layer> {
    schema: &'static str,
    layers: Vec<Shown<'layer>>,
}

/// Takes on what a command would that reads one file and connects to nobody, and says what holds.
pub(crate) fn status(format: StatusFormat) -> Result<Exit, Failure> {
    let needs = Needs {
        privileges: sandbox::Privileges {
            read_all: true,
            to_nobody: true,
            ..sandbox::Privileges::default()
        },
        ..Needs::default()
    };
    let layers = sandbox::confine(&needs);
    let whole = !layers.iter().any(|layer| layer.state.is_missing());
    let shown = layers.iter().map(|Layer { name, state }| Shown {
        layer: name,
        state: state.word(),
        detail: state.text(),
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    match format {
        StatusFormat::Json => {
            output::print_json(&Status { schema: "lazaret.sandbox-status/1", layers: shown })?
        }
        StatusFormat::Table => output::print(|out| {
            shown.iter().try_for_each(|Shown { layer, state, detail }| {
                writeln!(out, "{layer:<17}  {state:<8}  {detail}")
            })
        })?,
    }
    Ok(if whole { Exit::Clean } else { Exit::Incomplete })
}
