//! Loads the eBPF programs, turns kernel records into events, installs kernel-side blocks.
