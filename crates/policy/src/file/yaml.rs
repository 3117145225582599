//! YAML as a policy needs it: maps, lists and scalars, each with its line.
//!
//! Anchors, aliases and tags are refused: a policy is read by people, who should see what it says
//! where it says it; and an alias can make a small file endless. Keys are texts, and none twice.

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, TScalarStyle};

/// Deepest nesting; a policy has five levels.
const DEPTH: usize = 16;
/// Most nodes; a policy of 20,000 ignores has some 200,000.
const NODES: usize = 1_000_000;

/// A value and the line where it begins, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing is written.
    Empty,
    /// The text, and whether it stands in quotes, so that it is not a number or a mark.
    Scalar(String, bool),
    List(Vec<Node>),
    /// Key, its line, value.
    Map(Vec<(String, usize, Node)>),
}

/// What is wrong, and in which line.
pub(super) type YamlError = (usize, String);

/// Reads a text of one document.
pub(super) fn parse(text: &str) -> Result<Node, YamlError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    // Event by event: the parser's own loading calls itself for each level of nesting.
    loop {
        let (event, mark) =
            parser.next_token().map_err(|error| (error.marker().line(), shown(error.info())))?;
        let end = event == Event::StreamEnd;
        builder.on_event(event, mark);
        if let Some(error) = builder.error {
            return Err(error);
        }
        if end {
            break;
        }
    }
    if builder.documents > 1 {
        return Err((1, "it holds several documents; a policy is one".to_owned()));
    }
    Ok(builder.done.unwrap_or(Node { line: 1, value: Value::Empty }))
}

/// The parser's words, but for the one that quotes what it read.
fn shown(reason: &str) -> String {
    match reason.split_once('`') {
        Some((before, _)) => before.trim_end().trim_end_matches(':').to_owned(),
        None => reason.to_owned(),
    }
}

/// A collection that is not yet closed.
enum Open {
    List(usize, Vec<Node>),
    /// Line, entries, and the key that waits for its value.
    Map(usize, Vec<(String, usize, Node)>, Option<(String, usize)>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    done: Option<Node>,
    documents: usize,
    nodes: usize,
    error: Option<YamlError>,
}

impl Builder {
    fn fail(&mut self, line: usize, reason: &str) {
        self.error.get_or_insert_with(|| (line, reason.to_owned()));
    }

    fn open(&mut self, line: usize, collection: Open) {
        if self.open.len() >= DEPTH {
            return self.fail(line, "it is nested too deeply");
        }
        self.open.push(collection);
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(line, list)) => self.put(Node { line, value: Value::List(list) }),
            Some(Open::Map(line, map, _)) => self.put(Node { line, value: Value::Map(map) }),
            None => {}
        }
    }

    fn put(&mut self, node: Node) {
        self.nodes += 1;
        if self.nodes > NODES {
            return self.fail(node.line, "it is too large");
        }
        let line = node.line;
        let problem = match self.open.last_mut() {
            None => {
                self.done = Some(node);
                None
            }
            Some(Open::List(_, list)) => {
                list.push(node);
                None
            }
            Some(Open::Map(_, map, key)) => match (key.take(), node.value) {
                (Some((name, at)), value) => {
                    map.push((name, at, Node { line, value }));
                    None
                }
                (None, Value::Scalar(name, _)) => {
                    let twice = map.iter().any(|(known, ..)| *known == name);
                    let problem = twice.then(|| "this key stands here twice".to_owned());
                    *key = Some((name, line));
                    problem
                }
                (None, _) => Some("a key must be a text".to_owned()),
            },
        };
        if let Some(problem) = problem {
            self.fail(line, &problem);
        }
    }
}

impl Builder {
    fn on_event(&mut self, event: Event, mark: Marker) {
        let line = mark.line();
        match event {
            Event::DocumentStart => self.documents += 1,
            Event::Alias(_) => self.fail(line, "aliases are not taken; write the value out"),
            Event::Scalar(text, style, anchor, tag) => {
                if anchor > 0 || tag.is_some() {
                    return self.fail(line, "anchors and tags are not taken; write a plain value");
                }
                let plain = style == TScalarStyle::Plain;
                let empty = plain && matches!(text.as_str(), "" | "~" | "null");
                let value = if empty { Value::Empty } else { Value::Scalar(text, !plain) };
                self.put(Node { line, value });
            }
            Event::SequenceStart(anchor, tag) => {
                if anchor > 0 || tag.is_some() {
                    return self.fail(line, "anchors and tags are not taken; write a plain value");
                }
                self.open(line, Open::List(line, Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                if anchor > 0 || tag.is_some() {
                    return self.fail(line, "anchors and tags are not taken; write a plain value");
                }
                self.open(line, Open::Map(line, Vec::new(), None));
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
}
