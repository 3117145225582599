//! By what an image starts, as its configuration says.
//!
//! In goes the configuration, out come the ports that it exposes and the paths at which the started
//! program may lie. A shell that only starts another program stands for that one.

use crate::manifest::RunConfig;

/// Most ports and folders of a search path that are taken.
const TAKEN: usize = 64;
/// Where programs are looked for without a `PATH`. Source: runc's default.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How an image starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Ports that it exposes, such as `80/tcp`, sorted.
    pub ports: Vec<String>,
    /// The program, as stated; empty where none is.
    pub program: String,
    /// Folders in which it is looked for where it is stated without one.
    folders: Vec<String>,
}

impl Entry {
    pub(crate) fn of(config: &RunConfig) -> Self {
        let words: Vec<&str> =
            config.entrypoint.iter().chain(&config.cmd).map(String::as_str).collect();
        let path = config.env.iter().find_map(|text| text.strip_prefix("PATH=")).unwrap_or(PATH);
        let program = started(&words);
        let folders = if program.starts_with("./") || program.contains('/') {
            vec![config.working_dir.clone()]
        } else {
            path.split(':').take(TAKEN).map(str::to_owned).collect()
        };
        Self {
            ports: config.exposed_ports.keys().take(TAKEN).cloned().collect(),
            program: program.to_owned(),
            folders,
        }
    }

    /// The paths at which the program may lie, without a leading slash, first come first.
    #[must_use]
    pub fn candidates(&self) -> Vec<String> {
        let relative = |path: &str| path.trim_start_matches('/').to_owned();
        if self.program.is_empty() {
            return Vec::new();
        }
        if self.program.starts_with('/') {
            return vec![relative(&self.program)];
        }
        let program = self.program.trim_start_matches("./");
        let folders = self.folders.iter().map(|folder| folder.trim_end_matches('/'));
        folders.map(|folder| relative(&format!("{folder}/{program}"))).collect()
    }
}

/// The program that the words start: behind `sh -c` the first word of the script.
fn started<'words>(words: &[&'words str]) -> &'words str {
    let [first, rest @ ..] = words else { return "" };
    let name = first.rsplit('/').next().unwrap_or(first);
    if let (true, ["-c", script, ..]) = (matches!(name, "sh" | "bash" | "dash" | "ash"), rest) {
        let mut inner = script.split_whitespace();
        let word = inner.find(|word| *word != "exec").unwrap_or(first);
        // Anything but a plain word is the shell's own doing.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
        return if word.chars().all(plain) { word } else { first };
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Entry {
        Entry::of(&serde_json::from_str::<RunConfig>(json).unwrap())
    }

    #[test]
    fn the_started_program_is_looked_for_as_the_runtime_does() {
        let plain =
            entry(r#"{"Cmd":["nginx","-g"],"ExposedPorts":{"80/tcp":{}},"Env":["PATH=/a:/b/"]}"#);
        assert_eq!(plain.ports, ["80/tcp"]);
        assert_eq!(plain.candidates(), ["a/nginx", "b/nginx"]);
        let absolute = entry(r#"{"Entrypoint":["/usr/sbin/app"],"Cmd":["x"]}"#);
        assert_eq!(absolute.candidates(), ["usr/sbin/app"]);
        let here = entry(r#"{"Entrypoint":["./app"],"WorkingDir":"/srv"}"#);
        assert_eq!(here.candidates(), ["srv/app"]);
        assert!(entry("{}").candidates().is_empty());
        assert!(entry(r#"{"Entrypoint":null,"Cmd":null,"ExposedPorts":null}"#).ports.is_empty());
    }

    #[test]
    fn a_shell_that_only_starts_a_program_stands_for_it() {
        let of = |script: &str| {
            entry(&format!(r#"{{"Entrypoint":["/bin/sh","-c"],"Cmd":["{script}"]}}"#)).program
        };
        assert_eq!(of("exec nginx -g x"), "nginx");
        assert_eq!(of("/opt/app --port 80"), "/opt/app");
        assert_eq!(of("A=1 app"), "/bin/sh");
        assert_eq!(of("$(evil)"), "/bin/sh");
    }
}
