//! Renders a report: table and Markdown for people, and the JSON and XML forms of [`Format`]. Pure functions.
//!
//! In goes a [`Report`] and a [`Style`], out come bytes on a writer, piece by piece, so that a report
//! of any size costs no second copy in memory. There is no clock, no terminal and no environment in
//! here: the same input gives the same bytes. All text that comes from an image is untrusted; the
//! table shows control characters and direction overrides by their code, the JSON forms escape them.

mod alert;
mod difference;
mod edges;
mod event;
mod form;
mod forms;
mod fresh;
mod group;
mod listed;
mod render;
mod saved;
mod style;
mod supplier;
mod template;
mod text;

pub use alert::alert_line;
pub use form::Format;
pub use forms::github::NO_BUILD;
pub use forms::json::{write as write_json, write_line as write_json_line};
pub use forms::{FormatError, file_names, format_names, no_differences, no_packages, of_file};
pub use render::{
    left_out, render, render_affected, render_diff, render_packages, render_reports, render_running,
};
pub use saved::{Saved, SavedError, read_saved};
pub use style::{Build, Style};
pub use template::{Filling, TEMPLATE_BYTES, TEMPLATE_OUTPUT_BYTES, Template, TemplateError};

pub use text::{escape, one_line};
