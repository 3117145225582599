//! The reference images: a Debian system with run times, the same with an application on top, a
//! million small files, and two hundred thousand packages.

use crate::command::{command, run};
use crate::debian;
use crate::demo::{pip, tar};
use crate::oci_layout::{Layout, layer_blobs};
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testkit::Entry;

/// Their names.
pub(crate) const NAMES: &[&str] = &["debian", "application", "million", "packages"];

const SYSTEM: &[&str] = &["python3", "perl", "git", "openjdk-17-jre-headless", "nodejs"];
const PYTHON_PACKAGES: usize = 100;
const NODE_PACKAGES: usize = 200;
const JARS: usize = 60;

/// What is installed until there are enough packages, with all that it needs.
const PYTHON: &[&str] = &[
    "ansible-core",
    "black",
    "boto3",
    "celery",
    "cookiecutter",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "jupyterlab",
    "mkdocs-material",
    "nox",
    "pelican",
    "poetry",
    "pytest",
    "rich",
    "scrapy",
    "sphinx",
    "tox",
    "twine",
];
const NODE: &[&str] = &["eslint@8", "express@4", "jest@29", "webpack@5"];

/// Debian's packages of Java libraries; more than enough, as some bring none or several jars.
const JAVA: &[&str] = &[
    "libasm-java",
    "libbcpg-java",
    "libbcprov-java",
    "libcglib-java",
    "libcommons-beanutils-java",
    "libcommons-cli-java",
    "libcommons-codec-java",
    "libcommons-collections3-java",
    "libcommons-collections4-java",
    "libcommons-compress-java",
    "libcommons-configuration-java",
    "libcommons-dbcp-java",
    "libcommons-digester-java",
    "libcommons-exec-java",
    "libcommons-fileupload-java",
    "libcommons-io-java",
    "libcommons-jexl2-java",
    "libcommons-lang-java",
    "libcommons-lang3-java",
    "libcommons-logging-java",
    "libcommons-math3-java",
    "libcommons-net-java",
    "libcommons-pool-java",
    "libcommons-pool2-java",
    "libcommons-text-java",
    "libcommons-validator-java",
    "libdom4j-java",
    "libgson-java",
    "libguava-java",
    "libhttpclient-java",
    "libhttpcore-java",
    "libjackson2-annotations-java",
    "libjackson2-core-java",
    "libjackson2-databind-java",
    "libjaxen-java",
    "libjetty9-java",
    "libjoda-time-java",
    "libjsoup-java",
    "liblog4j1.2-java",
    "liblog4j2-java",
    "libnetty-java",
    "libprotobuf-java",
    "libservlet-api-java",
    "libslf4j-java",
    "libspring-beans-java",
    "libspring-context-java",
    "libspring-core-java",
    "libtomcat9-java",
    "libxalan2-java",
    "libxerces2-java",
    "libxom-java",
    "libyaml-snake-java",
];

/// An image that is measured.
pub(crate) struct Image {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) blobs: Vec<PathBuf>,
    pub(crate) packed: u64,
    pub(crate) plain: u64,
}

/// Makes those that are wanted and not there yet.
pub(crate) fn make(cache: &Path, wanted: &[String]) -> Result<Vec<Image>> {
    if let Some(unknown) = wanted.iter().find(|name| !NAMES.contains(&name.as_str())) {
        bail!("`{unknown}` is not an image: use {}", NAMES.join(", "));
    }
    std::fs::create_dir_all(cache)?;
    let wanted = NAMES.iter().filter(|name| wanted.iter().any(|one| one == *name));
    wanted.map(|name| ready(cache, name)).collect()
}

fn ready(cache: &Path, name: &'static str) -> Result<Image> {
    let folder = cache.join(name);
    // Written last: what was broken off is made anew.
    let done = folder.join(".plain-bytes");
    if !done.is_file() {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        eprintln!("making the image `{name}` …");
        let mut layout = Layout::create(&folder)?;
        let plain = match name {
            "debian" => system(&mut layout, cache)?,
            "application" => system(&mut layout, cache)? + application(&mut layout, cache)?,
            "packages" => layout.layer(Generated::new(PACKAGES, package), "COPY app /srv/app")?,
            _ => layout.layer(Generated::new(FILES, small_file), "COPY million /")?,
        };
        layout.finish(&format!("lazaret-bench-{name}:1"), &json!({"Cmd": ["bash"]}))?;
        std::fs::write(&done, plain.to_string())?;
    }
    let blobs = layer_blobs(&folder)?;
    let sizes: Result<Vec<u64>> = blobs.iter().map(|blob| Ok(blob.metadata()?.len())).collect();
    let title = match name {
        "debian" => "Debian bookworm with python3, perl, git, openjdk-17, nodejs; one layer",
        "application" => "the same and 200 npm, 100 Python packages, 60 jars; two layers",
        "packages" => "200,000 npm packages; one layer",
        _ => "a million small files; one layer",
    };
    let plain = std::fs::read_to_string(&done)?.trim().parse().context("a size")?;
    Ok(Image { name, title, folder, blobs, packed: sizes?.iter().sum(), plain })
}

fn system(layout: &mut Layout, cache: &Path) -> Result<u64> {
    let kept = cache.join("bookworm.tar");
    if !kept.is_file() {
        let new = cache.join("bookworm.tar.new.tar");
        debian::first_served(&["bookworm"], SYSTEM, &new)?;
        std::fs::rename(&new, &kept)?;
    }
    let plain = layout.layer(std::fs::File::open(&kept)?, "ADD bookworm.tar in /")?;
    layout.empty_history("CMD [\"bash\"]");
    Ok(plain)
}

fn application(layout: &mut Layout, cache: &Path) -> Result<u64> {
    let folder = cache.join("application.work");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    node(&folder.join("srv/app"))?;
    python(&folder.join("usr/local/lib/python3.11/dist-packages"))?;
    java(&folder.join("opt/jars"), &cache.join("java.work"))?;
    let mut packing = tar(&folder).stdout(Stdio::piped()).spawn().context("`tar`")?;
    let output = packing.stdout.take().context("`tar` has no output")?;
    let plain = layout.layer(output, "RUN install.sh")?;
    if !packing.wait()?.success() {
        bail!("`tar` could not read `{}`", folder.display());
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(plain)
}

fn node(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("package.json"), r#"{"name":"bench","version":"1.0.0"}"#)?;
    let fixed = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    let mut install = command("npm", fixed);
    install.arg("--loglevel=error").args(NODE).current_dir(folder).stdout(Stdio::null());
    run(&mut install)?;
    let modules = folder.join("node_modules");
    keep(&modules, NODE_PACKAGES, |path| path.join("package.json").is_file())
}

fn python(folder: &Path) -> Result<()> {
    let fixed = ["install", "--quiet", "--no-compile", "--only-binary=:all:", "--target"];
    let mut install = pip()?;
    install.args(fixed).arg(folder).args(PYTHON);
    run(install.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_ROOT_USER_ACTION", "ignore"))?;
    keep(folder, PYTHON_PACKAGES, |path| path.extension().is_some_and(|it| it == "dist-info"))
}

fn java(folder: &Path, work: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for package in JAVA {
        std::fs::create_dir_all(work)?;
        // apt refuses a folder that its own user cannot write; the download works all the same.
        let mut download = command("apt-get", ["-qq", "download", package]);
        let quiet = download.current_dir(work).stdout(Stdio::null()).stderr(Stdio::null());
        if !quiet.status().context("`apt-get` cannot be started")?.success() {
            eprintln!("  `{package}` is not to be had here");
            continue;
        }
        for archive in std::fs::read_dir(work)?.filter_map(|entry| Some(entry.ok()?.path())) {
            run(command("dpkg-deb", ["-x"]).arg(archive).arg(work.join("root")))?;
        }
        for jar in find_jars(&work.join("root/usr/share"))? {
            if let Some(name) = jar.file_name() {
                std::fs::copy(&jar, folder.join(name))?;
            }
        }
        std::fs::remove_dir_all(work)?;
    }
    keep(folder, JARS, |_| true)
}

/// Jars that are files, not links.
fn find_jars(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(find_jars(&entry.path())?);
        } else if kind.is_file() && entry.path().extension().is_some_and(|it| it == "jar") {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Removes what is more than `count` of the entries that fit; too few is an error.
fn keep(folder: &Path, count: usize, fits: impl Fn(&Path) -> bool) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))?;
    let mut fitting: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| fits(path)).collect();
    fitting.sort();
    if fitting.len() < count {
        bail!("only {} of {count} packages came into `{}`", fitting.len(), folder.display());
    }
    for surplus in fitting.iter().skip(count) {
        if surplus.is_dir() {
            std::fs::remove_dir_all(surplus)?;
        } else {
            std::fs::remove_file(surplus)?;
        }
    }
    Ok(())
}

/// Files of the image `million`, and how many of them lie in one folder.
const FILES: u32 = 1_000_000;
const TO_A_FOLDER: u32 = 1000;

/// Packages of the image `packages`: what an image of this size may cost in memory is a promise.
const PACKAGES: u32 = 200_000;

/// A tar that is made as it is read, entry by entry.
struct Generated {
    next: u32,
    count: u32,
    make: fn(&mut testkit::Tar, u32),
    piece: Vec<u8>,
    at: usize,
}

/// The millionth part of `million`.
fn small_file(tar: &mut testkit::Tar, number: u32) {
    let folder = number / TO_A_FOLDER;
    let folder = format!("srv/data/{:02}/{folder:03}", folder % 50);
    if number.is_multiple_of(TO_A_FOLDER) {
        tar.push(&Entry::directory(format!("{folder}/")));
    }
    tar.push(&Entry::file(format!("{folder}/item-{number:07}.txt"), format!("item {number}\n")));
}

/// A package as npm installs it, of a made-up name.
fn package(tar: &mut testkit::Tar, number: u32) {
    let name = format!("made-up-{number:06}");
    let folder = format!("srv/app/node_modules/{name}");
    tar.push(&Entry::directory(format!("{folder}/")));
    let (major, minor, patch) = (number % 7, number % 13, number % 101);
    let manifest = format!(
        "{{\"name\":\"{name}\",\"version\":\"{major}.{minor}.{patch}\",\"license\":\"MIT\",\"main\":\"index.js\"}}\n"
    );
    tar.push(&Entry::file(format!("{folder}/package.json"), manifest));
}

impl Generated {
    const fn new(count: u32, make: fn(&mut testkit::Tar, u32)) -> Self {
        Self { next: 0, count, make, piece: Vec::new(), at: 0 }
    }

    fn refill(&mut self) {
        self.piece.clear();
        self.at = 0;
        if self.next > self.count {
            return;
        }
        let number = self.next;
        self.next += 1;
        if number == self.count {
            self.piece.resize(2 * testkit::tar::BLOCK, 0);
            return;
        }
        let mut tar = testkit::Tar::new();
        (self.make)(&mut tar, number);
        self.piece = tar.unfinished();
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.piece.len() {
            self.refill();
        }
        let mut left = self.piece.get(self.at..).unwrap_or_default();
        let count = left.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// Package URLs for matching: names that advisories exist for, at versions old and new.
pub(crate) fn purls(count: usize) -> String {
    const NAMES: &[&str] = &[
        "pkg:pypi/django@",
        "pkg:pypi/requests@",
        "pkg:pypi/urllib3@",
        "pkg:pypi/jinja2@",
        "pkg:pypi/flask@",
        "pkg:pypi/pillow@",
        "pkg:npm/lodash@",
        "pkg:npm/jquery@",
        "pkg:npm/minimist@",
        "pkg:npm/react@",
        "pkg:cargo/tokio@",
        "pkg:cargo/openssl@",
        "pkg:cargo/regex@",
        "pkg:golang/golang.org/x/net@v",
        "pkg:golang/golang.org/x/crypto@v",
        "pkg:maven/org.apache.logging.log4j/log4j-core@",
        "pkg:gem/rails@",
        "pkg:nuget/newtonsoft.json@",
        "pkg:deb/debian/openssl?distro=debian-12@",
        "pkg:pypi/not-a-package-at-all@",
    ];
    let versions = 0..count.div_ceil(NAMES.len());
    let lines = versions.flat_map(|version| {
        NAMES.iter().map(move |name| match name.split_once('?') {
            Some((name, rest)) => {
                format!("{name}@{}.{}.0?{}\n", version / 5, version % 5, rest.trim_end_matches('@'))
            }
            None => format!("{name}{}.{}.0\n", version / 5, version % 5),
        })
    });
    lines.take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_hundred_purls_are_five_hundred_lines() {
        let text = purls(500);
        assert_eq!(text.lines().count(), 500);
        assert!(text.contains("pkg:deb/debian/openssl@1.2.0?distro=debian-12\n"));
    }
}
