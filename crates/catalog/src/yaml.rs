//! YAML as manifests need it: maps, lists and scalars in any layout, each with its line.
//!
//! Built of the parser's events, so that nothing nests by calls and nothing is expanded: an alias would
//! let a small file become an endless one, so it is refused, and that is said. Tags are passed over.

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, TScalarStyle};

/// Deepest nesting; manifests and lock files have about eight levels.
const DEPTH: usize = 64;
/// Most nodes; a lock file of 20,000 packages has some 400,000.
const NODES: usize = 4_000_000;

/// A value and the line where it begins, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing is written.
    Empty,
    /// Its text.
    Scalar(String),
    List(Vec<Node>),
    /// Key, its line, value.
    Map(Vec<(String, u32, Node)>),
}

/// Reads the first document of a text; nothing where it has none.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    // Event by event: the parser's own loading calls itself for each level of nesting.
    loop {
        let (event, mark) = parser.next_token().map_err(|error| {
            let reason: String =
                error.info().chars().filter(|letter| !letter.is_control()).collect();
            format!("it is not YAML: {reason}, line {}", error.marker().line())
        })?;
        let end = matches!(event, Event::StreamEnd | Event::DocumentEnd);
        builder.on_event(event, mark);
        if let Some(error) = builder.error {
            return Err(error);
        }
        if end {
            break;
        }
    }
    Ok(builder.done.unwrap_or(Node { line: 1, value: Value::Empty }))
}

impl Node {
    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(known, ..)| known == key).map(|(.., node)| node)
    }

    /// The entries of a map; none where it is no map.
    pub(crate) fn entries(&self) -> &[(String, u32, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none where it is no list.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// A collection that is not yet closed.
enum Open {
    List(u32, Vec<Node>),
    /// Line, entries, and the key that waits for its value.
    Map(u32, Vec<(String, u32, Node)>, Option<(String, u32)>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    done: Option<Node>,
    nodes: usize,
    error: Option<String>,
}

impl Builder {
    fn fail(&mut self, line: u32, reason: &str) {
        self.error.get_or_insert_with(|| format!("line {line}: {reason}"));
    }

    fn open(&mut self, line: u32, collection: Open) {
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
        match self.open.last_mut() {
            None => self.done = Some(node),
            Some(Open::List(_, list)) => list.push(node),
            Some(Open::Map(_, map, key)) => match (key.take(), node.value) {
                (Some((name, at)), value) => map.push((name, at, Node { line, value })),
                (None, Value::Scalar(name)) => *key = Some((name, line)),
                (None, Value::Empty) => *key = Some((String::new(), line)),
                (None, _) => self.fail(line, "a key must be a text"),
            },
        }
    }
}

impl Builder {
    fn on_event(&mut self, event: Event, mark: Marker) {
        let line = u32::try_from(mark.line()).unwrap_or(u32::MAX);
        match event {
            Event::Alias(_) => self.fail(line, "aliases are not followed; write the value out"),
            Event::Scalar(text, style, _, _) => {
                let plain = style == TScalarStyle::Plain;
                let empty = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
                let value = if empty { Value::Empty } else { Value::Scalar(text) };
                self.put(Node { line, value });
            }
            Event::SequenceStart(..) => self.open(line, Open::List(line, Vec::new())),
            Event::MappingStart(..) => self.open(line, Open::Map(line, Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart
            | Event::DocumentEnd => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_and_block_are_the_same() {
        let block = parse("a:\n  b: [1, 'x']\n  c: ~\n").unwrap();
        let flow = parse("{a: {b: [1, x], c: null}}").unwrap();
        for node in [block, flow] {
            let a = node.get("a").unwrap();
            let b: Vec<_> = a.get("b").unwrap().items().iter().filter_map(Node::text).collect();
            assert_eq!((b, &a.get("c").unwrap().value), (vec!["1", "x"], &Value::Empty));
        }
    }

    #[test]
    fn what_could_be_endless_is_refused() {
        assert!(parse("a: &x [1]\nb: *x\n").unwrap_err().contains("line 2"));
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse("a: [\n").is_err());
    }
}
