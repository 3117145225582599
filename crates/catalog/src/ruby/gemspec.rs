//! What an installed gem's specification says, read as text: no Ruby is run.
//!
//! `RubyGems` writes these files itself (`Specification#to_ruby`), one plain assignment a line, and a
//! comment that says name, version and platform a second time, for readers such as this one. A value
//! that is computed is not guessed: then the comment counts, and without it the file is a problem.
//! Source: RubyGems, `specification.rb` and `stub_specification.rb`.

use crate::language::{LICENCE_LIMIT, plain_text};
use crate::text;
use image::ReadError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use version::Scheme;

/// Longest line that is looked into; longer ones list files.
const LINE_LIMIT: usize = 16 << 10;

/// A gem's own words about itself.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gemspec<'text> {
    #[serde(borrow)]
    pub(super) name: Cow<'text, str>,
    pub(super) version: Cow<'text, str>,
    /// Empty for a gem of pure Ruby.
    pub(super) platform: Cow<'text, str>,
    pub(super) licences: Vec<String>,
}

/// Reads a specification.
pub(super) fn parse(bytes: &[u8]) -> Result<Gemspec<'static>, ReadError> {
    let mut assigned = Fields::default();
    let mut stub = Fields::default();
    let mut variable: Option<String> = None;
    for line in text::lines(bytes).filter(|line| line.len() <= LINE_LIMIT) {
        let line = text::text(line);
        let line = line.trim();
        match &variable {
            None if stub.name.is_none() && line.starts_with("# stub:") => stub = of_stub(line),
            None => variable = block_variable(line).map(str::to_owned),
            Some(variable) => {
                let field = line.strip_prefix(variable.as_str());
                if let Some(field) = field.and_then(|rest| rest.strip_prefix('.')) {
                    assigned.take(field);
                }
            }
        }
    }
    let (name, version) = match (assigned.name, assigned.version) {
        (Some(name), Some(version)) => (name, version),
        _ => stub.name.zip(stub.version).ok_or_else(|| {
            ReadError::new("it does not say name and version in plain words; no Ruby is run")
        })?,
    };
    if !is_name(&name)
        || plain_text(&version).is_none()
        || Scheme::RubyGems.check(&version).is_err()
    {
        return Err(ReadError::new("its name or version is none that RubyGems takes"));
    }
    let platform = assigned.platform.or(stub.platform).filter(|platform| is_name(platform));
    Ok(Gemspec {
        name: name.into(),
        version: version.into(),
        platform: platform.filter(|platform| platform != "ruby").unwrap_or_default().into(),
        licences: assigned.licences,
    })
}

#[derive(Debug, Default)]
struct Fields {
    name: Option<String>,
    version: Option<String>,
    platform: Option<String>,
    licences: Vec<String>,
}

impl Fields {
    /// One `field = value`; the first of each counts, which is where `RubyGems` puts them.
    fn take(&mut self, assignment: &str) {
        let Some((field, value)) = assignment.split_once('=') else { return };
        let once = |slot: &mut Option<String>| {
            if slot.is_none() {
                *slot = literal(version_argument(value.trim())).map(str::to_owned);
            }
        };
        match field.trim_end() {
            "name" => once(&mut self.name),
            "version" => once(&mut self.version),
            "platform" => once(&mut self.platform),
            "license" | "licenses" if self.licences.is_empty() => self.licences = list(value),
            _ => {}
        }
    }
}

/// `# stub: NAME VERSION PLATFORM REQUIRE_PATHS`
fn of_stub(line: &str) -> Fields {
    let mut words = line.trim_start_matches("# stub:").split_whitespace().map(str::to_owned);
    Fields {
        name: words.next(),
        version: words.next(),
        platform: words.next(),
        licences: Vec::new(),
    }
}

/// The name that the block gives to the specification: `Gem::Specification.new do |s|`.
fn block_variable(line: &str) -> Option<&str> {
    let (_, after) = line.strip_prefix("Gem::Specification.new")?.split_once('|')?;
    let (variable, _) = after.split_once('|')?;
    let variable = variable.trim();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!variable.is_empty() && variable.bytes().all(is_word)).then_some(variable)
}

/// Old specifications wrap the version: `Gem::Version.new("1.0")`.
fn version_argument(value: &str) -> &str {
    value
        .strip_prefix("Gem::Version.new(")
        .and_then(|rest| rest.strip_suffix(')'))
        .map_or(value, str::trim)
}

/// A literal of a text, alone on its line but for `.freeze`; none where anything is computed.
fn literal(value: &str) -> Option<&str> {
    let (inside, rest) = first_literal(value)?;
    let rest = rest.strip_prefix(".freeze").unwrap_or(rest).trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some(inside)
}

/// The literal at the start of a text, and what follows it.
fn first_literal(value: &str) -> Option<(&str, &str)> {
    let (body, close) = if let Some(body) = value.strip_prefix('"') {
        (body, '"')
    } else if let Some(body) = value.strip_prefix('\'') {
        (body, '\'')
    } else {
        let body = value.strip_prefix("%q").or_else(|| value.strip_prefix("%Q"))?;
        let mut letters = body.chars();
        let close = match letters.next()? {
            '{' => '}',
            '(' => ')',
            '[' => ']',
            '<' => '>',
            other if other.is_ascii_punctuation() => other,
            _ => return None,
        };
        (letters.as_str(), close)
    };
    let (inside, rest) = body.split_once(close)?;
    (!inside.contains('\\') && !inside.contains("#{")).then_some((inside, rest))
}

/// One literal, or a list of them.
fn list(value: &str) -> Vec<String> {
    let value = value.trim();
    let Some(mut rest) = value.strip_prefix('[') else {
        return literal(value).and_then(plain_text).map(str::to_owned).into_iter().collect();
    };
    let mut all = Vec::new();
    while let Some((inside, after)) = first_literal(rest.trim_start()) {
        if all.len() == LICENCE_LIMIT {
            break;
        }
        all.extend(plain_text(inside).map(str::to_owned));
        let after = after.strip_prefix(".freeze").unwrap_or(after).trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    all
}

/// Letters, digits, `.`, `-` and `_`. Source: RubyGems, `Specification::VALID_NAME_PATTERN`.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    plain_text(name).is_some() && name.bytes().all(allowed)
}
