//! `lazaret config schema`: the JSON Schema (2020-12) of configuration files, made of the table of
//! settings ([`crate::args::settings`]) and the help of their flags.

use crate::args::ConfigCommand;
use crate::args::settings::{self, Kind, Setting};
use crate::exit::{Exit, Failure};
use crate::output;
use clap::Command;
use serde_json::{Map, Value, json};

pub(crate) fn run(command: ConfigCommand, line: &Command) -> Result<Exit, Failure> {
    let ConfigCommand::Schema = command;
    output::print_json(&schema(line)).map(|()| Exit::Clean)
}

/// The schema, by the command line with its help.
fn schema(line: &Command) -> Value {
    let keys: Map<String, Value> =
        settings::of_file().map(|setting| (setting.name.to_owned(), key(setting, line))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of Lazaret, lazaret.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": keys,
    })
}

fn key(setting: &Setting, line: &Command) -> Value {
    let mut key = match setting.kind {
        Kind::Mark => json!({"type": "boolean"}),
        Kind::Words(words) => json!({"type": "string", "enum": words}),
        Kind::Text | Kind::Path | Kind::Place => json!({"type": "string", "minLength": 1}),
    };
    if let (Value::Object(fields), Some(about)) = (&mut key, settings::about(line, setting)) {
        fields.insert("description".to_owned(), about.into());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use crate::args::settings::{ALL, Trust};
    use clap::CommandFactory as _;
    use std::path::Path;

    fn line() -> Command {
        settings::declared(Cli::command())
    }

    /// Holds a file of the documentation against what it is made of; writes it where that is asked.
    fn is_published(file: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
        if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == text, "docs/{file} is not what it is made of: INSTA_UPDATE=always");
    }

    fn json(value: &Value) -> String {
        format!("{value:#}\n")
    }

    #[test]
    fn both_schemas_are_published_as_the_program_prints_them() {
        is_published("schemas/lazaret.toml.json", &json(&schema(&line())));
        is_published("schemas/lazaret.yaml.json", &json(&policy::schema()));
    }

    #[test]
    fn every_setting_has_its_flags_its_help_and_its_line_in_the_documentation() {
        assert!(ALL.is_sorted_by_key(|setting| setting.name));
        let line = line();
        let mut page = "\
| setting | flag | environment | file | without it |
|---|---|---|---|---|
"
        .to_owned();
        for setting in ALL {
            assert!(settings::about(&line, setting).is_some(), "{}", setting.name);
            let shown = |(of, long): (&str, &str)| match of {
                "" => format!("`--{long}`"),
                of => format!("`{of} --{long}`"),
            };
            let flags: Vec<String> =
                setting.flags.iter().map(|flag| shown((flag.of, flag.long))).collect();
            let defaults: Vec<&str> = setting.flags.iter().map(|flag| flag.default).collect();
            let file = match setting.trust {
                Trust::Process => "-".to_owned(),
                Trust::Named => format!("`{}`", setting.name),
                Trust::Found => format!("`{}`, also found", setting.name),
            };
            page.push_str(&format!(
                "| {} | {} | `{}` | {file} | {} |\n",
                setting.name,
                flags.join(", "),
                setting.variable.name(),
                defaults.first().copied().unwrap_or_default(),
            ));
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
        let text = std::fs::read_to_string(file).unwrap();
        let start = text.find("| setting |").unwrap();
        let (head, rest) = text.split_at(start);
        let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
        is_published("settings.md", &format!("{head}{page}{}", rest.split_at(end).1));
    }
}
