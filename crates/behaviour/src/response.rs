//! Whether enforcing may stop a program: the one answer to that question.
//!
//! In go why a program was noticed, where its file lies, and what is known at that moment; out comes
//! whether it may be stopped. A guard that asks before the first instruction, and an agent that hears
//! of the execution afterwards, both go by it. Every cause is named, so that a new one must be answered
//! for here.

use crate::reason::Reason;
use vocabulary::Side;

/// What enforcing does about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The program is refused or ended.
    Stop,
    /// It is told of, and left alone.
    Leave,
}

/// Why an execution was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The program is not as it was sealed.
    Program(Reason),
    /// A shell takes its input from a socket.
    Shell(Socket),
}

/// What a shell's standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// A connection that may lead to another machine.
    Network,
    /// A socket whose other end is on the same machine.
    Unix,
    /// A socket of another family.
    Other,
}

/// When it is judged, and what can be known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before its first instruction. Everybody waits for the answer, so that a large file is not read.
    Asked {
        /// Whether the file may still be the image's program, by its place and length.
        may_be: bool,
    },
    /// After it began.
    Begun {
        /// Whether the file has the sealed content now, but may have had another when it began.
        unproven: bool,
    },
}

impl Socket {
    /// By its address family, in the sensor's words.
    pub(crate) fn of(family: &str) -> Self {
        match family {
            "inet" | "inet6" => Self::Network,
            "unix" => Self::Unix,
            // Families are the kernel's and an open set: one that is not known counts as a way out.
            _ => Self::Other,
        }
    }
}

impl Cause {
    /// Whether enforcing may stop the program.
    #[must_use]
    pub const fn response(self, side: Side, moment: Moment) -> Response {
        match self {
            Self::Program(reason) => of_program(reason, side, moment),
            Self::Shell(Socket::Network | Socket::Other) => Response::Stop,
            // Session servers and init systems hand unix sockets to shells too.
            Self::Shell(Socket::Unix) => Response::Leave,
        }
    }
}

const fn of_program(reason: Reason, side: Side, moment: Moment) -> Response {
    match (reason, moment) {
        // What most likely is the image's own program is not stopped for what was done to it since.
        (_, Moment::Begun { unproven: true }) => Response::Leave,
        (
            Reason::Dropped
            | Reason::Changed
            | Reason::Copied
            | Reason::Memory
            | Reason::Mounted
            | Reason::Script,
            Moment::Asked { .. } | Moment::Begun { unproven: false },
        )
        | (Reason::NoDigest, Moment::Asked { may_be: false }) => Response::Stop,
        // It is judged again when it has begun, with the time to read it.
        (Reason::NoDigest, Moment::Asked { may_be: true })
        | (Reason::NotOnRecord, Moment::Asked { .. }) => Response::Leave,
        // In its layer, untouched, it is only too large to hash, or on record without a digest.
        (Reason::NoDigest | Reason::NotOnRecord, Moment::Begun { unproven: false }) => match side {
            Side::Image => Response::Leave,
            Side::Written | Side::Memory | Side::Mounted | Side::Unknown => Response::Stop,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: [Side; 5] =
        [Side::Image, Side::Written, Side::Memory, Side::Mounted, Side::Unknown];

    const MOMENTS: [Moment; 3] = [
        Moment::Asked { may_be: false },
        Moment::Asked { may_be: true },
        Moment::Begun { unproven: false },
    ];

    #[test]
    fn what_is_not_the_image_s_is_stopped_wherever_it_lies_and_whenever_it_is_judged() {
        for reason in [
            Reason::Dropped,
            Reason::Changed,
            Reason::Copied,
            Reason::Memory,
            Reason::Mounted,
            Reason::Script,
        ] {
            for (side, moment) in SIDES.into_iter().flat_map(|side| MOMENTS.map(|one| (side, one)))
            {
                let response = Cause::Program(reason).response(side, moment);
                assert_eq!(response, Response::Stop, "{reason:?} {side:?} {moment:?}");
            }
        }
    }

    #[test]
    fn what_may_be_the_image_s_own_is_left_alone_in_its_layer_alone() {
        let begun = Moment::Begun { unproven: false };
        for reason in [Reason::NoDigest, Reason::NotOnRecord] {
            for side in SIDES {
                let expected = if side == Side::Image { Response::Leave } else { Response::Stop };
                assert_eq!(Cause::Program(reason).response(side, begun), expected, "{side:?}");
                let asked = Moment::Asked { may_be: true };
                assert_eq!(Cause::Program(reason).response(side, asked), Response::Leave);
            }
        }
        let other = Moment::Asked { may_be: false };
        let large = Cause::Program(Reason::NoDigest).response(Side::Written, other);
        assert_eq!(large, Response::Stop, "by its length it is another file");
    }

    #[test]
    fn what_cannot_be_proven_is_no_reason_to_stop_a_program() {
        for side in SIDES {
            let unproven = Moment::Begun { unproven: true };
            let response = Cause::Program(Reason::NoDigest).response(side, unproven);
            assert_eq!(response, Response::Leave);
            let shell = Cause::Shell(Socket::Network).response(side, unproven);
            assert_eq!(shell, Response::Stop, "a shell is one whatever its file is now");
        }
    }

    #[test]
    fn a_shell_is_stopped_unless_the_other_end_is_on_the_same_machine() {
        for (socket, expected) in [
            (Socket::Network, Response::Stop),
            (Socket::Other, Response::Stop),
            (Socket::Unix, Response::Leave),
        ] {
            let response =
                Cause::Shell(socket).response(Side::Image, Moment::Begun { unproven: false });
            assert_eq!(response, expected, "{socket:?}");
        }
    }
}
