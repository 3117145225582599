//! `renv.lock` of R. Source: renv documentation, "Lockfiles".
//!
//! Packages of Bioconductor, GitHub and folders are listed with where they come from.

use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines};
use crate::elsewhere::Elsewhere;
use image::Interest;
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "renv-lock",
    ecosystem: Ecosystem::CRAN,
    interests: &[Interest::Name("renv.lock")],
    accepts: |path| is_named(path, &["renv.lock"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File {
    #[serde(rename = "Packages", default, deserialize_with = "nullable")]
    packages: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    version: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    license: Option<String>,
    remote_host: Option<String>,
    remote_username: Option<String>,
    remote_repo: Option<String>,
    remote_sha: Option<String>,
    remote_url: Option<String>,
}

impl Entry {
    /// None for CRAN and its mirrors. Bioconductor is a registry of its own.
    fn elsewhere(&self) -> Option<Elsewhere> {
        let revision = self.remote_sha.as_deref();
        let host = match (self.source.as_str(), self.remote_host.as_deref()) {
            ("Repository", _) => return None,
            ("Bioconductor", _) => {
                return Some(Elsewhere::registry("https://bioconductor.org/packages/"));
            }
            (_, Some(host)) => host.trim_start_matches("api."),
            ("GitLab", None) => "gitlab.com",
            ("Bitbucket", None) => "bitbucket.org",
            _ => "github.com",
        };
        if let Some(address) = &self.remote_url {
            let is_path = !address.contains([':', '@']);
            return Some(match is_path {
                true => Elsewhere::path(address),
                false => Elsewhere::git(address, revision),
            });
        }
        match (&self.remote_username, &self.remote_repo) {
            (Some(owner), Some(repository)) => {
                let owner = format!("https://{host}/{owner}/{repository}");
                Some(Elsewhere::git(&owner, revision))
            }
            _ => Some(Elsewhere::path("")),
        }
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file: File = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let seen = file.packages.is_some();
    let listed = file.packages.iter().flatten().map(|(name, entry)| {
        let line = lines.get(name.as_str()).copied().unwrap_or(0);
        let Some(mut declared) = Declared::new(name, &entry.version, line) else {
            return Listed::Unread(line);
        };
        declared.licence.clone_from(&entry.license);
        declared.elsewhere = entry.elsewhere();
        Listed::Package(declared)
    });
    Ok(Listing::of_list_if(seen, listed))
}
