//! Writes results: to standard output, or to files that are whole or not there.

use crate::args::{Color, Global, OutputArgs};
use crate::clock;
use crate::config::{self, Settings};
use crate::exit::{Exit, Failure};
use report::{Format, Style};
use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use vocabulary::{NotChecked, Report};

/// Bytes gathered before they are written.
const BUFFER: usize = 64 << 10;

/// How this run prints.
#[derive(Clone, Debug)]
pub(crate) struct Printing {
    pub(crate) quiet: bool,
    pub(crate) colour_on_stdout: bool,
    pub(crate) verbose: u8,
    /// Who answers for bills of materials, and supplies what they are about, by the configuration.
    author: Option<String>,
    supplier: Option<String>,
}

impl Printing {
    pub(crate) fn new(global: &Global, settings: &Settings) -> Self {
        let when = global.color.or(settings.color).unwrap_or(Color::Auto);
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = |terminal: bool| match when {
            Color::Always => true,
            Color::Never => false,
            // no-color.org; CLICOLOR_FORCE as at bixense.com/clicolors.
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto => terminal || set("CLICOLOR_FORCE"),
        };
        Self {
            quiet: global.quiet,
            colour_on_stdout: colour(io::stdout().is_terminal()),
            verbose: global.verbose,
            author: settings.author.as_ref().map(|config::Author(name)| name.clone()),
            supplier: settings.supplier.as_ref().map(|config::Author(name)| name.clone()),
        }
    }

    fn style(&self, args: &OutputArgs, terminal: bool) -> Style {
        Style {
            colour: terminal && self.colour_on_stdout,
            width: terminal.then(width).flatten(),
            verbose: self.verbose,
            timestamp: timestamp(),
            moment: Some(moment()),
            author: args.author.clone().or_else(|| self.author.clone()),
            supplier: args.supplier.clone().or_else(|| self.supplier.clone()),
            build: build(),
        }
    }

    /// A remark on standard error, unless quiet.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }
}

/// The one place that writes to standard error, the line of progress apart: one line, in which nothing
/// acts on a terminal or a CI service, whatever names and messages of strangers it holds. Where
/// standard error cannot be written there is nobody to tell.
pub(crate) fn say(text: &str) {
    let mut line = report::one_line(&without_logins(text));
    line.push('\n');
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// A text without the `user:password@` of the addresses in it.
fn without_logins(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        shown.push_str("://");
        let end = piece.find(|letter: char| letter.is_whitespace() || "/`'\"?#,;".contains(letter));
        let (host, _) = piece.split_at(end.unwrap_or(piece.len()));
        let login = host.rfind('@').map_or(0, |at| at + 1);
        shown.push_str(piece.get(login..).unwrap_or_default());
    }
    shown
}

/// Text of strangers in a line of ours.
pub(crate) fn plain(text: &str) -> String {
    report::one_line(text)
}

/// Prints lines for people, in which nothing acts on a terminal or a CI service.
pub(crate) fn print_lines(
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    print(|out| {
        let mut text = Vec::new();
        render(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        text.lines().try_for_each(|line| writeln!(out, "{}", report::one_line(line)))
    })
}

/// Says of each file in which form it is written. Without a form of its own (`FORMAT=FILE`) a file has
/// that of its ending; where its ending names none, or only text as `.txt` does, that of `--format`.
/// Streams have no endings, and take the configured form where there is no `--format`. A file of which
/// nobody said what is to be in it is refused before anything is read.
///
/// What `--format` names goes to one kind of place: where a file took it (its ending may name the same),
/// that is where it was wanted, and nothing is printed; else it is the form of standard output.
/// Gives remarks on what may not have been meant.
pub(crate) fn settle(
    args: &mut OutputArgs,
    configured: Option<Format>,
) -> Result<Vec<String>, Failure> {
    let mut named = BTreeSet::new();
    let mut taken = false;
    let mut own = Vec::new();
    for output in &mut args.output {
        let is_stream = is_stream(&output.file);
        let shown = output.file.display().to_string();
        if !is_stream && !named.insert(output.file.clone()) {
            return Err(named_twice(&shown));
        }
        if output.format.is_some() {
            continue;
        }
        let name = output.file.to_string_lossy();
        let of_ending = if is_stream { None } else { report::of_file(&name) };
        let is_named = of_ending.filter(|form| *form != Format::TABLE || args.format.is_none());
        output.format = is_named.or(args.format).or(configured.filter(|_| is_stream));
        if output.format.is_none() && !is_stream {
            return Err(Failure::usage(format!(
                "the ending of `{shown}` names no format; use FORMAT=FILE, such as json={shown}, or one of {}",
                report::file_names()
            )));
        }
        taken |= args.format.is_some() && output.format == args.format;
        own.extend(is_named.map(|form| (shown, form)));
    }
    if taken {
        args.format = None;
    }
    // Many tools call every form that is made of JSON so.
    let asked = args.format.filter(|asked| asked.is_json());
    let unlike = |(file, form): (String, Format)| {
        let asked = asked.filter(|_| form == Format::JSON)?;
        Some(format!(
            "lazaret: `{file}` gets `{form}`, which its ending names, and `{asked}` is printed; use -o {asked}={file} for that form"
        ))
    };
    Ok(own.into_iter().filter_map(unlike).collect())
}

fn named_twice(file: &str) -> Failure {
    Failure::usage(format!("`{file}` is named twice; each result needs a file of its own"))
}

/// What stands for the subject in the name of a file.
pub(crate) const PLACEHOLDER: &str = "{name}";
/// Characters of a subject's name in the name of a file.
const NAME_CHARACTERS: usize = 100;

/// Whether the name of a file holds the placeholder.
pub(crate) fn has_place(file: &Path) -> bool {
    file.to_string_lossy().contains(PLACEHOLDER)
}

/// Where the results of one subject go: the placeholder in the names of files is its name, which cannot
/// leave their folder.
pub(crate) fn of_subject(args: &OutputArgs, subject: &str) -> Result<OutputArgs, Failure> {
    let name = file_name(subject);
    let mut args = args.clone();
    let mut named = BTreeSet::new();
    for output in &mut args.output {
        if has_place(&output.file) {
            output.file = placed(&output.file, &name);
        }
        if !is_stream(&output.file) && !named.insert(output.file.clone()) {
            return Err(named_twice(&output.file.display().to_string()));
        }
    }
    Ok(args)
}

/// The file of a subject.
pub(crate) fn placed(file: &Path, name: &str) -> PathBuf {
    PathBuf::from(file.to_string_lossy().replace(PLACEHOLDER, name))
}

/// A subject's name as a file name: letters, digits, dots and dashes.
pub(crate) fn file_name(subject: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    let name: String = subject.chars().map(plain).take(NAME_CHARACTERS).collect();
    let name = name.trim_matches(['.', '-']);
    if name.is_empty() { "subject".to_owned() } else { name.to_owned() }
}

/// Refuses the placeholder where a result is about no one subject.
pub(crate) fn refuse_place(args: &OutputArgs, about: &str) -> Result<(), Failure> {
    match args.output.iter().find(|output| has_place(&output.file)) {
        None => Ok(()),
        Some(output) => Err(Failure::usage(format!(
            "`{}` is to have the name of a subject, and this is about {about}; name the file in full",
            output.file.display()
        ))),
    }
}

/// Whether a file is written to as it is, and not made anew: standard output, a device, a pipe.
pub(crate) fn is_stream(file: &Path) -> bool {
    let special = file.metadata().is_ok_and(|metadata| !metadata.is_file());
    let descriptor = ["/dev/fd", "/proc/self/fd", "/dev/stdout", "/dev/stderr"];
    file == Path::new("-") || special || descriptor.iter().any(|known| file.starts_with(known))
}

/// Says what a form leaves out for the bounds of who reads it.
pub(crate) fn say_left_out(
    printing: &Printing,
    formats: impl IntoIterator<Item = Format>,
    reports: &[Report],
    failed: &[NotChecked],
) {
    let mut said = BTreeSet::new();
    for format in formats {
        for line in report::left_out(reports, failed, format) {
            if said.insert(line.clone()) {
                printing.remark(&format!("lazaret: {format}: {line}"));
            }
        }
    }
}

/// `SOURCE_DATE_EPOCH` (reproducible-builds.org) as RFC 3339, in place of the time of the run.
fn timestamp() -> Option<String> {
    let seconds: i64 = std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

/// Refuses a dependency snapshot early where nothing says of which commit it is.
pub(crate) fn refuse_snapshot_of_nothing(args: &OutputArgs) -> Result<(), Failure> {
    let asked = args.format.into_iter().chain(args.output.iter().filter_map(|one| one.format));
    if asked.into_iter().any(|format| format.needs_build()) && build().is_none() {
        return Err(Failure::usage(report::NO_BUILD));
    }
    Ok(())
}

/// The run of GitHub's that this is, by the variables that its runners set.
fn build() -> Option<report::Build> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let commit = variable("GITHUB_SHA")?;
    let is_digest =
        matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(report::Build {
        commit: is_digest.then_some(commit)?,
        reference: variable("GITHUB_REF")?,
        run: variable("GITHUB_RUN_ID")?,
        correlator: format!("{} {}", variable("GITHUB_WORKFLOW")?, variable("GITHUB_JOB")?),
    })
}

/// The time of this run, to the second, as SPDX wants it.
fn moment() -> String {
    clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Columns of the terminal, where it says so.
fn width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}

/// The forms in which a result goes anywhere.
pub(crate) fn formats(args: &OutputArgs, default: Format) -> impl Iterator<Item = Format> {
    let to_files = args.output.iter().map(move |output| output.format.unwrap_or(default));
    let printed = args.output.is_empty().then(|| args.format.unwrap_or(default));
    to_files.chain(args.format).chain(printed)
}

/// Renders to everywhere that was asked for.
pub(crate) fn deliver(
    printing: &Printing,
    args: &OutputArgs,
    default: Format,
    render: impl Fn(Format, &Style, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    for output in &args.output {
        let format = output.format.unwrap_or(default);
        let style = printing.style(args, false);
        write_whole(&output.file, |out| render(format, &style, out))?;
    }
    if goes_to_stdout(printing, args) {
        let format = args.format.unwrap_or(default);
        let terminal = format == Format::TABLE;
        let style = Style {
            colour: terminal && printing.colour_on_stdout,
            ..printing.style(args, io::stdout().is_terminal())
        };
        print(|out| render(format, &style, out))?;
    }
    Ok(())
}

/// Whether a result is printed beside the files that it is written to: what `--format` names and no
/// file took (see [`settle`]).
fn goes_to_stdout(printing: &Printing, args: &OutputArgs) -> bool {
    (args.output.is_empty() || args.format.is_some()) && !(printing.quiet && args.format.is_none())
}

/// Whether anything of a result reaches standard output.
pub(crate) fn is_printed(printing: &Printing, args: &OutputArgs) -> bool {
    let named = args
        .output
        .iter()
        .any(|output| ["-", "/dev/stdout"].iter().any(|stdout| output.file == Path::new(stdout)));
    named || goes_to_stdout(printing, args)
}

/// Prints to standard output. A reader that has gone away is no error.
pub(crate) fn print(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    match render(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            Err(Failure::usage(error.to_string()))
        }
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Exhausted,
            anyhow::anyhow!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(|out| report::write_json(value, out))
}

/// Writes a file whole; a device or pipe is written to as it is. `-` is standard output.
pub(crate) fn write_whole(
    file: &Path,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    if file == Path::new("-") {
        return print(render);
    }
    let fail = |error: io::Error| match error.kind() {
        // The form's own complaint, which has nothing to do with the file.
        io::ErrorKind::InvalidInput => Failure::usage(error.to_string()),
        _ => Failure::usage(format!("cannot write `{}`: {error}", file.display())),
    };
    files::write_whole(file, files::Access::Shared, render).map_err(fail)
}
