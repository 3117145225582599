//! One line for one alert: what the agent prints while it watches.
//!
//! In goes an [`Alert`], out comes its line without an end: time, severity, rule, container, image,
//! program with its parents, user, what was done. Every value has its label and is one word: a value
//! with a blank or a quote in it stands in quotes, so that no file name can pass for another field.
//! The line is not cut at the width of a terminal, because what was done stands at its end.

use crate::event::{act_of, execution_of, happened, outcome, program_of};
use crate::forms::table::{DIM, paint_of};
use crate::style::Style;
use crate::text::Page;
use vocabulary::{Alert, EventEvidence, Process};

/// Parents that the line names, nearest first: they show who started it.
const PARENTS: usize = 4;

/// The line of an alert, in colour where the style says so.
#[must_use]
pub fn alert_line(alert: &Alert, style: &Style) -> String {
    let mut line = Vec::new();
    let mut page = Page::new(&mut line, style.colour, None);
    let finding = &alert.finding;
    page.paint(DIM, &alert.time).put("  ");
    page.paint(paint_of(finding.severity), &format!("{:<8}", finding.severity));
    page.put("  ").put(&format!("{:<20}", finding.rule));
    let container = &alert.container;
    field(&mut page, "container", container.shown());
    if !container.name.is_empty() {
        page.paint(DIM, " (").paint(DIM, container.short_id()).paint(DIM, ")");
    }
    field(&mut page, "image", &container.image);
    match happened(finding) {
        Some(happened) => event(&mut page, happened),
        None => field(&mut page, "program", finding.location.path().unwrap_or("-")),
    }
    page.put("  ").paint(paint_of(finding.severity), &outcome(&alert.action));
    // Writing into memory cannot fail.
    let _ = page.end();
    let line = String::from_utf8(line).unwrap_or_default();
    line.trim_end_matches('\n').to_owned()
}

fn event(page: &mut Page<'_>, happened: &EventEvidence) {
    let event = &happened.event;
    match execution_of(event) {
        Some(ran) => field(page, "program", &program_of(ran)),
        None => field(page, "event", &act_of(&event.act)),
    }
    page.put(" (").put(&happened.reason.replace(['(', ')'], "")).put(")");
    let mut parents: Vec<String> = event.ancestors.iter().take(PARENTS).map(process).collect();
    if event.ancestors.len() > PARENTS {
        parents.push("…".to_owned());
    }
    field(page, "process", &process(&event.process));
    for parent in parents {
        page.paint(DIM, " < ").put(&parent);
    }
    field(page, "user", &event.uid.to_string());
}

fn field(page: &mut Page<'_>, label: &str, value: &str) {
    page.put("  ").paint(DIM, label).put(" ").put(&word(value));
}

fn process(process: &Process) -> String {
    format!("{}[{}]", word(&process.name), process.pid)
}

/// The text as one word: in quotes where it holds a blank or a quote, or is empty.
fn word(text: &str) -> String {
    let plain = |character: char| !character.is_whitespace() && character != '"';
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{
        Act, Action, Always, Class, Container, Engine, Event, Execution, FileIdentity, Finding,
        Location, Means, Rule, Severity, Side, StandardInput,
    };

    fn alert(path: &str, action: Action) -> Alert {
        let rule = Rule {
            id: "program-not-in-image".into(),
            class: Class::Runtime,
            title: "Program that is not in the image".into(),
            why: "The sealed image does not hold this program.".into(),
            severity: Severity::Critical,
            remedy: "Stop it.".into(),
            reference: None,
            always: Some(Always::all("program ran", "programs ran")),
        };
        let process =
            |pid, name: &str| Process { pid, name: name.to_owned(), ..Process::default() };
        let location =
            Location::Process { container: "ab".repeat(32), pid: 4242, path: path.to_owned() };
        let event = Event {
            at_ns: 1,
            process: process(4242, "miner"),
            ancestors: vec![process(4241, "sh"), process(4000, "web server")],
            uid: 33,
            gid: 33,
            act: Act::Execution(Execution {
                path: path.to_owned(),
                file: FileIdentity { device: 1, inode: 2 },
                side: Side::Written,
                input: StandardInput::Other,
                digest: None,
            }),
        };
        let evidence =
            EventEvidence { event, reason: "dropped file".to_owned(), expected: None, seal: None };
        Alert {
            schema: vocabulary::alert::ALERT_SCHEMA.to_owned(),
            time: "2099-01-02T03:04:05Z".to_owned(),
            latency_us: 900,
            container: Container {
                engine: Engine::Docker,
                id: "ab".repeat(32),
                name: "shop".to_owned(),
                image: "shop:1".to_owned(),
                image_id: None,
                pid: Some(4000),
                started: None,
            },
            finding: Finding::of(
                &rule,
                None,
                rule.title.clone().into_owned(),
                location,
                vec![vocabulary::Evidence::Event(Box::new(evidence))],
            ),
            rule,
            action,
        }
    }

    #[test]
    fn the_json_of_an_alert_is_as_documented() {
        let alert = alert("tmp/x", Action::Denied { means: Means::Fanotify });
        let json = serde_json::to_string_pretty(&alert).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), alert);
        insta::assert_snapshot!(json);
    }

    #[test]
    fn the_json_of_a_usage_file_is_as_documented() {
        let usage = vocabulary::Usage {
            schema: vocabulary::usage::USAGE_SCHEMA.to_owned(),
            container: alert("tmp/x", Action::Observed).container,
            since: "2099-02-03T04:05:06Z".to_owned(),
            complete: true,
            until: "2099-02-03T04:06:06Z".to_owned(),
            files: ["usr/bin/sh", "etc/passwd"].map(str::to_owned).into(),
            lost: 0,
        };
        let json = serde_json::to_string_pretty(&usage).unwrap();
        assert_eq!(serde_json::from_str::<vocabulary::Usage>(&json).unwrap(), usage);
        insta::assert_snapshot!(json);
    }

    #[test]
    fn an_alert_is_one_line_with_all_that_tells_what_happened() {
        let alert = alert("tmp/miner", Action::Killed { means: Means::Signal });
        assert_eq!(
            alert_line(&alert, &Style::default()),
            "2099-01-02T03:04:05Z  critical  program-not-in-image  container shop (abababababab)  \
             image shop:1  program /tmp/miner (dropped file)  process miner[4242] < sh[4241] < \
             \"web server\"[4000]  user 33  killed by a signal of the agent"
        );
    }

    #[test]
    fn a_file_name_can_forge_neither_field_nor_line() {
        let name = "x  user 0  denied\n\u{1b}[2J\u{202e}\"";
        let line = alert_line(&alert(name, Action::TooLate), &Style::default());
        assert_eq!(line.lines().count(), 1);
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line}");
        assert!(
            line.contains(r#"program "/x  user 0  denied\n\x1b[2J\u{202e}\"" (dropped file)"#),
            "{line}"
        );
        assert!(line.ends_with("user 33  too late: it had ended before it could be stopped"));
    }

    #[test]
    fn colour_is_there_only_when_asked_for() {
        let alert = alert("tmp/miner", Action::Observed);
        let style = Style { colour: true, ..Style::default() };
        assert!(alert_line(&alert, &style).contains('\u{1b}'));
        assert!(!alert_line(&alert, &Style::default()).contains('\u{1b}'));
        let json = serde_json::to_string(&alert).unwrap();
        assert!(json.contains("\"outcome\":\"observed\""), "{json}");
    }
}
