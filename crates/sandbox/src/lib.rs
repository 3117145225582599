//! Takes from the process, before it reads a stranger's bytes, what reading does not need.
//!
//! In go the [`Needs`] of a command, out comes what holds now, layer by layer. Each layer is of the
//! kernel and one-way: files and TCP by Landlock, calls by seccomp, rights by capabilities and user.
//! They stand side by side, so that an old kernel or a container that lacks one keeps the others; what
//! cannot be applied is a value that is told, not an error. All must happen while the process has one
//! thread: a layer is of a thread, and handed on to those that it starts.

mod calls;
mod files;
mod filter;
mod layer;
mod needs;
mod privileges;

pub use layer::{Layer, State};
pub use needs::{Connect, Needs, Privileges, Reading};
pub use privileges::is_read_by_capability;

/// Gives up all that is not needed, for ever and for all that this process starts.
///
/// The order matters: Landlock opens the folders that it names, the user is changed with rights that
/// are dropped next, and the filter forbids to change any of it.
#[must_use]
pub fn confine(needs: &Needs) -> Vec<Layer> {
    let layer = |name, state| Layer { name, state };
    let mut layers = vec![layer("no new privileges", privileges::no_new())];
    let (files, network, others) = files::restrict(needs);
    layers.push(layer("files", files));
    layers.push(layer("tcp", network));
    layers.push(layer("other processes", others));
    let (user, capabilities) = privileges::drop(needs);
    layers.push(layer("user", user));
    layers.push(layer("capabilities", capabilities));
    layers.push(layer("calls", filter::apply(needs)));
    layers
}
