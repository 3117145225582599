//! The words for forms and names that flags, variables and configuration share.

use crate::settings;
use report::{Format, Template};
use std::path::Path;

/// The file that `template:FILE` names.
pub(crate) fn template_of(text: &str) -> Option<&str> {
    text.strip_prefix("template:")
}

/// Reads the name of a format, and the template where it names one: what is wrong with it is said
/// before anything is scanned.
pub(crate) fn format(text: &str) -> Result<Format, String> {
    let Some(file) = template_of(text) else {
        return text.parse().map_err(|error: report::FormatError| error.to_string());
    };
    if file.is_empty() {
        return Err("`template:` names no file; use template:FILE".to_owned());
    }
    let text = settings::read_text(Path::new(file), report::TEMPLATE_BYTES)
        .map_err(|failure| failure.error.to_string())?;
    let template = Template::parse(file, &text).map_err(|error| error.to_string())?;
    // Read once, and used until the program ends.
    Ok(Format::template(Box::leak(Box::new(template))))
}

/// Characters of the name of an author or a supplier.
const AUTHOR: usize = 200;

/// Reads the name of an author or a supplier: one line of plain text.
pub(crate) fn author(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_plain = report::one_line(name) == name && name.chars().count() <= AUTHOR;
    match is_plain && !name.trim_end_matches(':').is_empty() {
        true => Ok(name.to_owned()),
        false => Err(format!("a name is one line of at most {AUTHOR} characters")),
    }
}
