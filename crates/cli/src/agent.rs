//! `lazaret agent`: starts the watching, in a process of its own ([`crate::keeping`]), prints what it tells, and ends it in order.
//!
//! Alerts go to standard output and to the file of `-o`, each in one write, so that a reader never
//! sees half of one; what concerns the watching itself goes to standard error.

use crate::args::{AgentArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::keeping::{self, Line};
use crate::output;
use crate::world::World;
use agent::{AgentStatus, EngineStatus, Message, Mode, Options, Status};
use nix::sys::signal::{SigSet, Signal};
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
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
    let stop = stop_on_signals()?;
    let Some(restarts) = args.kept else { return keeping::keep(world, args, &stop) };
    let mut line = Line::to_keeper(&stop)
        .map_err(|_| Failure::usage("`--kept` is for the agent's own use; leave it out"))?;
    let ended = watch(world, args, restarts, &stop, &mut line);
    let code = ended.as_ref().map_or_else(|failure| failure.exit, |exit| *exit).code();
    line.ended(code);
    ended
}

/// Watches until told to end, and sums up.
fn watch(
    world: &World,
    args: &AgentArgs,
    restarts: u32,
    stop: &Arc<AtomicBool>,
    line: &mut Line,
) -> Result<Exit, Failure> {
    let seconds = args.seconds.map(|seconds| seconds.saturating_sub(args.elapsed));
    let options = Options {
        endpoints: world.engines(),
        store: world.state()?.join("seals"),
        state: world.state()?,
        mode: if args.enforce { Mode::Enforce } else { Mode::Observe },
        duration: seconds.map(Duration::from_secs),
        restarts,
    };
    let mut telling = Telling::new(world, args, Arc::clone(stop))?;
    let alive = &mut || line.alive();
    let summary = agent::run(&options, stop, alive, &mut |message| telling.tell(&message));
    let summary = summary.map_err(|error| Failure::new(Exit::Usage, error))?;
    let left_out = match summary.left_out {
        0 => String::new(),
        count => format!(" and {count} left out"),
    };
    let unread = match summary.unread {
        0 => String::new(),
        count => format!("; {} unread", counted(count, "file", "files")),
    };
    world.printing.remark(&format!(
        "{} watched, {} of sealed images; {} ran; {}, {}{left_out}; {} stopped; {} lost{unread}",
        counted(summary.containers, "container", "containers"),
        summary.sealed,
        counted(summary.executions, "program", "programs"),
        counted(summary.alerts, "alert", "alerts"),
        counted(summary.repeats, "repeat", "repeats"),
        summary.stopped,
        counted(summary.lost, "event", "events"),
    ));
    let told = telling.end();
    if summary.lost > 0 || summary.unread > 0 || !told {
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
    out: Printer,
    file: Option<File>,
    /// Alerts that could not be written to the file, since it was last said.
    unwritten: u64,
    /// Whether the watching is worth nothing without a reader.
    only_tells: bool,
    stop: Arc<AtomicBool>,
    failed: bool,
}

impl<'run> Telling<'run> {
    fn new(world: &'run World, args: &AgentArgs, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        let open = |path: &std::path::PathBuf| {
            // What runs in containers is for nobody else to read.
            files::append_to(path).map_err(|error| {
                Failure::usage(format!("cannot write to `{}`: {error}", path.display()))
            })
        };
        let file = args.output.as_ref().map(open).transpose()?;
        let format = (!world.printing.quiet).then_some(args.format);
        let only_tells = file.is_none() && !args.enforce;
        let out = Printer::start(io::stdout())?;
        Ok(Self { world, format, out, file, unwritten: 0, only_tells, stop, failed: false })
    }

    fn tell(&mut self, message: &Message) {
        match message {
            Message::Notice(text) => self.say(text),
            Message::Alert(alert) => self.alert(alert),
        }
    }

    fn say(&self, text: &str) {
        self.world.printing.remark(&format!("lazaret agent: {text}"));
    }

    fn alert(&mut self, alert: &Alert) {
        let mut json = Vec::new();
        if report::write_json_line(alert, &mut json).is_err() {
            return;
        }
        self.write(&json);
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
        if !self.out.print(line) {
            self.format = None;
            // Nobody reads any more; with a file, somebody will, and what is enforced is for nobody's
            // eyes.
            if self.only_tells {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    /// A disk that is full is said once, and once more when it is not.
    fn write(&mut self, json: &[u8]) {
        let Some(file) = &mut self.file else { return };
        match append(file, json) {
            Ok(()) if self.unwritten > 0 => {
                let count = std::mem::take(&mut self.unwritten);
                self.say(&format!("alerts are written again; {count} are missing in the file"));
            }
            Ok(()) => {}
            Err(error) => {
                self.failed = true;
                self.unwritten += 1;
                if self.unwritten == 1 {
                    self.say(&format!("alerts cannot be written: {error}"));
                }
            }
        }
    }

    /// Ends the printing. Whether all was told.
    fn end(mut self) -> bool {
        if self.unwritten > 0 {
            self.say(&format!("{} alerts are missing in the file", self.unwritten));
        }
        let unprinted = self.out.end();
        if unprinted > 0 {
            self.say(&format!("{unprinted} alerts were not printed: nobody read them in time"));
        }
        !self.failed && unprinted == 0
    }
}

/// Appends a line, whole or not at all: half of one would spoil the next one too.
fn append(file: &mut File, line: &[u8]) -> io::Result<()> {
    let before = file.metadata()?;
    file.write_all(line).inspect_err(|_| {
        // A pipe or a terminal has no length.
        if before.is_file() {
            let _ = file.set_len(before.len());
        }
    })
}

/// Lines that wait to be printed, beyond which a reader that stands still misses some.
const MAX_UNPRINTED: usize = 1024;

/// How long a reader that stands still is waited for at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Prints in a thread of its own: a reader that stands still must not stop the watching, nor its end.
struct Printer {
    lines: Option<SyncSender<Vec<u8>>>,
    /// Says that all was printed.
    done: Receiver<()>,
    unprinted: u64,
}

impl Printer {
    fn start(mut out: impl io::Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel::<Vec<u8>>(MAX_UNPRINTED);
        let (ended, done) = sync_channel(1);
        std::thread::Builder::new().name("printing".to_owned()).spawn(move || {
            for line in waiting {
                if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                    return;
                }
            }
            let _ = ended.send(());
        })?;
        Ok(Self { lines: Some(lines), done, unprinted: 0 })
    }

    /// Whether there is somebody who may read it.
    fn print(&mut self, line: Vec<u8>) -> bool {
        match self.lines.as_ref().map(|lines| lines.try_send(line)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_))) => {
                self.unprinted += 1;
                true
            }
            Some(Err(TrySendError::Disconnected(_))) | None => false,
        }
    }

    /// Waits for what is still to be printed, not for ever. How many lines there was no room for.
    fn end(&mut self) -> u64 {
        self.lines = None;
        let _ = self.done.recv_timeout(LAST_WORDS);
        self.unprinted
    }
}

/// What works here. Without root most cannot be tried, which it says itself.
fn status(world: &World, args: &AgentArgs, store: &std::path::Path) -> Result<Exit, Failure> {
    let status = agent::status(&world.engines(), store, &world.state()?);
    match args.format {
        StatusFormat::Json => output::print_json(&status)?,
        StatusFormat::Table => output::print_lines(|out| table(&status, out))?,
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
    agent_table(&status.agent, out)?;
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

/// How the agent that watches goes, by what it wrote down.
fn agent_table(agent: &AgentStatus, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "agent")?;
    let (word, report) = match agent {
        AgentStatus::None => return writeln!(out, "  none has watched with this state folder"),
        AgentStatus::Runs { report } => ("runs", report),
        AgentStatus::Stalled { report } => ("stalled", report),
        AgentStatus::Ended { report } => ("ended", report),
    };
    let mode = if report.enforces { "enforcing" } else { "observing" };
    let restarts = match report.restarts {
        0 => String::new(),
        count => format!(", started again {}", counted(u64::from(count), "time", "times")),
    };
    let containers = counted(report.containers, "container", "containers");
    let (since, until) = (plain(&report.since), plain(&report.until));
    writeln!(out, "  {word:<8}{mode}, {containers}, from {since} to {until}{restarts}")?;
    for unread in &report.unread {
        let name = unread.name.as_deref().unwrap_or(&unread.container);
        let asked = if unread.silent { ", and is not asked for now" } else { "" };
        let threads = counted(unread.hung, "thread waits", "threads wait");
        writeln!(out, "  unread  {}: its files do not answer: {threads}{asked}", plain(name))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one line and then nothing more, as a pager does.
    struct Stuck(Receiver<()>);

    impl io::Write for Stuck {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stands_still_stops_nothing_and_what_it_missed_is_counted() {
        let (let_go, stuck) = sync_channel(1);
        let mut printer = Printer::start(Stuck(stuck)).unwrap();
        for _ in 0..MAX_UNPRINTED + 11 {
            assert!(printer.print(b"line\n".to_vec()));
        }
        // One may be in the writer's hands already.
        assert!((10..=11).contains(&printer.end()));
        drop(let_go);
    }

    #[test]
    fn a_reader_that_has_gone_is_noticed() {
        let (let_go, stuck) = sync_channel(1);
        drop(let_go);
        let mut printer = Printer::start(Stuck(stuck)).unwrap();
        let began = std::time::Instant::now();
        while printer.print(Vec::from(*b"line\n")) {
            assert!(began.elapsed().as_secs() < 30);
        }
    }
}
