//! Every setting, once: its flags, its variable, its key in `lazaret.toml`, its default, and who may
//! say it.
//!
//! The command line takes variables and defaults from here ([`declared`]), the configuration file its
//! trust, and its JSON Schema and the page of the documentation are made of it. What a setting is for
//! stands with its flag, as help, and nowhere else.

use clap::Command;

/// A setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its key in the configuration file, where it may stand there.
    pub(crate) name: &'static str,
    /// The flags that say it, that of most commands first.
    pub(crate) flags: &'static [Flag],
    /// The environment variable that says it.
    pub(crate) variable: Variable,
    /// What its value is, for the schema.
    pub(crate) kind: Kind,
    /// Who may say it.
    pub(crate) trust: Trust,
}

/// A flag that says a setting.
#[derive(Debug)]
pub(crate) struct Flag {
    /// The command that it is of alone, in its words; all that have it where empty.
    pub(crate) of: &'static str,
    /// Its name, without dashes.
    pub(crate) long: &'static str,
    /// What holds without it, in words; empty where nothing does.
    pub(crate) default: &'static str,
}

/// An environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// It stands for the flag.
    OfFlag(&'static str),
    /// It stands for the key of the configuration file: the flag says more than that.
    OfFile(&'static str),
}

impl Variable {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OfFlag(name) | Self::OfFile(name) => name,
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Mark,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A path. In a file it begins where the file lies.
    Path,
    /// A path, or a URL.
    Place,
}

/// Who may say a setting. Flags and variables always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// No file.
    Process,
    /// A configuration file that was named, or is the user's own.
    Named,
    /// Also one that merely lies where the program was started: it changes only what is shown.
    Found,
}

const fn flag(long: &'static str, default: &'static str) -> Flag {
    Flag { of: "", long, default }
}

const fn setting(
    name: &'static str,
    flags: &'static [Flag],
    variable: &'static str,
    kind: Kind,
    trust: Trust,
) -> Setting {
    Setting { name, flags, variable: Variable::OfFlag(variable), kind, trust }
}

/// All settings, sorted by name.
pub(crate) const ALL: &[Setting] = &[
    setting(
        "archive-mirror",
        &[flag("archive-mirror", "")],
        "LAZARET_ARCHIVE_MIRROR",
        Kind::Text,
        Trust::Process,
    ),
    setting("author", &[flag("author", "")], "LAZARET_AUTHOR", Kind::Text, Trust::Named),
    setting("ca-file", &[flag("ca-file", "")], "LAZARET_CA_FILE", Kind::Path, Trust::Process),
    setting(
        "cache-dir",
        &[flag("cache-dir", "in the user's cache folder")],
        "LAZARET_CACHE_DIR",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "checks",
        &[flag("checks", "what the policy says, else all groups")],
        "LAZARET_CHECKS",
        Kind::Text,
        Trust::Process,
    ),
    setting(
        "color",
        &[flag("color", "")],
        "LAZARET_COLOR",
        Kind::Words(&["auto", "always", "never"]),
        Trust::Found,
    ),
    setting(
        "config",
        &[flag(
            "config",
            "config.toml in the user's configuration folder, and over it lazaret.toml here, which may only change what is shown",
        )],
        "LAZARET_CONFIG",
        Kind::Path,
        Trust::Process,
    ),
    setting(
        "containerd-address",
        &[flag("containerd-address", "/run/containerd/containerd.sock")],
        "CONTAINERD_ADDRESS",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "containerd-namespace",
        &[flag("containerd-namespace", "default; images are also looked for in k8s.io and moby")],
        "CONTAINERD_NAMESPACE",
        Kind::Text,
        Trust::Named,
    ),
    setting(
        "containerd-root",
        &[flag(
            "containerd-root",
            "the user's, then /var/lib/containerd and those of k3s and RKE2",
        )],
        "LAZARET_CONTAINERD_ROOT",
        Kind::Path,
        Trust::Process,
    ),
    setting(
        "db",
        &[flag("db", "in the user's cache folder")],
        "LAZARET_DB",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "db-key",
        &[
            flag("db-key", ""),
            Flag { of: "db update", long: "key", default: "" },
            Flag { of: "db pull", long: "key", default: "" },
        ],
        "LAZARET_DB_KEY",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "db-source",
        &[flag("db-source", ""), Flag { of: "db update", long: "from", default: "" }],
        "LAZARET_DB_SOURCE",
        Kind::Place,
        Trust::Named,
    ),
    setting(
        "docker-host",
        &[flag("docker-host", "unix:///var/run/docker.sock")],
        "DOCKER_HOST",
        Kind::Text,
        Trust::Named,
    ),
    setting(
        "docker-root",
        &[flag("docker-root", "/var/lib/docker")],
        "LAZARET_DOCKER_ROOT",
        Kind::Path,
        Trust::Process,
    ),
    setting(
        "epss",
        &[flag("epss", "in the mirror of the advisories, else empiricalsecurity.com")],
        "LAZARET_EPSS",
        Kind::Place,
        Trust::Named,
    ),
    setting("fail-on", &[flag("fail-on", "")], "LAZARET_FAIL_ON", Kind::Text, Trust::Process),
    Setting {
        name: "format",
        flags: &[flag("format", "")],
        variable: Variable::OfFile("LAZARET_FORMAT"),
        kind: Kind::Text,
        trust: Trust::Found,
    },
    setting(
        "ignore-file",
        &[flag("ignore-file", ".lazaret-ignore.toml, where it is there")],
        "LAZARET_IGNORE_FILE",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "kev",
        &[flag("kev", "in the mirror of the advisories, else cisa.gov")],
        "LAZARET_KEV",
        Kind::Place,
        Trust::Named,
    ),
    setting(
        "key",
        &[Flag { of: "seal", long: "key", default: "" }],
        "LAZARET_KEY",
        Kind::Path,
        Trust::Process,
    ),
    setting("new-since", &[flag("new-since", "")], "LAZARET_NEW_SINCE", Kind::Path, Trust::Process),
    setting(
        "no-project-policy",
        &[flag("no-project-policy", "")],
        "LAZARET_NO_PROJECT_POLICY",
        Kind::Mark,
        Trust::Named,
    ),
    setting("offline", &[flag("offline", "")], "LAZARET_OFFLINE", Kind::Mark, Trust::Named),
    setting("platform", &[flag("platform", "")], "LAZARET_PLATFORM", Kind::Text, Trust::Named),
    setting(
        "podman-root",
        &[flag("podman-root", "the user's, then /var/lib/containers/storage")],
        "LAZARET_PODMAN_ROOT",
        Kind::Path,
        Trust::Process,
    ),
    setting(
        "policy",
        &[flag("policy", "lazaret.yaml here, or in the nearest folder above that has one")],
        "LAZARET_POLICY",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "sandbox",
        &[flag("sandbox", "auto")],
        "LAZARET_SANDBOX",
        Kind::Words(&["auto", "require", "off"]),
        Trust::Process,
    ),
    setting(
        "state",
        &[flag("state", "/var/lib/lazaret for root, else in the user's state folder")],
        "LAZARET_STATE",
        Kind::Path,
        Trust::Named,
    ),
    setting(
        "supplier",
        &[flag("supplier", "the author, where one is named")],
        "LAZARET_SUPPLIER",
        Kind::Text,
        Trust::Named,
    ),
    setting(
        "timeout",
        &[
            flag("timeout", "10m for each subject that is named"),
            Flag { of: "db update", long: "timeout", default: "1h" },
        ],
        "LAZARET_TIMEOUT",
        Kind::Text,
        Trust::Process,
    ),
];

/// The command line with the variables and defaults of its settings.
pub(crate) fn declared(command: Command) -> Command {
    below(command, "")
}

fn below(command: Command, path: &str) -> Command {
    let command = command.mut_args(|arg| {
        let found = arg.get_long().and_then(|long| of_flag(path, long));
        let Some((setting, flag)) = found else { return arg };
        let arg = match setting.variable {
            Variable::OfFlag(name) => arg.env(name).hide_env_values(true),
            Variable::OfFile(_) => arg,
        };
        match (arg.get_help().map(ToString::to_string), flag.default) {
            (Some(help), default) if !default.is_empty() => {
                arg.help(format!("{help} [default: {default}]"))
            }
            _ => arg,
        }
    });
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        below(inner, path.trim_start())
    })
}

/// The setting that a flag of a command says.
fn of_flag(command: &str, long: &str) -> Option<(&'static Setting, &'static Flag)> {
    let all =
        || ALL.iter().flat_map(|setting| setting.flags.iter().map(move |flag| (setting, flag)));
    let named = |of: &str| all().find(|(_, flag)| flag.long == long && flag.of == of);
    named(command).or_else(|| named(""))
}

/// The settings that a configuration file may hold.
pub(crate) fn of_file() -> impl Iterator<Item = &'static Setting> {
    ALL.iter().filter(|setting| setting.trust != Trust::Process)
}

/// What a setting is for, as the help of its first flag says it, without what the flag alone does.
pub(crate) fn about(command: &Command, setting: &Setting) -> Option<String> {
    let flag = setting.flags.first()?;
    let mut at = command;
    for word in flag.of.split_whitespace() {
        at = at.find_subcommand(word)?;
    }
    let own = |command: &Command| {
        let found = command.get_arguments().find(|arg| arg.get_long() == Some(flag.long))?;
        found.get_help().map(ToString::to_string)
    };
    // The first command, in the order of the help, that has it.
    own(at).or_else(|| at.get_subcommands().find_map(own))
}
