//! Compiles the eBPF programs with clang and tells the crate, by the cfg `bpf_object`, whether it could.
//!
//! Where clang is missing the crate is built without them and says so at run time: most of Lazaret
//! (scans, seals) needs no kernel programs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The object files that the crate embeds.
const OBJECTS: [&str; 2] = ["sensor", "probe"];

fn main() {
    println!("cargo:rustc-check-cfg=cfg(bpf_object, fuzzing)");
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-env-changed=CLANG");
    if env::var_os("CARGO_FEATURE_EBPF").is_none() {
        return;
    }
    match compile_all() {
        Ok(()) => println!("cargo:rustc-cfg=bpf_object"),
        Err(reason) => println!(
            "cargo:warning=built without eBPF: {reason}; install clang, libelf-dev, zlib1g-dev and build again"
        ),
    }
}

/// Compiles every object, or says why not.
fn compile_all() -> Result<(), String> {
    let output = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let target = env::var("CARGO_CFG_TARGET_ARCH").map_err(|error| error.to_string())?;
    let architecture = match target.as_str() {
        "x86_64" => "x86",
        "aarch64" => "arm64",
        "riscv64" => "riscv",
        other => return Err(format!("no eBPF programs for `{other}` yet")),
    };
    OBJECTS.iter().try_for_each(|name| compile(name, architecture, &output))
}

/// Compiles one object. The headers are those of the libbpf that is linked, or the system's.
fn compile(name: &str, architecture: &str, output: &Path) -> Result<(), String> {
    let clang = env::var_os("CLANG").unwrap_or_else(|| "clang".into());
    let mut command = Command::new(clang);
    command.args(["-g", "-O2", "-Wall", "-Wextra", "-Werror", "-target", "bpf", "-c"]);
    command.arg(format!("-D__TARGET_ARCH_{architecture}"));
    if let Some(include) = env::var_os("DEP_BPF_INCLUDE") {
        let mut map = std::ffi::OsString::from("-fdebug-prefix-map=");
        map.push(&include);
        map.push("=libbpf");
        command.arg(map).arg("-isystem").arg(include);
    }
    // The debug information holds paths: not those of whoever built it.
    let here = env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?;
    command.arg(format!("-fdebug-prefix-map={here}=sensor"));
    command.arg(format!("{here}/bpf/{name}.bpf.c"));
    command.arg("-o").arg(output.join(format!("{name}.bpf.o")));
    match command.output() {
        Ok(result) if result.status.success() => Ok(()),
        Ok(result) => {
            let text = String::from_utf8_lossy(&result.stderr);
            let line =
                text.lines().find(|line| line.contains("error")).unwrap_or("no reason given");
            Err(format!("clang cannot compile `{name}.bpf.c`: {line}"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("clang was missing".into())
        }
        Err(error) => Err(format!("clang cannot be run: {error}")),
    }
}
