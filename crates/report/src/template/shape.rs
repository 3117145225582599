//! Refuses templates whose shape alone could exhaust the engine.
//!
//! The engine's budget counts what a template does, not how deep its expressions nest: a long chain such
//! as `a+a+a…` becomes a tree that is walked by recursion, and lists put into lists over and over would
//! be compared for ever. So the tokens are looked at first: few that nest in one tag, few `elif`, and
//! only constants in lists, maps and tuples. Nothing here recurses.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Tokens of one tag that can add a level: names, operators, brackets. Each takes a kilobyte or two of
/// stack in an unoptimised build, whose threads have two megabytes.
const NESTING_TOKENS: usize = 256;

/// `elif` in all: each is a level below the one before.
const ELIFS: usize = 100;

/// Words after which a bracket begins a list; after any other it is an index.
const WORDS: [&str; 12] =
    ["and", "elif", "else", "filter", "for", "if", "in", "is", "not", "or", "set", "with"];

const NOT_CONSTANT: &str =
    "lists, maps and tuples hold constants only: print the values one by one";

/// A bracket that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// A list or a map.
    Literal,
    /// Of an index or a call.
    Of,
    /// Around an expression, or a tuple: with a name in it or not, with a comma in it or not.
    Group { name: bool, comma: bool },
}

/// What is known of the tag that is being read.
#[derive(Default)]
struct Tag {
    /// Its first word, for a statement.
    word: Option<String>,
    is_statement: bool,
    nesting: usize,
    open: Vec<Bracket>,
    /// Whether `in` or `=` came, after which a comma makes a tuple.
    value: bool,
    /// Whether a value precedes, so that a bracket would be of it.
    follows_value: bool,
}

/// The line, where it is known, and the reason.
type Refusal = (Option<usize>, String);

pub(super) fn check(text: &str, syntax: &SyntaxConfig) -> Result<(), Refusal> {
    let mut tag = Tag::default();
    let mut elifs = 0;
    for token in tokenize(text, false, syntax.clone()) {
        // What has no tokens is refused by the engine, with its reason.
        let Ok((token, span)) = token else { return Ok(()) };
        let refuse = |reason: &str| Err((Some(span.start_line as usize), reason.to_owned()));
        match token {
            Token::TemplateData(_) => {}
            Token::VariableStart => tag = Tag::default(),
            Token::BlockStart => tag = Tag { is_statement: true, ..Tag::default() },
            other => {
                if matches!(other, Token::Ident("elif")) {
                    elifs += 1;
                }
                if elifs > ELIFS {
                    return refuse(&format!("a template has at most {ELIFS} `elif`"));
                }
                if let Err(reason) = tag.take(&other) {
                    return refuse(reason);
                }
                if tag.nesting > NESTING_TOKENS {
                    return refuse("this tag is too long; use `set` for parts of it");
                }
            }
        }
    }
    Ok(())
}

impl Tag {
    fn take(&mut self, token: &Token<'_>) -> Result<(), &'static str> {
        let constant = matches!(
            token,
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_)
        );
        if !constant && !matches!(token, Token::Comma | Token::Colon | Token::Assign) {
            self.nesting += 1;
        }
        let followed = std::mem::replace(&mut self.follows_value, false);
        match token {
            Token::Ident(word) => self.word(word)?,
            Token::BracketOpen => {
                self.open.push(if followed { Bracket::Of } else { Bracket::Literal })
            }
            Token::BraceOpen => self.open.push(Bracket::Literal),
            Token::ParenOpen if followed => self.open.push(Bracket::Of),
            Token::ParenOpen => self.open.push(Bracket::Group { name: false, comma: false }),
            Token::BracketClose | Token::BraceClose | Token::ParenClose => {
                self.open.pop();
                self.follows_value = true;
            }
            Token::Assign => self.value |= self.open.is_empty(),
            Token::Comma => self.comma()?,
            _ => self.follows_value = constant,
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), &'static str> {
        if self.is_statement && self.word.is_none() {
            self.word = Some(word.to_owned());
            return Ok(());
        }
        self.follows_value = !WORDS.contains(&word);
        if matches!(word, "true" | "false" | "none" | "True" | "False" | "None") {
            return Ok(());
        }
        self.value |= word == "in" && self.open.is_empty();
        if self.open.contains(&Bracket::Literal) {
            return Err(NOT_CONSTANT);
        }
        for bracket in &mut self.open {
            if let Bracket::Group { name, comma } = bracket {
                *name = true;
                if *comma {
                    return Err(NOT_CONSTANT);
                }
            }
        }
        Ok(())
    }

    /// A comma parts what is unpacked, assigned or passed; anywhere else it makes a tuple.
    fn comma(&mut self) -> Result<(), &'static str> {
        match self.open.last_mut() {
            Some(Bracket::Group { name: true, .. }) => {
                // `for (a, b) in …` unpacks.
                let unpacks = !self.value && self.word.as_deref() == Some("for");
                if unpacks { Ok(()) } else { Err(NOT_CONSTANT) }
            }
            Some(Bracket::Group { comma, .. }) => {
                *comma = true;
                Ok(())
            }
            Some(_) => Ok(()),
            None => match self.word.as_deref() {
                Some("with") => Ok(()),
                Some("for" | "set") if !self.value => Ok(()),
                _ => Err(NOT_CONSTANT),
            },
        }
    }
}
