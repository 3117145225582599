//! The keeper of `lazaret agent`: a small process that keeps the watching alive, and ends it for sure.
//!
//! In go the arguments, out comes the exit code of the process that watches, which is this program
//! again. A thread that waits for a container's file cannot be ended, and keeps its process from
//! ending; so whoever is told to end, or asked whether all is well, must be another process that never
//! touches such a file. The two share a pair of sockets: the one that watches says every second that
//! its loop goes round, and as its last word how it ended; it ends when its keeper does.

use crate::args::AgentArgs;
use crate::exit::{Exit, Failure};
use crate::world::World;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the watching says that it goes on.
const BEAT: Duration = Duration::from_secs(1);

/// After this time without a word it stands still. Reading the seals of some dozen images is the longest
/// that its loop does at once.
const STALLED: Duration = Duration::from_secs(30);

/// The same for its start, which loads programs into the kernel and asks the engines.
const SLOW_START: Duration = Duration::from_secs(90);

/// How long it may take to end when it is told to: what it used is written, and a reader that stands
/// still is waited for.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long the system may take to clear away a process that has said its last word, or was killed. One
/// with a thread that waits for a file stays behind.
const CLEARED: Duration = Duration::from_millis(500);

/// How often the keeper looks.
const TURN: Duration = Duration::from_millis(100);

/// Pauses between attempts grow up to this.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Attempts in a row that do not come to one turn of the loop, after which there is no sense in more.
const MAX_ATTEMPTS: u32 = 5;

/// A word of the watching process.
const ALIVE: u8 = b'.';
const ENDED: u8 = b'e';

/// The watching process's end of the line.
#[derive(Debug)]
pub(crate) struct Line {
    line: UnixStream,
    said: Option<Instant>,
}

impl Line {
    /// The line that the keeper gave as standard input. `stop` is set when the keeper has gone.
    pub(crate) fn to_keeper(stop: &Arc<AtomicBool>) -> io::Result<Self> {
        let line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        // Only what is a socket has another end.
        line.peer_addr()?;
        let mut other = line.try_clone()?;
        let stop = Arc::clone(stop);
        std::thread::Builder::new().name("keeper".to_owned()).spawn(move || {
            let mut word = [0];
            while matches!(other.read(&mut word), Ok(1)) {}
            stop.store(true, Ordering::Relaxed);
        })?;
        Ok(Self { line, said: None })
    }

    /// Says that the watching goes on, not more often than it must.
    pub(crate) fn alive(&mut self) {
        if self.said.is_none_or(|said| said.elapsed() >= BEAT) {
            self.said = Some(Instant::now());
            let _ = self.line.write_all(&[ALIVE]);
        }
    }

    /// Says how it ended.
    pub(crate) fn ended(&mut self, code: u8) {
        let _ = self.line.write_all(&[ENDED, code]);
    }
}

/// Starts the watching and keeps it alive until it ends by itself or `stop` is set.
pub(crate) fn keep(world: &World, args: &AgentArgs, stop: &AtomicBool) -> Result<Exit, Failure> {
    let began = Instant::now();
    let (mut restarts, mut attempts) = (0, 0);
    loop {
        let mut watching = Watching::start(restarts, began.elapsed())?;
        let end = watching.keep(stop);
        attempts = if watching.beaten { 0 } else { attempts + 1 };
        let reason = match end {
            End::Ended(code) if restarts == 0 => return Ok(Exit::of(code)),
            // What ran while nobody watched is not known.
            End::Ended(code) => return Ok(Exit::of(code).or_incomplete()),
            End::Told => return Ok(Exit::Incomplete),
            End::Failed(reason) => reason,
        };
        let is_over = args.seconds.is_some_and(|seconds| began.elapsed().as_secs() >= seconds);
        if is_over || attempts >= MAX_ATTEMPTS {
            return Err(Failure::new(Exit::Internal, anyhow::anyhow!("the watching {reason}")));
        }
        restarts += 1;
        world.printing.remark(&format!(
            "lazaret agent: the watching {reason}; it is started again, and what ran meanwhile was not judged"
        ));
        let pause = MAX_PAUSE.min(Duration::from_secs(u64::from(attempts)));
        let waits = Instant::now();
        while waits.elapsed() < pause && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TURN);
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(Exit::Incomplete);
        }
    }
}

/// How the watching came to its end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// By itself, or in order, with this code.
    Ended(u8),
    /// It was told to end, and did not do so in order.
    Told,
    /// In another way.
    Failed(String),
}

/// The process that watches.
struct Watching {
    process: Child,
    line: UnixStream,
    started: Instant,
    heard: Instant,
    beaten: bool,
    /// Its last word, and when it came.
    ended: Option<(u8, Instant)>,
    told: Option<Instant>,
}

impl Watching {
    fn start(restarts: u32, elapsed: Duration) -> io::Result<Self> {
        let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        arguments.push(format!("--kept={restarts}").into());
        arguments.push(format!("--elapsed={}", elapsed.as_secs()).into());
        let mut command = Command::new("/proc/self/exe");
        command.arg0(std::env::args_os().next().unwrap_or_else(|| "lazaret".into()));
        command.args(arguments);
        Self::of(command)
    }

    fn of(mut command: Command) -> io::Result<Self> {
        let (line, theirs) = UnixStream::pair()?;
        line.set_read_timeout(Some(TURN))?;
        let process = command.stdin(OwnedFd::from(theirs)).spawn()?;
        let now = Instant::now();
        let watching = Self {
            process,
            line,
            started: now,
            heard: now,
            beaten: false,
            ended: None,
            told: None,
        };
        Ok(watching)
    }

    fn keep(&mut self, stop: &AtomicBool) -> End {
        loop {
            self.listen();
            if let Ok(Some(status)) = self.process.try_wait() {
                // Its last word may still be on the way.
                self.listen();
                return self.end(status);
            }
            if self.told.is_none() && stop.load(Ordering::Relaxed) {
                self.told = Some(Instant::now());
                let pid = i32::try_from(self.process.id()).map(Pid::from_raw);
                let _ = pid.map(|pid| kill(pid, Signal::SIGTERM));
            }
            if let Some((code, since)) = self.ended
                && since.elapsed() >= CLEARED
            {
                return End::Ended(code);
            }
            if self.told.is_some_and(|told| told.elapsed() >= LAST_WORDS) {
                self.kill();
                return End::Told;
            }
            let patience = if self.beaten { STALLED } else { SLOW_START };
            if self.told.is_none() && self.ended.is_none() && self.heard.elapsed() >= patience {
                self.kill();
                return End::Failed(format!("made no progress for {} s", patience.as_secs()));
            }
        }
    }

    /// Takes what it says, for at most a turn.
    fn listen(&mut self) {
        let mut words = [0; 64];
        let Ok(count) = self.line.read(&mut words) else { return };
        if count == 0 {
            // It has closed its end, and is about to be gone.
            std::thread::sleep(TURN / 10);
            return;
        }
        let mut words = words.iter().take(count);
        while let Some(word) = words.next() {
            self.heard = Instant::now();
            match *word {
                ALIVE => self.beaten = true,
                ENDED => {
                    let code = words.next().copied().unwrap_or(70);
                    self.ended = Some((code, Instant::now()));
                }
                _ => {}
            }
        }
    }

    fn end(&self, status: ExitStatus) -> End {
        let internal = i32::from(Exit::Internal.code());
        match (self.ended, status.code(), status.signal()) {
            (Some((code, _)), ..) => End::Ended(code),
            (None, ..) if self.told.is_some() => End::Told,
            // Before it watched anything, it has said why.
            (None, Some(code), _) if code != internal && !self.beaten => {
                End::Ended(u8::try_from(code).unwrap_or(70))
            }
            (None, Some(code), _) => End::Failed(format!("ended with code {code}")),
            (None, None, Some(signal)) => End::Failed(format!("was ended by signal {signal}")),
            (None, None, None) => End::Failed("ended".to_owned()),
        }
    }

    /// Ends it. One that stays, with a thread that waits for a file, is left behind.
    fn kill(&mut self) {
        let _ = self.process.kill();
        let began = Instant::now();
        while began.elapsed() < CLEARED && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(TURN / 10);
        }
    }
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Watching");
        shown.field("process", &self.process.id()).field("started", &self.started);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that does this, with its line as standard input and output.
    fn shell(script: &str) -> Watching {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 1>&0; {script}")]);
        Watching::of(command).unwrap()
    }

    #[test]
    fn how_it_ended_is_told_by_its_last_word() {
        let never = AtomicBool::new(false);
        assert_eq!(shell("printf '.e\\003'; exit 1").keep(&never), End::Ended(3));
        // The process stays, as one does whose thread cannot be ended.
        let mut stays = shell("printf '.e\\000'; exec sleep 60");
        let began = Instant::now();
        assert_eq!(stays.keep(&never), End::Ended(0));
        assert!(began.elapsed() < Duration::from_secs(20));
        stays.kill();
    }

    #[test]
    fn an_end_without_a_last_word_is_a_failure_once_it_watched() {
        let never = AtomicBool::new(false);
        assert_eq!(shell("exit 2").keep(&never), End::Ended(2), "it could not begin");
        for (script, reason) in [
            ("printf .; sleep 0.3; exit 2", "ended with code 2"),
            ("exit 70", "ended with code 70"),
            ("printf .; kill -9 $$", "was ended by signal 9"),
        ] {
            assert_eq!(shell(script).keep(&never), End::Failed(reason.to_owned()), "{script}");
        }
    }

    #[test]
    fn who_does_not_end_when_told_is_killed() {
        let stop = AtomicBool::new(true);
        let mut deaf = shell("trap '' TERM; printf .; while :; do sleep 0.1; done");
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        assert_eq!(deaf.keep(&stop), End::Told);
        assert!(began.elapsed() < LAST_WORDS + Duration::from_secs(20));
        assert!(deaf.process.try_wait().unwrap().is_some());
    }
}
