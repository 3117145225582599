//! `lazaret.yaml`: what an organisation wants of its images, in one file that people review.
//!
//! In goes the text of a file and a way to read those that it includes; out comes a [`Policy`] of
//! which every part knows its file and line, or all that is wrong, each with its line and what is
//! right. The one design decision: keys stand in one table (`keys`), which checks the file and makes
//! its JSON Schema.

mod keys;

pub use keys::{nearest, schema};

use crate::conditions::{Override, PackagePattern, PackageRule, Text, VersionBounds};
use crate::date::Date;
use crate::ignore::{Ignore, LayerScope};
use crate::policy::{Layers, Policy};
use crate::rules::RULES;
use documents::{Bounds, Node, Value, Wrong, yaml};
use std::collections::BTreeSet;
use vocabulary::Rules;

/// Largest file.
const FILE_BYTES: usize = 4 << 20;
/// What a policy may hold: it has five levels, and one of 20,000 ignores has some 200,000 values.
const BOUNDS: Bounds = Bounds { bytes: FILE_BYTES, depth: 16, nodes: 1_000_000 };
/// Most files that one policy may be made of.
const FILES: usize = 32;
/// Most errors that are listed.
const ERRORS: usize = 50;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what is right.
    pub text: String,
}

impl std::fmt::Display for PolicyProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`, line {}: {}", self.file, self.line, self.text)
    }
}

/// All that is wrong with a policy file and those that it includes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError(pub Vec<PolicyProblem>);

impl std::fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

/// Gives the name and text of a file that another one names: the naming file, and the path in it.
pub type Include<'include> = &'include dyn Fn(&str, &str) -> Result<(String, String), String>;

/// Reads a policy. `rules` are those that it may name, policy's own left out; `include` reads what it
/// includes.
///
/// # Errors
/// Where anything in it is wrong; the error lists all of it.
pub fn parse_policy(
    name: &str,
    text: &str,
    rules: &Rules,
    include: Include<'_>,
) -> Result<Policy, PolicyError> {
    let rules = rules.and(&Rules::of(&[RULES]));
    let mut reader = Reader {
        include,
        rules,
        policy: Policy::default(),
        problems: Vec::new(),
        seen: BTreeSet::new(),
    };
    reader.file(name, text);
    if reader.problems.is_empty() {
        Ok(reader.policy)
    } else {
        reader.problems.truncate(ERRORS);
        Err(PolicyError(reader.problems))
    }
}

struct Reader<'include> {
    include: Include<'include>,
    rules: Rules,
    policy: Policy,
    problems: Vec<PolicyProblem>,
    seen: BTreeSet<String>,
}

impl Reader<'_> {
    fn problem(&mut self, file: &str, line: usize, text: String) {
        self.problems.push(PolicyProblem { file: file.to_owned(), line, text });
    }

    /// What a file includes counts before what it says itself, which therefore has the last word.
    fn file(&mut self, name: &str, text: &str) {
        if text.len() > FILE_BYTES {
            return self.problem(name, 1, format!("it is larger than {} MiB", FILE_BYTES >> 20));
        }
        let node = match yaml::parse(text, &BOUNDS) {
            Ok(document) => document.root,
            Err(error) => {
                let reason = match error.wrong {
                    Wrong::Several => "it holds several documents; a policy is one".to_owned(),
                    wrong => wrong.to_string(),
                };
                return self.problem(name, error.place.line, format!("it is not YAML: {reason}"));
            }
        };
        self.seen.insert(name.to_owned());
        // Nothing asked would let everything pass.
        let is_empty = match &node.value {
            Value::Empty => true,
            Value::Map(map) => map.is_empty(),
            _ => false,
        };
        if is_empty {
            let text =
                "it is empty, and asks for nothing; say what counts, such as `fail-on: high`";
            return self.problem(name, 1, text.to_owned());
        }
        let mut problems = Vec::new();
        keys::check(keys::FILE, &node, &mut problems);
        if !problems.is_empty() {
            for (line, text) in problems {
                self.problem(name, line, text);
            }
            return;
        }
        if let Some(list) = node.get("include") {
            for (line, path) in texts(list) {
                self.included(name, line, &path);
            }
        }
        self.settings(name, &node);
    }

    fn included(&mut self, name: &str, line: usize, path: &str) {
        if self.seen.len() >= FILES {
            return self.problem(name, line, format!("a policy is made of at most {FILES} files"));
        }
        match (self.include)(name, path) {
            Ok((other, _)) if self.seen.contains(&other) => {
                self.problem(
                    name,
                    line,
                    "what is included here is included already; leave it out".to_owned(),
                );
            }
            Ok((other, text)) => self.file(&other, &text),
            Err(reason) => self.problem(name, line, format!("cannot be included: {reason}")),
        }
    }

    fn settings(&mut self, name: &str, node: &Node) {
        let Value::Map(map) = &node.value else { return };
        for (key, value) in map {
            let place = format!("{name}:{}", key.line);
            let word = scalar(value).unwrap_or_default();
            let mark = word == "true";
            let policy = &mut self.policy;
            match key.text.as_str() {
                "fail-on" => policy.fail_on = word.parse().ok(),
                "fail-on-unknown" => policy.fail_on_unknown = mark,
                "fail-on-exploited" => policy.fail_on_exploited = mark,
                "only-fixed" => policy.only_fixed = mark,
                "only-linked" => policy.only_linked = mark,
                "allow-partial" => policy.allow_partial = mark,
                "layers" => {
                    policy.layers = match word {
                        "base" => Layers::Base,
                        "own" => Layers::Own,
                        _ => Layers::All,
                    };
                }
                "checks" => {
                    policy.checks = texts(value).into_iter().map(|(_, word)| word).collect();
                    if policy.checks.is_empty() {
                        let text =
                            "`checks` names none; name those that are to run, or leave it out";
                        self.problem(name, key.line, text.to_owned());
                    }
                }
                "ignore" => self.each(name, value, Self::ignore),
                "severity" => self.each(name, value, Self::severity),
                "licences" => self.licences(name, value),
                "packages" => self.packages(name, value),
                "base-images" => self.bases(name, value),
                _ => continue,
            }
            self.policy.places.insert(key.text.clone(), place);
        }
    }

    fn each(
        &mut self,
        name: &str,
        list: &Node,
        take: fn(&mut Self, &str, &Node) -> Result<(), String>,
    ) {
        let Value::List(list) = &list.value else { return };
        for node in list {
            if let Err(reason) = take(self, name, node) {
                self.problem(name, node.line, reason);
            }
        }
    }

    fn ignore(&mut self, name: &str, node: &Node) -> Result<(), String> {
        let text = |key| node.get(key).and_then(scalar).map(str::to_owned);
        let layer = text("layer").map(|text| LayerScope::parse(&text)).transpose()?;
        let ignore = Ignore {
            id: text("id"),
            reason: text("reason").unwrap_or_default(),
            owner: text("owner"),
            by: Some(format!("{name}:{}", node.line)),
            expires: text("expires").and_then(|text| text.parse::<Date>().ok()),
            package: text("package").map(|text| PackagePattern::parse(&text)).transpose()?,
            path: text("path").map(|path| crate::ignore::relative(&path)),
            layer,
        };
        if ignore.id.is_none() && ignore.package.is_none() && ignore.path.is_none() {
            return Err("an ignore names an `id`, a `package` or a `path`".to_owned());
        }
        self.policy.ignores.push(ignore);
        Ok(())
    }

    fn severity(&mut self, name: &str, node: &Node) -> Result<(), String> {
        let text = |key| node.get(key).and_then(scalar).map(str::to_owned);
        let rule = text("rule");
        if rule.as_deref().is_some_and(|id| self.rules.get(id).is_none()) {
            return Err("`rule` names none; `lazaret explain` lists them".to_owned());
        }
        let given = Override {
            id: text("id"),
            rule,
            package: text("package").map(|text| PackagePattern::parse(&text)).transpose()?,
            severity: text("severity").and_then(|text| text.parse().ok()).unwrap_or_default(),
            reason: text("reason").unwrap_or_default(),
            by: format!("{name}:{}", node.line),
        };
        if given.id.is_none() && given.rule.is_none() && given.package.is_none() {
            return Err("an override names an `id`, a `rule` or a `package`".to_owned());
        }
        self.policy.overrides.push(given);
        Ok(())
    }

    fn licences(&mut self, name: &str, node: &Node) {
        let mut rules = self.policy.licences.take().unwrap_or_default();
        for (key, list) in [("allow", &mut rules.allow), ("deny", &mut rules.deny)] {
            let Some(node) = node.get(key) else { continue };
            for (line, id) in texts(node) {
                match crate::conditions::licence_id(&id) {
                    Ok(id) => list.push((id, format!("{name}:{line}"))),
                    Err(reason) => self.problems.push(PolicyProblem {
                        file: name.to_owned(),
                        line,
                        text: reason,
                    }),
                }
            }
        }
        if let Some(unknown) = node.get("unknown") {
            let deny = scalar(unknown) == Some("deny");
            rules.unknown = deny.then(|| format!("{name}:{}", unknown.line));
        }
        if let Some(Value::List(list)) = node.get("except").map(|node| &node.value) {
            for node in list {
                match node.get("package").and_then(scalar).map(PackagePattern::parse) {
                    Some(Ok(pattern)) => rules.except.push(pattern),
                    Some(Err(reason)) => self.problem(name, node.line, reason),
                    None => {}
                }
            }
        }
        self.policy.licences = Some(rules);
    }

    fn packages(&mut self, name: &str, node: &Node) {
        for key in ["forbid", "require"] {
            let Some(Value::List(list)) = node.get(key).map(|node| &node.value) else { continue };
            for node in list {
                match package_rule(name, node) {
                    Ok(rule) if key == "forbid" => self.policy.forbidden_packages.push(rule),
                    Ok(rule) => self.policy.required_packages.push(rule),
                    Err(reason) => self.problem(name, node.line, reason),
                }
            }
        }
    }

    fn bases(&mut self, name: &str, node: &Node) {
        let mut rules = self.policy.base_images.take().unwrap_or_default();
        for (key, list) in [("allow", &mut rules.allow), ("forbid", &mut rules.forbid)] {
            let texts = node.get(key).map(texts).unwrap_or_default();
            list.extend(
                texts.into_iter().map(|(line, text)| (Text::new(&text), format!("{name}:{line}"))),
            );
        }
        self.policy.base_images = Some(rules);
    }
}

fn package_rule(name: &str, node: &Node) -> Result<PackageRule, String> {
    let text = |key| node.get(key).and_then(scalar);
    Ok(PackageRule {
        package: PackagePattern::parse(text("package").unwrap_or_default())?,
        versions: text("versions").map(VersionBounds::parse).transpose()?,
        reason: text("reason").unwrap_or_default().to_owned(),
        by: format!("{name}:{}", node.line),
    })
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(text, _) => Some(text.trim()),
        _ => None,
    }
}

fn texts(node: &Node) -> Vec<(usize, String)> {
    let Value::List(list) = &node.value else { return Vec::new() };
    list.iter().filter_map(|node| Some((node.line, scalar(node)?.to_owned()))).collect()
}

#[cfg(test)]
mod tests;
