//! What a document holds, whichever form it is written in.

use crate::comment::Comment;
use crate::error::{DocumentError, Wrong};
use crate::place::{Place, Span};
use std::collections::HashSet;

/// How much a document may hold. Who knows what is written in it knows the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes.
    pub bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most values and keys.
    pub nodes: usize,
}

/// A document with its comments, in the order in which they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it holds.
    pub root: Node,
    /// Its comments.
    pub comments: Vec<Comment>,
}

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The line where it begins, counted from 1.
    pub line: usize,
    /// The bytes that it takes. Those of a map or list in block style end where what follows begins.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing is written, or that there is nothing.
    Empty,
    /// The text, and whether it stands in quotes, so that it is not a number or a mark.
    Scalar(String, bool),
    /// Values in their order.
    List(Vec<Node>),
    /// Keys with their values, in their order; none twice.
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// The line where it stands, counted from 1.
    pub line: usize,
    /// The bytes that it takes, quotes too.
    pub span: Span,
}

impl Node {
    /// The value of a key of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(map) = &self.value else { return None };
        map.iter().find(|(name, _)| name.text == key).map(|(_, value)| value)
    }
}

/// A collection that is not yet closed.
enum Open {
    List(Span, usize, Vec<Node>),
    /// Place, entries, the names that stand in it, and the key that waits for its value.
    Map(Span, usize, Vec<(Key, Node)>, HashSet<String>, Option<Key>),
}

/// Makes nodes of what a parser says, one event after the other, so that nothing nests by calls.
pub(crate) struct Builder {
    bounds: Bounds,
    open: Vec<Open>,
    nodes: usize,
    pub(crate) done: Option<Node>,
    /// The bytes of scalars and keys: no comment begins in them.
    pub(crate) scalars: Vec<Span>,
}

impl Builder {
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self { bounds, open: Vec::new(), nodes: 0, done: None, scalars: Vec::new() }
    }

    pub(crate) fn list(&mut self, span: Span, line: usize) -> Result<(), Wrong> {
        self.open(Open::List(span, line, Vec::new()))
    }

    pub(crate) fn map(&mut self, span: Span, line: usize) -> Result<(), Wrong> {
        self.open(Open::Map(span, line, Vec::new(), HashSet::new(), None))
    }

    fn open(&mut self, collection: Open) -> Result<(), Wrong> {
        if self.open.len() >= self.bounds.depth {
            return Err(Wrong::Deep);
        }
        self.open.push(collection);
        Ok(())
    }

    /// Ends the innermost collection.
    pub(crate) fn close(&mut self, end: usize) -> Result<(), (usize, Wrong)> {
        let (span, line, value) = match self.open.pop() {
            Some(Open::List(span, line, list)) => (span, line, Value::List(list)),
            Some(Open::Map(span, line, map, ..)) => {
                // One without braces begins with its first key, whatever the parser says.
                let first = map.first().filter(|_| span.start == span.end).map(|(key, _)| key);
                let start = first.map_or(span.start, |key| key.span.start);
                let line = first.map_or(line, |key| key.line);
                (Span { start, ..span }, line, Value::Map(map))
            }
            None => return Ok(()),
        };
        let end = end.max(span.start);
        self.put(Node { line, span: Span { end, ..span }, value }).map_err(|wrong| (line, wrong))
    }

    pub(crate) fn scalar(&mut self, span: Span, line: usize, value: Value) -> Result<(), Wrong> {
        self.scalars.push(span);
        self.put(Node { line, span, value })
    }

    fn put(&mut self, node: Node) -> Result<(), Wrong> {
        self.nodes += 1;
        if self.nodes > self.bounds.nodes {
            return Err(Wrong::Large);
        }
        match self.open.last_mut() {
            None => self.done = Some(node),
            Some(Open::List(_, _, list)) => list.push(node),
            Some(Open::Map(_, _, map, names, key)) => match (key.take(), node.value) {
                (Some(key), value) => map.push((key, Node { value, ..node })),
                (None, Value::Scalar(text, _)) => {
                    let is_new = names.insert(text.clone());
                    *key = Some(Key { text, line: node.line, span: node.span });
                    return if is_new { Ok(()) } else { Err(Wrong::Twice) };
                }
                (None, _) => return Err(Wrong::Key),
            },
        }
        Ok(())
    }
}

/// The error of a line whose column is not told.
pub(crate) const fn at_line(line: usize, wrong: Wrong) -> DocumentError {
    DocumentError { place: Place { line, column: 1 }, wrong }
}
