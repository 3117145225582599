//! Makes the demo image: a real one, old on purpose, without a container engine.
//!
//! Out comes an OCI layout of four layers: the oldest Debian release that the mirror still serves,
//! without its security updates; a Python and a Node application with packages that have known
//! vulnerabilities; and the application's own files. The packages come from their registries by
//! `pip` and `npm`, whose install scripts do not run. A layer that this machine cannot make is left out,
//! and said to be.

use crate::command::{command, exists, run};
use crate::debian;
use crate::oci_layout::Layout;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use vocabulary::Digest;

/// What the first layer holds besides the essential packages.
const SYSTEM: &[&str] = &["ca-certificates", "curl", "openssl", "python3-minimal"];

/// Wheels of pure Python, so that nothing is compiled and any platform gets the same.
const PYTHON: &[&str] = &[
    "certifi==2018.4.16",
    "Django==2.2",
    "Flask==0.12.2",
    "idna==2.7",
    "Jinja2==2.10",
    "requests==2.19.1",
    "sqlparse==0.2.4",
    "urllib3==1.23",
    "Werkzeug==0.14.1",
];

const NODE: &[&str] = &[
    "axios@0.18.0",
    "express@4.16.0",
    "handlebars@4.0.11",
    "lodash@4.17.4",
    "minimist@0.0.8",
    "moment@2.19.0",
    "node-fetch@2.6.0",
    "ws@7.4.5",
];

/// Raised when what is made here changes, so that an image from before is made anew.
const REVISION: u32 = 3;

type Make = fn(&mut Layout, &Path) -> Result<()>;

/// Makes the image, unless it is there already.
pub(crate) fn make(root: &Path, folder: &Path) -> Result<()> {
    let recipe = format!("{REVISION} {SYSTEM:?} {PYTHON:?} {NODE:?}");
    let recipe = Digest::of(recipe.as_bytes()).to_string();
    let stamp = folder.join(".recipe");
    if std::fs::read_to_string(&stamp).is_ok_and(|known| known == recipe) {
        println!("the demo image is there already: {}", folder.display());
        return Ok(());
    }
    let work = folder.with_extension("work");
    for old in [folder, &work] {
        if old.exists() {
            std::fs::remove_dir_all(old).with_context(|| format!("`{}`", old.display()))?;
        }
    }
    std::fs::create_dir_all(&work).with_context(|| format!("`{}`", work.display()))?;
    let mut layout = Layout::create(folder)?;
    let mut whole = true;
    let layers: [(&str, Make); 3] =
        [("the layer of Debian", system), ("Python packages", python), ("Node packages", node)];
    for (what, make) in layers {
        if let Err(error) = make(&mut layout, &work) {
            eprintln!("left out: {what}: {error:#}");
            whole = false;
        }
    }
    application(&mut layout, root, &work)?;
    layout.finish(
        "lazaret-demo:1",
        &json!({"Cmd": ["python3", "shop.py"], "WorkingDir": "/srv/shop"}),
    )?;
    std::fs::remove_dir_all(&work)?;
    // One with a layer left out is made anew: what it lacked may be there the next time.
    if whole {
        std::fs::write(stamp, recipe)?;
    }
    println!("made the demo image: {}", folder.display());
    Ok(())
}

fn system(layout: &mut Layout, work: &Path) -> Result<()> {
    let tar = work.join("system.tar");
    let releases = match debian::mirror(debian::DEBIAN) {
        Ok(_) => debian::DEBIAN,
        Err(error) if debian::mirror(debian::UBUNTU).is_err() => return Err(error),
        Err(_) => debian::UBUNTU,
    };
    let release = debian::first_served(releases, SYSTEM, &tar)?;
    let file = std::fs::File::open(&tar)?;
    layout.layer(file, &format!("/bin/sh -c #(nop) ADD file:{release}.tar in / "))?;
    layout.empty_history("/bin/sh -c #(nop)  CMD [\"bash\"]");
    Ok(())
}

fn python(layout: &mut Layout, work: &Path) -> Result<()> {
    eprintln!("fetching {} Python packages …", PYTHON.len());
    let folder = work.join("python");
    let packages = folder.join("usr/local/lib/python3.9/site-packages");
    std::fs::create_dir_all(&packages)?;
    let fixed = ["install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"];
    let fixed =
        fixed.into_iter().chain(["--python-version=3.9", "--implementation=py", "--abi=none"]);
    let mut install = pip()?;
    install.args(fixed).arg("--platform=any").arg("--target").arg(&packages).args(PYTHON);
    run(install.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_ROOT_USER_ACTION", "ignore"))?;
    add(layout, &folder, "RUN /bin/sh -c pip install --no-deps -r requirements.txt")
}

fn node(layout: &mut Layout, work: &Path) -> Result<()> {
    eprintln!("fetching {} Node packages and what they need …", NODE.len());
    let folder = work.join("node");
    let shop = folder.join("srv/shop");
    std::fs::create_dir_all(&shop)?;
    let manifest = json!({"name": "lazaret-demo-shop", "version": "1.0.0", "private": true});
    std::fs::write(shop.join("package.json"), manifest.to_string())?;
    let fixed = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    let mut install = command("npm", fixed);
    install.args(["--loglevel=error", "--save-exact"]).args(NODE).current_dir(&shop);
    run(install.stdout(Stdio::null()))?;
    add(layout, &folder, "RUN /bin/sh -c npm install --ignore-scripts")
}

fn application(layout: &mut Layout, root: &Path, work: &Path) -> Result<()> {
    let folder = work.join("application");
    let shop = folder.join("srv/shop");
    std::fs::create_dir_all(&shop)?;
    std::fs::copy(root.join("demo/shop.py"), shop.join("shop.py")).context("`demo/shop.py`")?;
    add(layout, &folder, "COPY shop.py /srv/shop/")?;
    layout.empty_history("WORKDIR /srv/shop");
    layout.empty_history("CMD [\"python3\" \"shop.py\"]");
    Ok(())
}

/// Adds a folder as a layer: sorted, owned by root, of one time.
fn add(layout: &mut Layout, folder: &Path, history: &str) -> Result<()> {
    let mut tar = tar(folder).stdout(Stdio::piped()).spawn().context("`tar` cannot be started")?;
    let output = tar.stdout.take().context("`tar` has no output")?;
    layout.layer(output, history)?;
    if !tar.wait()?.success() {
        bail!("`tar` could not read `{}`", folder.display());
    }
    Ok(())
}

/// A command that writes a folder's content as a tar that depends on nothing else.
pub(crate) fn tar(folder: &Path) -> Command {
    let fixed = ["--create", "--file=-", "--sort=name", "--mtime=@1577836800", "--numeric-owner"];
    let mut tar = command("tar", fixed);
    tar.args(["--owner=0", "--group=0", "--mode=u+w,go-w", "--format=gnu"]).arg("-C").arg(folder);
    tar.arg(".");
    tar
}

/// However pip is called here.
pub(crate) fn pip() -> Result<Command> {
    let module = || {
        let mut asked = command("python3", ["-m", "pip", "--version"]);
        asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    match ["pip3", "pip"].into_iter().find(|name| exists(name)) {
        Some(name) => Ok(Command::new(name)),
        None if module() => Ok(command("python3", ["-m", "pip"])),
        None => bail!("`pip` is missing: `./dev setup` installs it"),
    }
}
