//! The node daemon: sensor to behaviour to policy to action.
