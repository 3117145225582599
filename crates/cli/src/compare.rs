//! `lazaret db compare`: how an ecosystem orders versions.

use crate::exit::{Exit, Failure};
use crate::output;
use std::cmp::Ordering;
use std::io::BufRead;
use version::Scheme;

/// Bytes of one line that is read.
const LINE_BYTES: usize = 64 << 10;

pub(crate) fn run(ecosystem: &str, left: &str, right: Option<&str>) -> Result<Exit, Failure> {
    let scheme = Scheme::of_ecosystem(ecosystem).ok_or_else(|| {
        Failure::usage(format!("the version order of `{ecosystem}` is not known; use an OSV ecosystem name, such as Debian, PyPI or npm"))
    })?;
    match (left, right) {
        ("-", None) => lines(scheme),
        (_, None) => Err(Failure::usage("give two versions, or `-` to read lines")),
        (left, Some(right)) => {
            let order =
                scheme.compare(left, right).map_err(|error| Failure::new(Exit::Usage, error))?;
            output::print_lines(|out| writeln!(out, "{}", sign(order)))?;
            Ok(Exit::Clean)
        }
    }
}

const fn sign(order: Ordering) -> char {
    match order {
        Ordering::Less => '<',
        Ordering::Equal => '=',
        Ordering::Greater => '>',
    }
}

fn lines(scheme: Scheme) -> Result<Exit, Failure> {
    let mut wrong = Vec::new();
    for (number, line) in (1_u64..).zip(std::io::stdin().lock().lines()) {
        let line = line
            .map_err(|error| Failure::usage(format!("standard input, line {number}: {error}")))?;
        if line.len() > LINE_BYTES {
            return Err(Failure::usage(format!(
                "standard input, line {number}: longer than {LINE_BYTES} bytes"
            )));
        }
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match holds(scheme, text) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => wrong.push(line),
            Some(Err(error)) => wrong.push(format!("{line}  # {error}")),
            None => {
                return Err(Failure::usage(format!(
                    "standard input, line {number}: `{text}` is not of the form `A < B`, `A = B` or `A > B`"
                )));
            }
        }
    }
    output::print_lines(|out| wrong.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(if wrong.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// Whether a line `A < B` holds; none where it is no such line. Versions may hold spaces in no
/// ecosystem, so the sign stands between spaces.
fn holds(scheme: Scheme, line: &str) -> Option<Result<bool, version::VersionError>> {
    let mut parts = line.split_whitespace();
    let (left, sign, right) = (parts.next()?, parts.next()?, parts.next()?);
    let expected = match sign {
        "<" => Ordering::Less,
        "=" | "==" => Ordering::Equal,
        ">" => Ordering::Greater,
        _ => return None,
    };
    if parts.next().is_some() {
        return None;
    }
    Some(scheme.compare(left, right).map(|order| order == expected))
}
