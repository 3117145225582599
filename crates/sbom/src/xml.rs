//! Pulls elements out of an XML document, one after the other.
//!
//! In goes text, out come elements with their attributes and text, as the reader of a form asks for
//! them; what it does not ask for is skipped, and no tree is kept. Document types are refused: no form
//! that is read here has one, and with them go entities of the document's own, by which a small text
//! grows without bound. Only the five entities of XML and characters by number stand for others.
//! Source: XML 1.0, 2.8, 4.1 and 4.6.

use crate::error::SbomError;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting of elements: CycloneDX needs some 12, and one for each component in another.
const DEPTH: usize = 512;
/// Most attributes of an element that are looked at.
const ATTRIBUTES: usize = 64;

/// A document that is being read.
pub(crate) struct Xml<'text> {
    form: &'static str,
    reader: Reader<&'text [u8]>,
}

/// The beginning of an element: its name without prefix, and its attributes.
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// An attribute; empty where there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The namespace that the element declares for itself.
    pub(crate) fn namespace(&self) -> &str {
        let declared = self.attributes.iter().filter(|(key, _)| key.starts_with("xmlns"));
        declared
            .map(|(_, value)| value.as_str())
            .find(|value| value.contains("cyclonedx"))
            .unwrap_or("")
    }
}

impl<'text> Xml<'text> {
    /// Opens a document at its root element.
    pub(crate) fn open(form: &'static str, text: &'text str) -> Result<(Self, Element), SbomError> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut xml = Self { form, reader };
        loop {
            match xml.next()? {
                Event::Start(start) => {
                    let root = element(&start);
                    return Ok((xml, root));
                }
                Event::Eof => return Err(xml.fault("it has no root element")),
                _ => {}
            }
        }
    }

    /// Hands each element inside the one that is open to `take`, which reads it to its end by
    /// [`Self::children`], [`Self::text`] or [`Self::skip`].
    pub(crate) fn children(
        &mut self,
        mut take: impl FnMut(&mut Self, Element) -> Result<(), SbomError>,
    ) -> Result<(), SbomError> {
        loop {
            match self.next()? {
                Event::Start(start) => {
                    let inner = element(&start);
                    take(self, inner)?;
                }
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(self.fault("it breaks off")),
                _ => {}
            }
        }
    }

    /// The text of the element that is open, without that of elements in it.
    pub(crate) fn text(&mut self) -> Result<String, SbomError> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => {
                    let named = match &*reference {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().ok().flatten(),
                    };
                    text.push(named.ok_or_else(|| self.fault("it has an entity of its own"))?);
                }
                Event::Start(_) => self.skip()?,
                Event::End(_) => return Ok(text.trim().to_owned()),
                Event::Eof => return Err(self.fault("it breaks off")),
                _ => {}
            }
        }
    }

    /// Passes over the rest of the element that is open.
    pub(crate) fn skip(&mut self) -> Result<(), SbomError> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                Event::Start(_) if depth >= DEPTH => {
                    return Err(self.fault("its elements lie too deep in each other"));
                }
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 0 => return Ok(()),
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(self.fault("it breaks off")),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Event<'text>, SbomError> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(self.fault("it has a document type; leave it out")),
            Ok(event) => Ok(event),
            Err(error) => Err(self.fault(&error.to_string())),
        }
    }

    /// What is wrong, and where.
    pub(crate) fn fault(&self, reason: &str) -> SbomError {
        let at = self.reader.buffer_position();
        SbomError::Shape { form: self.form, reason: format!("{reason} (at byte {at})") }
    }
}

fn element(start: &BytesStart<'_>) -> Element {
    let name = local(start.name().as_ref()).to_owned();
    let attributes = start.attributes().flatten().take(ATTRIBUTES);
    let attributes = attributes.filter_map(|attribute| {
        let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok()?;
        Some((attribute.key.as_ref().to_owned(), value.into_owned()))
    });
    Element { name, attributes: attributes.collect() }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}
