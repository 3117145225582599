//! Which certificate authorities are trusted.
//!
//! What the user names (`SSL_CERT_FILE`, `SSL_CERT_DIR`, as OpenSSL reads them) replaces all else.
//! Otherwise the system's bundle is used, because that is where a company puts its own authority;
//! and where there is none, as in an empty container, Mozilla's list that is built in.

use crate::{FetchError, Roots};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// Where distributions keep their bundle; the first that holds certificates counts. The list is the
/// one that Go's `crypto/x509` and OpenSSL packagers use.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The largest certificate file that is read; real bundles have a quarter of a megabyte.
const FILE_LIMIT: u64 = 16 << 20;

/// The most files of a certificate folder that are read; real ones have some 300.
const FOLDER_LIMIT: usize = 4096;

/// Reads the certificates.
pub(crate) fn load(roots: &Roots) -> Result<RootCerts, FetchError> {
    let added = roots.added.as_deref().map(from_file).transpose()?;
    if roots.file.is_none() && roots.directory.is_none() {
        let system = BUNDLES.iter().find_map(|path| from_file(Path::new(path)).ok());
        return Ok(match (system, added) {
            (None, None) => RootCerts::WebPki,
            (system, added) => specific(system.into_iter().chain(added).flatten().collect()),
        });
    }
    // A folder beside a file adds to it, and may be empty: systems set both by default.
    let mut found = roots.file.as_deref().map(from_file).transpose()?.unwrap_or_default();
    if let Some(directory) = &roots.directory {
        let more = from_directories(directory);
        if let (Err(error), true) = (&more, found.is_empty()) {
            return Err(unreadable(directory, error));
        }
        found.extend(more.unwrap_or_default());
    }
    found.extend(added.unwrap_or_default());
    Ok(specific(found))
}

impl Roots {
    /// Looks into the file of added certificates, where one is named: what is wrong with it is better
    /// said before anything is done than at the first connection.
    ///
    /// # Errors
    /// Where it cannot be read, or holds no certificate.
    pub fn check_added(&self) -> Result<(), FetchError> {
        self.added.as_deref().map(from_file).transpose().map(drop)
    }
}

fn specific(certificates: Vec<Certificate<'static>>) -> RootCerts {
    RootCerts::Specific(Arc::new(certificates))
}

fn from_file(path: &Path) -> Result<Vec<Certificate<'static>>, FetchError> {
    let bytes = files::read(path, FILE_LIMIT).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => unreadable(path, &"the file is too large"),
        _ => unreadable(path, &error),
    })?;
    let certificates = parse(&bytes);
    match certificates.is_empty() {
        true => Err(unreadable(path, &"no PEM certificate in it")),
        false => Ok(certificates),
    }
}

/// OpenSSL takes several folders, separated by colons.
fn from_directories(directories: &Path) -> Result<Vec<Certificate<'static>>, std::io::Error> {
    let mut certificates = Vec::new();
    for directory in std::env::split_paths(directories) {
        let mut files: Vec<PathBuf> = std::fs::read_dir(directory)?
            .take(FOLDER_LIMIT)
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.metadata().is_ok_and(|data| data.is_file() && data.len() <= FILE_LIMIT)
            })
            // The bundle that lies beside the single files holds the same certificates again.
            .filter(|path| path.file_name().is_none_or(|name| name != "ca-certificates.crt"))
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        files.sort();
        files.dedup();
        for file in files {
            let read = files::read_found(&file, FILE_LIMIT);
            certificates.extend(read.map(|(_, bytes)| parse(&bytes)).unwrap_or_default());
        }
    }
    match certificates.is_empty() {
        true => Err(std::io::Error::other("no PEM certificate in it")),
        false => Ok(certificates),
    }
}

fn parse(bytes: &[u8]) -> Vec<Certificate<'static>> {
    parse_pem(bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}

fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> FetchError {
    FetchError::Certificates { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_without_certificates_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roots.pem");
        for content in [None, Some("no certificates")] {
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            let roots = Roots { file: Some(path.clone()), ..Roots::default() };
            let text = load(&roots).err().unwrap().to_string();
            assert!(text.contains("roots.pem") && text.contains("SSL_CERT_FILE"), "{text}");
        }
        let empty = Roots { directory: Some(folder.path().to_owned()), ..Roots::default() };
        assert!(load(&empty).is_err());
    }

    #[test]
    fn a_file_and_a_folder_of_certificates_are_read() {
        const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one.pem"), PEM).unwrap();
        std::fs::write(folder.path().join("two.pem"), [PEM, PEM].concat()).unwrap();
        let roots = Roots {
            file: Some(folder.path().join("one.pem")),
            directory: Some(folder.path().to_owned()),
            added: None,
        };
        let count = |roots: &Roots| match load(roots).unwrap() {
            RootCerts::Specific(certificates) => certificates.len(),
            _ => panic!("the named ones"),
        };
        assert_eq!(count(&roots), 4);
        let added = Some(folder.path().join("two.pem"));
        assert_eq!(count(&Roots { added: added.clone(), ..roots }), 6);
        let system = load(&Roots::default()).unwrap();
        let before = if let RootCerts::Specific(known) = system { known.len() } else { 0 };
        assert_eq!(count(&Roots { added, ..Roots::default() }), before + 2);
    }
}
