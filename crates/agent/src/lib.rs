//! The node daemon: sensor to behaviour to policy to action.

mod cgroup;
mod clock;
mod content;
mod usage;
