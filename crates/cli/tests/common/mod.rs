//! Runs the binary against images and advisories that the test makes.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test binary uses its own part, and a test may fail"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use testkit::{ImageBuilder, Layer};

/// A folder with a database, and the binary run in it, away from the user's own settings.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With the sample advisories built into its database.
    pub fn with_database() -> Self {
        let bench = Self::new();
        bench.write_feed();
        let updated = bench.run(&["db", "update", "--from", "feed"]);
        assert_eq!(updated.status.code(), Some(0), "{}", stderr(&updated));
        bench
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lazaret"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("HOME", self.path()).env("LAZARET_DB", self.path().join("db"));
        command.env("SOURCE_DATE_EPOCH", "1790000000");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Advisories of made-up vulnerabilities.
    pub fn write_feed(&self) {
        for (ecosystem, id, json) in FEED {
            self.write(&format!("feed/{ecosystem}/{id}.json"), json);
        }
        self.write("feed/ecosystems.txt", "Debian\nPyPI\nnpm\n");
    }
}

const FEED: [(&str, &str, &str); 4] = [
    (
        "Debian",
        "DSA-1-1",
        r#"{"id":"DSA-1-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2099-0001","CVE-2099-0002"],
           "affected":[{"package":{"ecosystem":"Debian:12","name":"opensel"},
           "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.2-1"}]}]}],
           "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}"#,
    ),
    (
        "PyPI",
        "PYSEC-1",
        r#"{"id":"PYSEC-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2099-0003"],"summary":"Old demo",
           "affected":[{"package":{"ecosystem":"PyPI","name":"demo-web"},
           "ranges":[{"type":"ECOSYSTEM","events":[{"fixed":"2.0"},{"introduced":"1.0"}]}]}],
           "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L"}]}"#,
    ),
    (
        "npm",
        "GHSA-1",
        r#"{"id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-01T00:00:00Z","summary":"No rating",
           "affected":[{"package":{"ecosystem":"npm","name":"left-demo"},
           "ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#,
    ),
    (
        "npm",
        "MAL-1",
        r#"{"id":"MAL-2099-1","modified":"2026-01-01T00:00:00Z","summary":"Malicious code in evil-demo (npm)",
           "affected":[{"package":{"ecosystem":"npm","name":"evil-demo"},"versions":["6.6.6"]}]}"#,
    ),
];

pub const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";

pub const STATUS: &str = "\
Package: libopensel3
Status: install ok installed
Architecture: amd64
Source: opensel
Version: 3.0.1-1
Description: made up

Package: zcat
Status: install ok installed
Architecture: amd64
Version: 1:1.2-3
Description: made up

";

pub fn base() -> Layer {
    Layer::new()
        .directory("etc")
        .file("etc/os-release", OS_RELEASE)
        .file("var/lib/dpkg/status", STATUS)
        .file("var/lib/dpkg/info/libopensel3.list", "/.\n/usr\n/usr/lib/libopensel.so.3\n")
}

pub fn python() -> Layer {
    Layer::new().file(
        "usr/local/lib/python3.11/dist-packages/demo_web-1.5.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: Demo_Web\nVersion: 1.5\nLicense: MIT\n\nText\n",
    )
}

pub fn node() -> Layer {
    let package = |name: &str, version: &str| {
        format!(r#"{{"name":"{name}","version":"{version}","license":"MIT"}}"#)
    };
    Layer::new().file("srv/app/node_modules/left-demo/package.json", package("left-demo", "1.0.0"))
}

/// Debian below, Python and Node above.
pub fn image() -> ImageBuilder {
    ImageBuilder::new()
        .tag("example.test/shop:1")
        .layer(base())
        .history("ADD rootfs.tar / ")
        .empty_history("CMD [\"bash\"]")
        .layer(python())
        .history("RUN pip install demo-web==1.5")
        .layer(node())
        .history("COPY app /srv/app")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}
