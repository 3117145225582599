//! Stops a program that began, and says how that came out.

use sensor::{ProcessHandle, Stopped};
use vocabulary::{Action, Means, Process};

/// Ends a process, unless the kernel has already been told to.
pub(crate) fn stop(process: &Process, by_kernel: bool) -> Action {
    if by_kernel {
        return Action::Killed { means: Means::KernelSignal };
    }
    match ProcessHandle::open(process.pid, process.started_ns) {
        Ok(None) => Action::TooLate,
        Ok(Some(handle)) => match handle.kill() {
            Ok(Stopped::Killed) => Action::Killed { means: Means::Signal },
            Ok(Stopped::Gone) => Action::TooLate,
            Err(error) => Action::Failed { reason: error.to_string() },
        },
        Err(error) => Action::Failed { reason: error.to_string() },
    }
}

/// Whether that ended it, or kept it from beginning.
pub(crate) const fn is_stopped(action: &Action) -> bool {
    matches!(action, Action::Denied { .. } | Action::Killed { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_too_late_and_what_the_kernel_ended_is_said_so() {
        let process = Process { pid: u32::MAX, ..Process::default() };
        assert_eq!(stop(&process, false), Action::TooLate);
        let killed = stop(&process, true);
        assert_eq!(killed, Action::Killed { means: Means::KernelSignal });
        assert!(is_stopped(&killed) && !is_stopped(&Action::TooLate));
    }
}
