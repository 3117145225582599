//! The configuration file: what one may say that was named or is the user's own, and how much less one
//! may that merely lies where the program was started.
//!
//! The latter may be part of somebody else's sources, of those that are scanned even. It has a type of
//! its own, which holds what changes how things are shown: what is not in that type cannot be said
//! there. It is laid under the user's own file, never put in its place. What counts, and what is
//! silenced, is the policy's to say (`lazaret.yaml`), and stands in neither.

use crate::args::Color;
use crate::args::settings::{ALL, Variable};
use crate::exit::Failure;
use crate::{forms, found, settings};
use documents::Place;
use report::Format;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, Visitor};
use std::path::{Path, PathBuf};

/// Bytes of a configuration file.
const CONFIG_BYTES: u64 = 1 << 20;

/// The configuration file of a folder.
const LOCAL_FILE: &str = "lazaret.toml";

/// What the configuration file may say. Flags and environment variables come first.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) color: Option<Color>,
    pub(crate) offline: Option<bool>,
    pub(crate) db: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) docker_host: Option<String>,
    pub(crate) containerd_address: Option<PathBuf>,
    pub(crate) containerd_namespace: Option<String>,
    pub(crate) db_source: Option<String>,
    pub(crate) db_key: Option<PathBuf>,
    pub(crate) kev: Option<String>,
    pub(crate) epss: Option<String>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) platform: Option<String>,
    pub(crate) format: Option<FormatSetting>,
    pub(crate) author: Option<Author>,
    pub(crate) supplier: Option<Author>,
    pub(crate) ignore_file: Option<PathBuf>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) no_project_policy: Option<bool>,
}

/// What a file may say that was found and not named. A new option is none of these, unless it changes
/// only what is shown.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Found {
    color: Option<Color>,
    format: Option<BuiltIn>,
}

/// A format, by its name or as `template:FILE`, which is read where it is used.
#[derive(Clone, Debug)]
pub(crate) enum FormatSetting {
    /// One that reads no file.
    BuiltIn(Format),
    /// Whatever `--format` takes.
    Named(String),
}

impl<'de> Deserialize<'de> for FormatSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Named)
    }
}

/// A format that reads no file.
#[derive(Debug)]
struct BuiltIn(Format);

impl<'de> Deserialize<'de> for BuiltIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let names = || Format::all().map(Format::name).collect::<Vec<_>>().join(", ");
        let wrong = |_| D::Error::custom(format!("expected one of {}", names()));
        name.parse().map(Self).map_err(wrong)
    }
}

/// Who answers for bills of materials, or supplies what they are about, as `--author` takes it.
#[derive(Clone, Debug)]
pub(crate) struct Author(pub(crate) String);

impl<'de> Deserialize<'de> for Author {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        forms::author(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Reads the configuration file that was named; else the user's own, `lazaret/config.toml` in the
/// user's configuration folder, and over it what `lazaret.toml` in this folder may say.
/// Without `found` only what was named or is the user's own counts.
pub(crate) fn load(named: Option<&Path>, found: bool) -> Result<Settings, Failure> {
    if let Some(file) = named {
        let text = settings::read_text(file, CONFIG_BYTES)?;
        let settings: Settings = parse(&file.display().to_string(), &text)?;
        return Ok(settings.beside(file));
    }
    let otherwise = "name it with --config";
    let own = settings::user_folder("XDG_CONFIG_HOME", ".config");
    let mut settings = Settings::default();
    if let Some(file) = own.map(|folder| folder.join("config.toml"))
        && !is_out_of_reach(&file)
        && let Some(found) = found::read(&file, CONFIG_BYTES, otherwise)?
    {
        settings = parse::<Settings>(&file.display().to_string(), &found.text)?.beside(&file);
    }
    if !found {
        return Ok(settings);
    }
    let otherwise = "name it with --config, or leave it out with --no-project-policy";
    match found::read(Path::new(LOCAL_FILE), CONFIG_BYTES, otherwise)? {
        Some(found) => Ok(settings.under(parse(LOCAL_FILE, &found.text)?)),
        None => Ok(settings),
    }
}

/// Whether it is in a folder that we may not enter, as HOME is that another user left to us: nothing is
/// our own there.
fn is_out_of_reach(file: &Path) -> bool {
    let asked = std::fs::symlink_metadata(file);
    asked.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

impl Settings {
    /// With paths that begin where the file lies that says them, and not where somebody was when the
    /// program was started: there the same name is another file.
    fn beside(mut self, file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = |path: PathBuf| match (path.strip_prefix("~"), &home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => folder.join(path),
        };
        let text = |text: String| match (text.contains("://"), text.strip_prefix("oci:")) {
            (true, _) => text,
            (false, Some(folder)) => format!("oci:{}", path(PathBuf::from(folder)).display()),
            (false, None) => path(PathBuf::from(text)).display().to_string(),
        };
        let Self { db, db_key, state, containerd_address, cache_dir, ignore_file, policy, .. } =
            &mut self;
        for one in [db, db_key, state, containerd_address, cache_dir, ignore_file, policy] {
            *one = one.take().map(path);
        }
        for one in [&mut self.db_source, &mut self.kev, &mut self.epss] {
            *one = one.take().map(text);
        }
        if let Some(FormatSetting::Named(name)) = &mut self.format
            && let Some(file) = forms::template_of(name)
        {
            *name = format!("template:{}", text(file.to_owned()));
        }
        self
    }

    /// With what the environment says in place of the file.
    pub(crate) fn under_environment(mut self) -> Self {
        for setting in ALL.iter().filter(|one| matches!(one.variable, Variable::OfFile(_))) {
            let said = std::env::var(setting.variable.name()).ok().filter(|text| !text.is_empty());
            if let (Some(said), "format") = (said, setting.name) {
                self.format = Some(FormatSetting::Named(said));
            }
        }
        self
    }

    /// With what a found file says, where nobody else said how things are shown.
    fn under(mut self, found: Found) -> Self {
        // Taken apart in full, so that a new option cannot be forgotten here.
        let Found { color, format } = found;
        self.color = self.color.or(color);
        self.format = self.format.or(format.map(|BuiltIn(format)| FormatSetting::BuiltIn(format)));
        self
    }
}

/// Reads a file of a form. What is in it is never quoted, but for names of options: it may be a link to
/// something that is no configuration at all.
fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Failure> {
    documents::toml::read::<T>(text).map_err(|error| {
        let Place { line, column } = error.place;
        let reason = reason::<T>(text, &error.wrong.to_string());
        Failure::usage(format!("`{file}`, line {line}, column {column}: {reason}"))
    })
}

fn reason<T: DeserializeOwned>(text: &str, message: &str) -> String {
    let message = documents::toml::reason(message);
    let Some(keys) = documents::toml::keys(text) else { return message };
    let (own, all) = (options::<T>(), options::<Settings>());
    let unknown = keys.iter().find(|name| !own.contains(&name.as_str()));
    let kept = unknown.and_then(|name| all.iter().find(|option| *option == name));
    if let Some(option) = kept {
        return format!(
            "`{option}` is not taken from a file that was found, not named; move it to the user's \
             configuration file, or name this one with --config"
        );
    }
    if let Some(word) = unknown.filter(|name| is_of_policy(name)) {
        return format!("`{word}` is a word of the policy; write `{word}: …` into lazaret.yaml");
    }
    if let Some(unknown) = unknown {
        return match policy::nearest(unknown, own.iter().copied()) {
            Some(near) => format!("`{unknown}` is not an option; did you mean `{near}`?"),
            None => format!("here is no option that may be set; use {}", own.join(", ")),
        };
    }
    match documents::toml::refused::<T>(text) {
        Some(name) => format!("`{name}`: {message}"),
        None => message,
    }
}

/// Whether a key is one of policy files. Those draw lines, silence and demand; this file says how the
/// program is set up.
fn is_of_policy(key: &str) -> bool {
    let schema = policy::schema();
    schema
        .get("properties")
        .and_then(|keys| keys.as_object())
        .is_some_and(|keys| keys.contains_key(key))
}

/// The names of what a form may say, as its type has them.
fn options<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names = &[][..];
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Reads nothing, and notes which fields are asked for.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("nothing is read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(Self::Error::custom("nothing is read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn the_file_may_say_what_the_table_of_settings_says_and_a_found_one_less() {
        use crate::args::settings::Trust;
        let of = |trust: &[Trust]| -> Vec<&str> {
            let all = ALL.iter().filter(|setting| trust.contains(&setting.trust));
            all.map(|setting| setting.name).collect()
        };
        let sorted = |names: &[&'static str]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        assert_eq!(sorted(options::<Settings>()), of(&[Trust::Named, Trust::Found]));
        assert_eq!(sorted(options::<Found>()), of(&[Trust::Found]));
        for option in of(&[Trust::Named]) {
            let error = parse::<Found>("lazaret.toml", &format!("{option} = \"x\"")).unwrap_err();
            let text = error.error.to_string();
            assert!(text.contains(&format!("`{option}` is not taken from")), "{text}");
        }
    }

    #[test]
    fn a_found_file_changes_only_what_is_shown_and_not_where_the_user_said_it() {
        let own = || -> Settings { parse("own", "color = \"never\"").unwrap() };
        let with = |text| own().under(parse("lazaret.toml", text).unwrap());
        let found = with("color = \"always\"\nformat = \"json\"");
        assert_eq!(found.color, Some(Color::Never));
        let Some(FormatSetting::BuiltIn(format)) = found.format else { panic!("no form") };
        assert_eq!(format.name(), "json");
        let error = parse::<Found>("lazaret.toml", "format = \"template:x\"").unwrap_err();
        assert!(error.error.to_string().starts_with("`lazaret.toml`, line 1, column"));
    }

    #[test]
    fn words_of_the_policy_are_sent_to_the_policy() {
        for word in ["fail-on", "fail-on-unknown", "fail-on-exploited", "allow-partial"] {
            let text = format!("{word} = true");
            for error in [
                parse::<Found>("lazaret.toml", &text).unwrap_err(),
                parse::<Settings>("own.toml", &text).unwrap_err(),
            ] {
                let error = error.error.to_string();
                assert!(error.contains(&format!("write `{word}: …` into lazaret.yaml")), "{error}");
            }
        }
    }

    #[test]
    fn nothing_of_a_file_that_is_no_configuration_is_quoted() {
        for text in [
            "root:$6$s3cret:1:0:99999:7:::\n",
            "s3cret = 1",
            "[s3cret]\na = 1",
            "fail-on = \"s3cret\"",
            "color = \"s3cret\"",
            "allow-partial = \"s3cret, expected x\"",
            "format = \"s3cret\"",
            "s3cret = 1\ns3cret = 2",
            "a = \"s3cret",
            "{\"auths\": {\"s3cret\": 1}}",
        ] {
            for error in [
                parse::<Found>("lazaret.toml", text).unwrap_err(),
                parse::<Settings>("named", &format!("{text}\n%")).unwrap_err(),
            ] {
                let error = error.error.to_string();
                assert!(!error.contains("s3cret") && !error.contains('\n'), "{error}");
            }
        }
    }
}
