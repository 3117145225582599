//! Walks YAML of lock files leaf by leaf, without building a tree of it.
//!
//! In goes a text of one or more documents, out come, in order, each key and each scalar with the keys
//! above it and its line: a lock file of 40,000 packages has some million nodes, of which a reader
//! keeps few. Every layout of YAML 1.2 is taken: flow and block, any indent, quotes, long keys. Aliases
//! stand for what they name, within a budget, since they can make a small file endless. What comes
//! from the parser are events; it never calls itself.

use std::collections::HashMap;
use yaml_rust2::parser::{Event, Parser};

/// Deepest nesting; lock files have some six levels.
const DEPTH: usize = 64;
/// How many nodes aliases may stand for in one file: no tool that writes lock files uses any.
const ALIASED: usize = 200_000;

/// What is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met<'walk> {
    /// A key, before its value; it is the last of the path.
    Key,
    /// A scalar; in a list its last key is `-`.
    Text(&'walk str),
}

/// Where it is met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'walk> {
    /// The keys above, outermost first; `-` for an entry of a list.
    pub(crate) path: &'walk [String],
    /// The line, counted from 1.
    pub(crate) line: u32,
    /// Which document of the file, counted from 1.
    pub(crate) document: u32,
}

/// Walks a text.
///
/// # Errors
/// Where it is not YAML, too deep, or made to explode.
pub(crate) fn walk(text: &str, take: &mut dyn FnMut(Place<'_>, Met<'_>)) -> Result<(), String> {
    let mut parser = Parser::new_from_str(text);
    let mut walker = Walker { open: Vec::new(), path: Vec::new(), document: 0, aliased: 0, take };
    let mut anchors = Anchors::default();
    loop {
        let (event, mark) = parser.next_token().map_err(|error| {
            format!("it is not YAML: line {}: {}", error.marker().line(), error.info())
        })?;
        let line = u32::try_from(mark.line()).unwrap_or(u32::MAX);
        match event {
            Event::StreamEnd => return Ok(()),
            Event::Alias(id) => {
                for event in anchors.of(id).ok_or_else(|| unknown(line))? {
                    walker.aliased += 1;
                    if walker.aliased > ALIASED {
                        return Err("its aliases stand for too much".to_owned());
                    }
                    anchors.record(&event, 0)?;
                    walker.on(event, line)?;
                }
            }
            event => {
                anchors.record(&event, anchor_of(&event))?;
                walker.on(event, line)?;
            }
        }
    }
}

fn unknown(line: u32) -> String {
    format!("line {line} names an anchor that is not complete")
}

const fn anchor_of(event: &Event) -> usize {
    match event {
        Event::Scalar(_, _, anchor, _)
        | Event::SequenceStart(anchor, _)
        | Event::MappingStart(anchor, _) => *anchor,
        _ => 0,
    }
}

/// What anchors name.
#[derive(Default)]
struct Anchors {
    done: HashMap<usize, Vec<Event>>,
    /// Anchor, how many collections of it are open, events.
    open: Vec<(usize, usize, Vec<Event>)>,
    kept: usize,
}

impl Anchors {
    fn of(&self, id: usize) -> Option<Vec<Event>> {
        self.done.get(&id).cloned()
    }

    fn record(&mut self, event: &Event, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.open.push((anchor, 0, Vec::new()));
        }
        if self.open.is_empty() {
            return Ok(());
        }
        self.kept += self.open.len();
        if self.kept > ALIASED {
            return Err("its anchors name too much".to_owned());
        }
        for (_, depth, events) in &mut self.open {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => *depth += 1,
                Event::SequenceEnd | Event::MappingEnd => *depth = depth.saturating_sub(1),
                _ => {}
            }
            events.push(event.clone());
        }
        let (done, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, depth, _)| *depth == 0);
        self.open = open;
        self.done.extend(done.into_iter().map(|(id, _, events)| (id, events)));
        Ok(())
    }
}

/// A collection that is not yet closed.
enum Open {
    List,
    /// Whether a key waits for its value.
    Map(bool),
}

struct Walker<'take> {
    open: Vec<Open>,
    path: Vec<String>,
    document: u32,
    aliased: usize,
    take: &'take mut dyn FnMut(Place<'_>, Met<'_>),
}

impl Walker<'_> {
    fn on(&mut self, event: Event, line: u32) -> Result<(), String> {
        match event {
            Event::DocumentStart => {
                self.document = self.document.saturating_add(1);
                self.open.clear();
                self.path.clear();
            }
            Event::Scalar(text, ..) => self.scalar(text, line),
            Event::SequenceStart(..) => self.begin(Open::List, line)?,
            Event::MappingStart(..) => self.begin(Open::Map(false), line)?,
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                self.end_value();
            }
            _ => {}
        }
        Ok(())
    }

    fn meet(&mut self, line: u32, met: Met<'_>) {
        (self.take)(Place { path: &self.path, line, document: self.document }, met);
    }

    fn scalar(&mut self, text: String, line: u32) {
        match self.open.last_mut() {
            Some(Open::Map(waits)) if !*waits => {
                *waits = true;
                self.path.push(text);
                self.meet(line, Met::Key);
            }
            Some(Open::List) => {
                self.path.push("-".to_owned());
                self.meet(line, Met::Text(&text));
                self.path.pop();
            }
            Some(Open::Map(_)) => {
                self.meet(line, Met::Text(&text));
                self.end_value();
            }
            None => self.meet(line, Met::Text(&text)),
        }
    }

    fn begin(&mut self, collection: Open, line: u32) -> Result<(), String> {
        if self.open.len() >= DEPTH {
            return Err(format!("line {line} is nested too deeply"));
        }
        match self.open.last() {
            Some(Open::Map(false)) => return Err(format!("line {line} has a key that is no text")),
            Some(Open::List) => self.path.push("-".to_owned()),
            Some(Open::Map(true)) | None => {}
        }
        self.open.push(collection);
        Ok(())
    }

    /// A value is whole: what named it is taken off the path.
    fn end_value(&mut self) {
        match self.open.last_mut() {
            Some(Open::Map(waits)) => *waits = false,
            Some(Open::List) => {}
            None => return,
        }
        self.path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &str) -> Result<Vec<String>, String> {
        let mut met = Vec::new();
        walk(text, &mut |place, one| {
            let path = place.path.join("/");
            if let Met::Text(text) = one {
                met.push(format!("{}:{} {path}={text}", place.document, place.line));
            }
        })?;
        Ok(met)
    }

    #[test]
    fn block_and_flow_of_any_indent_give_the_same() {
        let block = "a:\n  b: 1\n  'c@1':\n  - x\n  - d: y\n";
        let wide = "a:\n        b: 1\n        \"c@1\":\n             - x\n             - d: y\n";
        let plain = |text: &str| -> Vec<String> {
            let all = walked(text).unwrap();
            all.iter().map(|one| one.split_once(' ').unwrap().1.to_owned()).collect()
        };
        assert_eq!(plain(block), ["a/b=1", "a/c@1/-=x", "a/c@1/-/d=y"]);
        assert_eq!(plain(block), plain(wide));
        assert_eq!(plain(block), plain("{a: {b: 1, 'c@1': [x, {d: y}]}}"));
        assert_eq!(plain(block), plain("? a\n: b: 1\n  ? c@1\n  : [x, {d: y}]\n"));
    }

    #[test]
    fn documents_and_lines_are_counted_and_aliases_stand_for_what_they_name() {
        let text = "---\na: &x {b: 1}\n---\nc: 2\nd: *x\n";
        assert_eq!(walked(text).unwrap(), ["1:2 a/b=1", "2:4 c=2", "2:5 d/b=1"]);
    }

    #[test]
    fn what_would_explode_or_is_no_yaml_is_an_error() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        for text in [&bomb, "a: &x [*x]", "a: [", "{[a]: 1}", "a: *none", &"- ".repeat(5_000)] {
            assert!(walked(text).is_err(), "{:?}", text.get(..40));
        }
    }
}
