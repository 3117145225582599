//! Open files of one thread alone.

use std::io;

/// Gives the calling thread a table of open files of its own, and closes all of that, standard input
/// and output too. Should the thread hang for ever on a file, it then holds nothing that others wait for
/// to be closed: not the kernel's programs and marks, not the pipe that somebody reads to its end.
///
/// For a thread that takes and gives no open files, right at its beginning.
///
/// # Errors
/// In kernels before 5.9.
pub fn forget_descriptors() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_UNSHARE;
    // JUSTIFICATION: neither std nor nix wraps close_range(2).
    // SAFETY: the call takes three numbers and touches no memory of ours. With CLOSE_RANGE_UNSHARE what
    // is closed is this thread's own copy: descriptors that others own stay open in their table.
    #[expect(unsafe_code, reason = "see above")]
    let result = unsafe { libc::syscall(libc::SYS_close_range, 0u32, u32::MAX, flags) };
    nix::errno::Errno::result(result).map(drop).map_err(io::Error::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_thread_lets_go_of_all_files_and_others_keep_theirs() {
        let (mut reader, writer) = io::pipe().unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let forgotten = forget_descriptors();
            ready
                .send(
                    forgotten.map(|()| std::fs::read_dir("/proc/thread-self/fd").unwrap().count()),
                )
                .unwrap();
            let _ = wait.recv();
        });
        // The folder that is being listed is the only one.
        assert_eq!(is_ready.recv().unwrap().unwrap(), 1);
        io::Write::write_all(&mut &writer, b"x").unwrap();
        drop(writer);
        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "x", "nobody else holds the other end");
        drop(go);
        thread.join().unwrap();
    }
}
