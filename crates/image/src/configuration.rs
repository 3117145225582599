//! By what a container of an image runs, as the image's configuration says.
//!
//! In goes the configuration document, out come its words, as they stand there and bounded: nothing is
//! believed, expanded or defaulted here. A check finds it in its [`crate::View`]. Sources: OCI image
//! specification 1.1, "Image Configuration"; for the health check Docker's image specification 1.2.

use crate::manifest::{Config, Healthcheck, RunConfig};

/// Most entries of one list; nothing real has a tenth of it.
const ENTRIES: usize = 10_000;

/// By what a container of an image runs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `user`, `uid`, `user:group`, `uid:gid` or a mix; empty means root.
    pub user: String,
    /// `NAME=value`, in their order. May hold secrets: it is shown nowhere.
    pub environment: Vec<String>,
    /// The program that is started, with its first arguments.
    pub entry_point: Vec<String>,
    /// Its other arguments, or the program where there is no entry point.
    pub command: Vec<String>,
    /// The folder in which it is started; empty means `/`.
    pub working_directory: String,
    /// Ports that it says to listen on, such as `80/tcp`, sorted.
    pub ports: Vec<String>,
    /// Labels, sorted by name.
    pub labels: Vec<(String, String)>,
    /// Folders that are to be volumes, sorted.
    pub volumes: Vec<String>,
    /// How its health is asked for, where the image says something of it.
    pub health_check: Option<HealthCheck>,
    /// The signal that asks it to end; empty means SIGTERM.
    pub stop_signal: String,
    /// How it was built, first step first.
    pub history: Vec<Step>,
    /// How many entries of those lists were left out: more than any real image has.
    pub left_out: u64,
}

/// Without what may be secret: values of variables, and commands that may hold them.
impl std::fmt::Debug for Configuration {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Configuration")
            .field("user", &self.user)
            .field("working_directory", &self.working_directory)
            .field("ports", &self.ports)
            .field("volumes", &self.volumes)
            .field("stop_signal", &self.stop_signal)
            .finish_non_exhaustive()
    }
}

/// How the health of a container is asked for; times in nanoseconds, 0 where they are left to the
/// engine.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HealthCheck {
    /// `NONE`, `CMD` and its words, or `CMD-SHELL` and a line; empty where it is inherited.
    pub test: Vec<String>,
    /// Between two of them.
    pub interval: i64,
    /// Until one counts as failed.
    pub timeout: i64,
    /// How many may fail in a row.
    pub retries: i64,
}

/// One step of how an image was built.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The command, as its builder wrote it; empty where it is not told.
    pub command: String,
    /// What its maker says of it.
    pub comment: String,
    /// Whether it made no layer.
    pub without_layer: bool,
}

impl Configuration {
    pub(crate) fn of(document: &Config) -> Self {
        let mut left_out = 0;
        let RunConfig {
            user,
            labels,
            exposed_ports,
            volumes,
            entrypoint,
            cmd,
            env,
            working_dir,
            stop_signal,
            healthcheck,
        } = &document.config;
        let health_check = healthcheck.as_ref().map(|one| {
            let Healthcheck { test, interval, timeout, retries } = one;
            let test = bounded(test.iter().cloned(), &mut left_out);
            HealthCheck { test, interval: *interval, timeout: *timeout, retries: *retries }
        });
        let history = document.history.iter().map(|step| Step {
            command: step.created_by.clone().unwrap_or_default(),
            comment: step.comment.clone().unwrap_or_default(),
            without_layer: step.empty_layer,
        });
        let labels = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        Self {
            user: user.clone(),
            environment: bounded(env.iter().cloned(), &mut left_out),
            entry_point: bounded(entrypoint.iter().cloned(), &mut left_out),
            command: bounded(cmd.iter().cloned(), &mut left_out),
            working_directory: working_dir.clone(),
            ports: bounded(exposed_ports.keys().cloned(), &mut left_out),
            labels: bounded(labels, &mut left_out),
            volumes: bounded(volumes.keys().cloned(), &mut left_out),
            health_check,
            stop_signal: stop_signal.clone(),
            history: bounded(history, &mut left_out),
            left_out,
        }
    }
}

fn bounded<T>(all: impl ExactSizeIterator<Item = T>, left_out: &mut u64) -> Vec<T> {
    *left_out += all.len().saturating_sub(ENTRIES) as u64;
    all.take(ENTRIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Configuration {
        Configuration::of(&crate::manifest::parse::<Config>(json.as_bytes()).unwrap())
    }

    #[test]
    fn all_that_a_container_runs_by_is_told_as_it_stands_there() {
        let all =
            of(r#"{"config":{"User":"app:app","Env":["TOKEN=made-up"],"Entrypoint":["/bin/app"],
            "Cmd":["-v"],"WorkingDir":"/srv","ExposedPorts":{"80/tcp":{},"443/tcp":{}},
            "Labels":{"b":"2","a":"1"},"Volumes":{"/data":{}},"StopSignal":"SIGINT",
            "Healthcheck":{"Test":["CMD","true"],"Interval":5,"Retries":3}},
            "history":[{"created_by":"RUN x","comment":"why"},{"empty_layer":true}]}"#);
        assert_eq!((all.user.as_str(), all.stop_signal.as_str()), ("app:app", "SIGINT"));
        assert_eq!(all.ports, ["443/tcp", "80/tcp"]);
        assert_eq!((all.volumes, all.command), (vec!["/data".into()], vec!["-v".into()]));
        assert_eq!(all.labels.first().unwrap(), &("a".to_owned(), "1".to_owned()));
        let health = all.health_check.unwrap();
        assert_eq!((health.interval, health.timeout, health.retries), (5, 0, 3));
        assert_eq!(
            all.history.iter().map(|step| step.without_layer).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(all.history.first().unwrap().comment, "why");
    }

    #[test]
    fn what_may_be_secret_is_not_printed() {
        let shown = format!("{:?}", of(r#"{"config":{"User":"u","Env":["TOKEN=made-up"]}}"#));
        assert!(shown.contains("\"u\"") && !shown.contains("made-up"), "{shown}");
    }

    #[test]
    fn entries_beyond_the_bound_are_counted() {
        let many: Vec<String> = (0..ENTRIES + 3).map(|number| format!("\"A={number}\"")).collect();
        let all = of(&format!(r#"{{"config":{{"Env":[{}]}}}}"#, many.join(",")));
        assert_eq!((all.environment.len(), all.left_out), (ENTRIES, 3));
        assert_eq!(of(r#"{"config":{"Env":null}}"#), Configuration::default());
    }
}
