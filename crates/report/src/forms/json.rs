//! The JSON form: the vocabulary's own serde form, pretty, with a newline at the end.
//!
//! No second set of types: a report read back gives the same report.

use crate::form::{Form, Format};
use crate::listed::PackagesView;
use crate::text::{command_in, is_hostile};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io;

/// The vocabulary's own form.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    endings: &[".json"],
    names: "`.json`",
    reports: Some(|reports, _, out| write(reports, out)),
    packages: Some(|report, _, out| write(&PackagesView::of(report), out)),
    diff: Some(|report, _, out| write(report, out)),
    running: Some(|report, _, out| write(report, out)),
    affected: Some(|report, _, out| write(report, out)),
    ..Form::new("json", |report, _, out| write(report, out))
};

/// Writes any value as pretty JSON with a newline at the end. Whatever a terminal or a CI service
/// would act on stands in it by its code, which is the same text to whoever reads it as JSON.
///
/// # Errors
/// Where `out` cannot be written, or the value has no JSON form.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    let format = Harmless(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(&mut *out, format)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// The same on one line.
///
/// # Errors
/// As [`write`].
pub fn write_line<T: Serialize + ?Sized>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    let format = Harmless(CompactFormatter);
    value.serialize(&mut Serializer::with_formatter(&mut *out, format)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Writes texts so that nothing acts on them: RFC 8259 (section 7) lets any character stand by its code.
struct Harmless<Form>(Form);

impl<Form: Formatter> Formatter for Harmless<Form> {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = fragment.bytes().all(|byte| byte.is_ascii() && byte != 0x7f);
        if plain && command_in(fragment).is_none() {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(next) = rest.chars().next() {
            let (head, tail) = rest.split_at(next.len_utf8());
            if is_hostile(next) || (next == '#' && command_in(rest) == Some(0)) {
                for unit in next.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                out.write_all(head.as_bytes())?;
            }
            rest = tail;
        }
        Ok(())
    }

    fn begin_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_key(out)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// A list whose items are made while it is written, so that no second copy of a report builds up.
pub(crate) struct Stream<F>(pub(crate) F);

impl<F, I> Serialize for Stream<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn json_holds_nothing_that_a_terminal_or_a_ci_service_acts_on_and_says_the_same() {
        let texts = [
            "\u{1b}[31mred\u{7f}\u{9b}2J",
            "\u{202e}gpj.exe\u{2066}\u{e0041}",
            "##[error]x ###vso[a] # 日本 😀",
            "line\n::error::two\r\"quoted\"\\",
        ];
        let value: BTreeMap<&str, Vec<&str>> = texts.map(|text| (text, vec![text])).into();
        for writes in [write::<BTreeMap<_, _>>, write_line::<BTreeMap<_, _>>] {
            let mut out = Vec::new();
            writes(&value, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(!text.chars().any(|one| one != '\n' && is_hostile(one)), "{text:?}");
            assert!(command_in(&text).is_none() && text.contains("日本 😀"), "{text}");
            let read: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
            let read: Vec<&str> = read.values().flatten().map(String::as_str).collect();
            assert_eq!(read, value.values().flatten().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_form_is_that_of_the_library() {
        let value = serde_json::json!({"a": [], "b": {}, "c": [1, {"d": null}], "e": "x"});
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        let library = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{library}\n"));
    }
}
