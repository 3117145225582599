//! Registries for tests: the real one of the distribution project on a port and a folder of its own,
//! and what a registry answers, for servers that answer as a test says.
//!
//! Source: OCI distribution specification 1.1, "Pull".

use crate::engine::{Daemon, is_installed, output_of, own_folder};
use crate::http::{Received, Reply, partial};
use crate::image::Built;
use crate::skip::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user that a registry with a login knows.
pub const USER: &str = "tester";
/// The user's password.
pub const PASSWORD: &str = "made-up-password";
/// bcrypt of [`PASSWORD`], at the least cost.
const HASHED: &str = "$2y$05$abcdefghijklmnopqrstuuJgtjjEyKgAjLKfyMzQrXVWZG2QMxka.";

/// How a registry is to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistryOptions {
    /// Only [`USER`] may read and write.
    pub login: bool,
    /// With TLS, by an authority of its own.
    pub tls: bool,
}

/// A registry of the test's own.
#[derive(Debug)]
pub struct RegistryDaemon {
    daemon: Daemon,
    host: String,
    options: RegistryOptions,
}

impl RegistryDaemon {
    /// Starts one on loopback; none, and `skipped: why` on stderr, where it cannot run.
    ///
    /// # Panics
    /// Where it does not come up, or a part is missing under `CI=true`.
    #[must_use]
    pub fn start(options: RegistryOptions) -> Option<Self> {
        for program in ["docker-registry", "skopeo", "openssl"] {
            if !is_installed(program) {
                return skip(&format!("{program} is not installed"));
            }
        }
        let folder = own_folder("registry");
        let at = folder.display().to_string();
        // Port 0: the system chooses a free one, and the log says which.
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {at}/data}}}}\n\
             http:\n  addr: 127.0.0.1:0\n"
        );
        if options.tls {
            certify(&folder);
            config
                .push_str(&format!("  tls: {{certificate: {at}/leaf.pem, key: {at}/leaf.key}}\n"));
        }
        if options.login {
            write(&folder.join("users"), &format!("{USER}:{HASHED}\n"));
            config.push_str(&format!("auth: {{htpasswd: {{realm: test, path: {at}/users}}}}\n"));
        }
        write(&folder.join("config.yml"), &config);
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(folder.join("config.yml"));
        let daemon = Daemon::start(command, folder);
        let mut host = String::new();
        daemon.wait_for(|| {
            let log = fs::read_to_string(daemon.folder.join("log")).unwrap_or_default();
            let port = log.split("listening on 127.0.0.1:").nth(1).unwrap_or_default();
            let port: String = port.chars().take_while(char::is_ascii_digit).collect();
            host = format!("127.0.0.1:{port}");
            if port.is_empty() { Err("it names no port".to_owned()) } else { Ok(()) }
        });
        Some(Self { daemon, host, options })
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The certificate of its authority, where it has TLS.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.daemon.folder.join("ca.pem")
    }

    /// Copies the image of an OCI layout into it, as `NAME:TAG`.
    ///
    /// # Panics
    /// Where that fails.
    #[expect(clippy::panic, reason = "a test that cannot go on ends here, with the reason")]
    pub fn push(&self, layout: &Path, name: &str) {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--all", "--dest-tls-verify=false"]);
        if self.options.login {
            command.arg(format!("--dest-creds={USER}:{PASSWORD}"));
        }
        command.arg(format!("oci:{}", layout.display()));
        command.arg(format!("docker://{}/{name}", self.host));
        if let Err(reason) = output_of(&mut command) {
            panic!("skopeo: {reason}");
        }
    }
}

impl RegistryDaemon {
    /// Puts a blob into a repository, over plain HTTP without a login.
    ///
    /// # Panics
    /// Where that fails.
    pub fn put_blob(&self, name: &str, bytes: &[u8]) {
        let digest = vocabulary::Digest::of(bytes);
        let begun = self.send("POST", &format!("/v2/{name}/blobs/uploads/"), "", b"");
        let place = begun.lines().find_map(|line| line.strip_prefix("Location: "));
        let place = place.unwrap_or_default().trim();
        let path = place.split_once(&self.host).map_or(place, |(_, path)| path);
        let path = format!("{path}&digest={digest}");
        let _ = self.send("PUT", &path, "application/octet-stream", bytes);
    }

    /// Puts a manifest or index into a repository, at a tag or its digest.
    ///
    /// # Panics
    /// Where that fails.
    pub fn put_manifest(&self, name: &str, tag: &str, media_type: &str, bytes: &[u8]) {
        let _ = self.send("PUT", &format!("/v2/{name}/manifests/{tag}"), media_type, bytes);
    }

    /// Sends a request; the whole answer.
    #[expect(clippy::panic, reason = "a test that cannot go on ends here, with the reason")]
    fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> String {
        use std::io::{Read as _, Write as _};
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {media_type}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.host,
            body.len()
        );
        let exchange = || -> std::io::Result<String> {
            let mut stream = std::net::TcpStream::connect(&self.host)?;
            stream.write_all(&[head.as_bytes(), body].concat())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        match exchange() {
            Ok(answer) if answer.starts_with("HTTP/1.1 20") => answer,
            other => panic!("{method} {path}: {other:?}"),
        }
    }
}

impl Drop for RegistryDaemon {
    fn drop(&mut self) {
        self.daemon.stop();
        self.daemon.clear();
    }
}

/// An authority, and a certificate by it for 127.0.0.1.
#[expect(clippy::panic, reason = "a test that cannot go on ends here, with the reason")]
fn certify(folder: &Path) {
    let script = "\
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=Test authority' -keyout ca.key -out ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=127.0.0.1' -keyout leaf.key -out leaf.csr
printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > extensions
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out leaf.pem";
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-ec", script]);
    if let Err(reason) = output_of(&mut command) {
        panic!("openssl: {reason}");
    }
}

#[expect(clippy::panic, reason = "a test that cannot go on ends here, with the reason")]
fn write(path: &Path, text: &str) {
    fs::write(path, text)
        .unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
}

/// What a registry answers that holds one image, at the tag `1` and at its digest, in any repository.
#[must_use]
pub fn answer(built: &Built, request: &Received) -> Reply {
    let mut parts = request.path.rsplitn(3, '/');
    let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let manifest = built.manifest_digest.to_string();
    let is = |digest: &vocabulary::Digest| digest.to_string() == name;
    let layer = || {
        let mut layers = built.layers.iter().filter(|layer| is(&layer.digest));
        layers.find_map(|layer| layer.packed.clone())
    };
    match kind {
        "manifests" if name == "1" || name == manifest => Reply::ok(built.manifest.clone())
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .header("docker-content-digest", &manifest),
        "blobs" if is(&built.config_digest) => Reply::ok(built.config.clone()),
        "blobs" => layer().map_or(Reply::status(404), |layer| partial(layer, request, true)),
        _ if request.path == "/v2/" => Reply::ok("{}"),
        _ => Reply::status(404),
    }
}
