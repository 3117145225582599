//! `lazaret agent`: starts the watching, prints what it tells, and ends it in order.
//!
//! Alerts go to standard output and to the file of `-o`, each in one write, so that a reader never
//! sees half of one; what concerns the watching itself goes to standard error.

use crate::World;
use crate::args::{AgentArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::output;
use agent::{EngineStatus, Message, Mode, Options, Status};
use nix::sys::signal::{SigSet, Signal};
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use vocabulary::{Alert, counted};

pub(crate) fn run(world: &World, args: &AgentArgs) -> Result<Exit, Failure> {
    let store = world.state()?.join("seals");
    if args.status {
        return status(world, args, &store);
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::usage(
            "the agent watches the kernel, which needs root; run it as root, or with sudo",
        ));
    }
    let options = Options {
        endpoints: world.engines(),
        store,
        state: world.state()?,
        mode: if args.enforce { Mode::Enforce } else { Mode::Observe },
        duration: args.seconds.map(Duration::from_secs),
    };
    let stop = stop_on_signals()?;
    let mut telling = Telling::new(world, args, Arc::clone(&stop))?;
    let summary = agent::run(&options, &stop, &mut |message| telling.tell(&message));
    let summary = summary.map_err(|error| Failure::new(Exit::Usage, error))?;
    let left_out = match summary.left_out {
        0 => String::new(),
        count => format!(" and {count} left out"),
    };
    world.printing.remark(&format!(
        "{} watched, {} of sealed images; {} ran; {}, {}{left_out}; {} stopped; {} lost",
        counted(summary.containers, "container", "containers"),
        summary.sealed,
        counted(summary.executions, "program", "programs"),
        counted(summary.alerts, "alert", "alerts"),
        counted(summary.repeats, "repeat", "repeats"),
        summary.stopped,
        counted(summary.lost, "event", "events"),
    ));
    if summary.lost > 0 || telling.failed {
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Clean)
}

/// A flag that is set by the first of the signals that ask to end. They are blocked in every thread
/// that is started afterwards, and waited for in one: nothing is interrupted half-way.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block().map_err(|error| Failure::from(io::Error::from(error)))?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let _ = signals.wait();
        flag.store(true, Ordering::Relaxed);
    })?;
    Ok(stop)
}

/// Where alerts go.
struct Telling<'run> {
    world: &'run World,
    /// None where nothing is printed, or nobody reads any more.
    format: Option<StatusFormat>,
    file: Option<File>,
    stop: Arc<AtomicBool>,
    failed: bool,
}

impl<'run> Telling<'run> {
    fn new(world: &'run World, args: &AgentArgs, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        let open = |path: &std::path::PathBuf| {
            use std::os::unix::fs::OpenOptionsExt as _;
            // What runs in containers is for nobody else to read.
            let file = File::options().append(true).create(true).mode(0o600).open(path);
            file.map_err(|error| {
                Failure::usage(format!("cannot write to `{}`: {error}", path.display()))
            })
        };
        let file = args.output.as_ref().map(open).transpose()?;
        let format = (!world.printing.quiet).then_some(args.format);
        Ok(Self { world, format, file, stop, failed: false })
    }

    fn tell(&mut self, message: &Message) {
        match message {
            Message::Notice(text) => self.world.printing.remark(&format!("lazaret agent: {text}")),
            Message::Alert(alert) => self.alert(alert),
        }
    }

    fn alert(&mut self, alert: &Alert) {
        let Ok(mut json) = serde_json::to_vec(alert) else { return };
        json.push(b'\n');
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&json)
        {
            self.failed = true;
            let text = format!("lazaret agent: an alert could not be written: {error}");
            self.world.printing.remark(&text);
        }
        let line = match self.format {
            None => return,
            Some(StatusFormat::Json) => json,
            Some(StatusFormat::Table) => {
                let colour = self.world.printing.colour_on_stdout && io::stdout().is_terminal();
                let style = report::Style { colour, ..report::Style::default() };
                let mut line = report::alert_line(alert, &style).into_bytes();
                line.push(b'\n');
                line
            }
        };
        let mut out = io::stdout().lock();
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            self.format = None;
            // Nobody reads any more; with a file, somebody will.
            if self.file.is_none() {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// What works here. Without root most cannot be tried, which it says itself.
fn status(world: &World, args: &AgentArgs, store: &std::path::Path) -> Result<Exit, Failure> {
    let status = agent::status(&world.engines(), store);
    match args.format {
        StatusFormat::Json => output::print_json(&status)?,
        StatusFormat::Table => output::print(|out| table(&status, out))?,
    }
    Ok(if status.can_run() { Exit::Clean } else { Exit::Incomplete })
}

fn table(status: &Status, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "this kernel ({})", kernel())?;
    for capability in &status.capabilities {
        let works = if capability.works { "works" } else { "no" };
        writeln!(out, "  {works:<6}{:<26}{}", capability.name, capability.detail)?;
    }
    writeln!(out, "engines")?;
    for engine in &status.engines {
        let answers = if engine.answers { "works" } else { "no" };
        let EngineStatus { engine, address, detail, .. } = engine;
        writeln!(out, "  {answers:<6}{engine:<12}{address}: {detail}")?;
    }
    writeln!(out, "containers")?;
    if status.containers.is_empty() {
        writeln!(out, "  none run")?;
    }
    for one in &status.containers {
        let container = &one.container;
        let (sealed, why) = match (&one.seal, &one.reason) {
            (Some(seal), _) => ("sealed", seal.as_str()),
            (None, reason) => ("open", reason.as_deref().unwrap_or_default()),
        };
        let (id, name, image) = (container.short_id(), container.shown(), &container.image);
        writeln!(out, "  {sealed:<8}{id}  {}  {}  {}", plain(name), plain(image), plain(why))?;
    }
    if !status.can_run() {
        writeln!(out, "the agent cannot run here: it needs what is marked `no` for exec and exit")?;
    }
    Ok(())
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

/// Names that others gave, without what could move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
