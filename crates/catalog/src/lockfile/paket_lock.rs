//! `paket.lock`. Source: Paket, "The paket.lock file".
//!
//! Sections stand at the margin, where packages come from behind two blanks, packages behind four and
//! what these need behind six. What comes from a repository or an address has no version: it is counted.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::dotnet::deps::is_name;
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "paket-lock",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("paket.lock")],
    accepts: |path| is_named(path, &["paket.lock"]),
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

const OTHER_SECTIONS: [&str; 4] = ["GIST", "GIT", "GITHUB", "HTTP"];

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut section = "";
    let mut elsewhere = 0_u32;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim_end();
        let content = line.trim_start_matches(' ');
        match line.len() - content.len() {
            _ if content.is_empty() => {}
            0 => {
                section = content;
                let key = content.split([':', ' ']).next().unwrap_or_default();
                let upper = |byte: u8| byte.is_ascii_uppercase() || b"_-".contains(&byte);
                let is_option = content != key && !key.is_empty() && key.bytes().all(upper);
                let known = is_option || content == "NUGET" || OTHER_SECTIONS.contains(&content);
                // Options and sections are there though nothing stands in them.
                found.push(if known { Entry::Own } else { Entry::Unread(number) });
            }
            4 if section == "NUGET" => found.push(Entry::package(package(content, number), number)),
            4 if OTHER_SECTIONS.contains(&section) => elsewhere += 1,
            _ => {}
        }
    }
    if elsewhere > 0 {
        let gap =
            format!("{elsewhere} of its files come from repositories or addresses: not looked at");
        found.gaps.push(gap);
    }
    Ok(found)
}

/// `Name (1.2.3) - restriction: …`
fn package(content: &str, line: u32) -> Option<Declared> {
    let (name, rest) = content.split_once(" (")?;
    let (version, _) = rest.split_once(')')?;
    is_name(name).then(|| Declared::new(name, version, line))?
}
