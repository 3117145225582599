//! The command line: parse, wire, print, exit code. Builds the one binary, `lazaret`.
//!
//! Everything that looks at the world outside of a command's input (environment, clock, terminal,
//! network) is taken here and handed down; the rooms below decide nothing about it. A command is a
//! file that nobody but `main` names; what several need (`world`, `reading`, `deciding`, `database`,
//! `output`, `exit`) lies below them all, and names none.

mod affected;
mod agent;
mod args;
mod artefact;
mod assessing;
mod checked;
mod clock;
mod compare;
mod config;
mod confine;
mod converting;
mod database;
mod db;
mod deadline;
mod deciding;
mod diff;
mod exit;
mod explain;
mod failures;
mod forms;
mod found;
mod freshness;
mod helpers;
mod keeping;
mod keys;
mod matching;
mod needs;
mod ours;
mod output;
mod policies;
mod policy_files;
mod progress;
mod reading;
mod rules;
mod running;
mod saved;
mod sbom;
mod scanning;
mod schema;
mod sealing;
mod seals;
mod selecting;
mod settings;
mod several;
mod updates;
mod verdict;
mod verifying;
mod world;

use args::{Cli, Command, DbCommand};
use clap::{CommandFactory, FromArgMatches};
use exit::{Exit, Failure};
use output::Printing;
use signal_hook::consts::{SIGABRT, SIGXFSZ};
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use world::World;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(internal_error));
    exit_where_memory_ends();
    let ended = match parsed() {
        Ok(cli) => run(cli),
        Err(error) => wrong_arguments(&error),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure);
            failure.exit().into()
        }
    }
}

/// The command line, with what the environment says of its settings.
fn command_line() -> clap::Command {
    args::settings::declared(Cli::command())
}

fn parsed() -> Result<Cli, clap::Error> {
    let matches = command_line().try_get_matches()?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command_line()))
}

/// Where the results of a command go, of those that write any.
fn outputs_of(command: &mut Command) -> Option<&mut args::OutputArgs> {
    match command {
        Command::Scan(args) => Some(&mut args.output),
        Command::Sbom(args) => Some(&mut args.output),
        Command::Diff(args) => Some(&mut args.output),
        Command::Verify(args) => Some(&mut args.output),
        Command::Convert(args) => Some(&mut args.output),
        _ => None,
    }
}

/// Where memory cannot be had the standard library says so in a line and aborts: that is an exit code
/// here, and no dump of what was in memory. So is a stack that overflows.
fn exit_where_memory_ends() {
    let always = Arc::new(AtomicBool::new(true));
    let code = i32::from(exit::EXHAUSTED);
    // Without the handler it aborts, which is no pass either.
    let _ = signal_hook::flag::register_conditional_shutdown(SIGABRT, code, always);
    // A file that may grow no further is an error of who writes it, and not the end of the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

/// Says what is wrong with the arguments, in several lines; in one, escaped, where an argument or a
/// variable that stands for one holds what a terminal would act on. Help and version go to standard
/// output, and are no error.
fn wrong_arguments(error: &clap::Error) -> Result<Exit, Failure> {
    if !error.use_stderr() {
        let text = error.render();
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let text = if colour { text.ansi().to_string() } else { text.to_string() };
        return output::print(|out| out.write_all(text.as_bytes())).map(|()| Exit::Clean);
    }
    let is_ours = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        ["LAZARET_", "DOCKER_", "CONTAINERD_"].iter().any(|start| name.starts_with(start))
    };
    let variables = std::env::vars_os().filter(|(name, _)| is_ours(name)).map(|(_, value)| value);
    let hostile = std::env::args_os().skip(1).chain(variables).any(|text| {
        let text = text.to_string_lossy();
        report::one_line(&text) != text
    });
    if hostile {
        output::say(&format!("lazaret: {}", error.render().to_string().trim_end()));
    } else {
        let _ = error.print();
    }
    Ok(Exit::Usage)
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    if let Some(format) = cli.sandbox_status {
        return confine::status(format);
    }
    let Some(mut command) = cli.command else {
        return Err(Failure::usage("no command is given; see `lazaret --help`"));
    };
    let found = takes_what_is_found(&command);
    let mut settings = config::load(cli.global.config.as_deref(), found)?.under_environment();
    if settings.state.is_none() {
        // By who we are now: root may be nobody from here on.
        settings.state = settings::default_state().ok();
    }
    let printing = Printing::new(&cli.global, &settings);
    let mut world = World { global: cli.global, settings, printing, helpers: None };
    if let Some(args) = outputs_of(&mut command) {
        let configured = if args.format.is_none() { world.default_format()? } else { None };
        for remark in output::settle(args, configured)? {
            world.printing.remark(&remark);
        }
        checked::outputs(args)?;
    }
    checked::values(&world, &command)?;
    confine::enter(&mut world, &command)?;
    // A thread of its own, which is held as all others are.
    deadline::keep(&command)?;
    match command {
        Command::Scan(args) => scanning::run(&world, &args),
        Command::Sbom(args) => sbom::run(&world, &args),
        Command::Seal(args) => sealing::run(&world, &args),
        Command::Verify(args) => verifying::run(&world, &args),
        Command::Seals(command) => seals::run(&world, command),
        Command::Key(command) => keys::run(command),
        Command::Agent(args) => agent::run(&world, &args),
        Command::Affected(args) => affected::run(&world, &args),
        Command::Explain(args) => explain::run(&world, &args),
        Command::Policy(command) => policies::run(&world, *command),
        Command::Config(command) => schema::run(command, &command_line()),
        Command::Diff(args) => diff::run(&world, &args),
        Command::Convert(args) => converting::run(&world, &args),
        Command::Db(DbCommand::Compare { ecosystem, left, right }) => {
            compare::run(&ecosystem, &left, right.as_deref())
        }
        Command::Db(command) => db::run(&world, command),
        Command::CredentialHelpers => helpers::serve(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command_line(), "lazaret", &mut script);
            output::print(|out| out.write_all(&script)).map(|()| Exit::Clean)
        }
        Command::Man { command } => man(&command),
    }
}

/// Whether what was found beside the sources has a say: not where nothing is decided, and not where
/// it was told to have none.
fn takes_what_is_found(command: &Command) -> bool {
    match command {
        Command::Completions { .. }
        | Command::Man { .. }
        | Command::Key(_)
        | Command::Config(_)
        | Command::Convert(_) => false,
        Command::Scan(args) => !args.policy.no_project_policy,
        Command::Diff(args) => !args.policy.no_project_policy,
        _ => true,
    }
}

/// The manual page of the program, or of one of its commands.
fn man(words: &[String]) -> Result<Exit, Failure> {
    let mut command = command_line();
    command.build();
    let mut name = "lazaret".to_owned();
    for word in words {
        let found = command.find_subcommand(word).cloned();
        command =
            found.ok_or_else(|| Failure::usage(format!("`{name}` has no command `{word}`")))?;
        name = format!("{name}-{word}");
    }
    let page = clap_mangen::Man::new(command);
    output::print(|out| page.render(&mut &mut *out)).map(|()| Exit::Clean)
}

fn complain(failure: &Failure) {
    // Every mistake of a policy is a line.
    if let Some(policy::PolicyError(problems)) = failure.error.downcast_ref() {
        return problems.iter().for_each(|one| output::say(&format!("lazaret: {one}")));
    }
    // Most errors show their cause themselves; what they leave out is added.
    let mut text = failure.error.to_string();
    for cause in failure.error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    output::say(&format!("lazaret: {text}"));
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a panic ends the process with 70, as sysexits.h has it"
)]
fn internal_error(panic: &std::panic::PanicHookInfo<'_>) {
    let text = panic.to_string();
    // Threads that libraries start, such as for looking up a name.
    if text.contains("failed to spawn thread") {
        output::say(&format!("lazaret: no more threads can be had: {text}"));
        std::process::exit(i32::from(exit::EXHAUSTED));
    }
    output::say(&format!("lazaret: internal error, please report it: {text}"));
    std::process::exit(70);
}
