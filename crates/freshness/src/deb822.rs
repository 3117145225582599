//! Fields of control files: `Name: value`, lines that go on, stanzas apart by blank lines.
//!
//! In goes a text, out come its stanzas; names in lower case. Source: deb822(5).

/// Fields of one stanza, in their order: name in lower case, and value with its lines.
pub(crate) type Stanza = Vec<(String, String)>;

/// The stanzas of a text. Lines that are neither a field nor go on with one are left out.
pub(crate) fn stanzas(text: &str) -> Vec<Stanza> {
    let mut all: Vec<Stanza> = vec![Stanza::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            all.push(Stanza::new());
        } else if line.starts_with('#') {
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = all.last_mut().and_then(|stanza| stanza.last_mut()) {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let (Some((name, value)), Some(stanza)) = (line.split_once(':'), all.last_mut()) {
            stanza.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    all.retain(|stanza| !stanza.is_empty());
    all
}

/// The value of a field.
pub(crate) fn field<'stanza>(stanza: &'stanza Stanza, name: &str) -> Option<&'stanza str> {
    stanza.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
