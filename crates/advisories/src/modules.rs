//! Module streams of rpm distributions: several versions of one package live side by side, each with
//! its own notices and its own fixed version.
//!
//! Source: Fedora modularity documentation; versions carry `.module_el8.5.0+119+9a9ec082` (AlmaLinux)
//! or `.module+el8.5.0+…` (Red Hat, Rocky) in their release.

/// Whether a version was built in a module.
pub(crate) fn is_modular(version: &str) -> bool {
    version.contains(".module_el") || version.contains(".module+el")
}

/// The minor release that a modular version was built for, such as `.module_el8.5.0`.
fn build_line(version: &str) -> Option<&str> {
    let at = version.find(".module")?;
    let tail = version.get(at..)?;
    let begins = tail.find("el")?;
    let end = tail.get(begins..)?.find('+').map_or(tail.len(), |length| begins + length);
    tail.get(..end)
}

/// Whether two modular versions were built for the same minor release.
pub(crate) fn same_line(left: &str, right: &str) -> bool {
    matches!((build_line(left), build_line(right)), (Some(left), Some(right)) if left == right)
}

/// Whether a notice that mends a package at `fixed`, for `stream` of a module, is about an installed
/// version: both modular or neither, and of one stream as far as that is known. Where the installed
/// package does not say its stream, a stream that is a version number (`nodejs:18`) tells itself by
/// the versions of packages that follow it.
pub(crate) fn concerns(
    fixed: &str,
    stream: Option<&str>,
    installed: &str,
    installed_module: Option<&str>,
) -> bool {
    if is_modular(fixed) != (is_modular(installed) || installed_module.is_some()) {
        return false;
    }
    let (Some(stream), true) = (stream, is_modular(fixed)) else { return true };
    if let Some(module) = installed_module {
        let mut parts = module.split(':');
        let own = (parts.next(), parts.next());
        let mut parts = stream.split(':');
        return own == (parts.next(), parts.next());
    }
    let stream = stream.split_once(':').map_or("", |(_, stream)| stream);
    !follows(fixed, stream) || follows(installed, stream)
}

/// Whether a version is one of a numbered stream: `1:18.19.0-1` of `18`.
fn follows(version: &str, stream: &str) -> bool {
    let numbered = stream.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    numbered
        && !stream.is_empty()
        && upstream.strip_prefix(stream).is_some_and(|rest| rest.starts_with(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: &str = "1:18.19.0-2.module_el8.9.0+3713+3d4d1b7b";

    #[test]
    fn a_notice_of_another_stream_does_not_concern_a_package() {
        let installed = "1:16.20.2-1.module_el8.8.0+3600+b3a5a5e5";
        assert!(!concerns(FIXED, Some("nodejs:18"), installed, Some("nodejs:16")));
        assert!(!concerns(FIXED, Some("nodejs:18"), installed, None));
        let installed = "1:18.12.1-1.module_el8.8.0+3600+b3a5a5e5";
        assert!(concerns(FIXED, Some("nodejs:18"), installed, Some("nodejs:18:8080:abc")));
        assert!(concerns(FIXED, Some("nodejs:18"), installed, None));
    }

    #[test]
    fn modular_and_plain_versions_do_not_meet() {
        assert!(!concerns(FIXED, Some("nodejs:18"), "1:18.12.1-1.el8", None));
        assert!(!concerns("1:10.3-1.el8", None, "1:10.1-1.module_el8.5.0+1+2", None));
        assert!(concerns("1:10.3-1.el8", None, "1:10.1-1.el8", None));
    }

    #[test]
    fn build_lines_are_told_apart() {
        assert!(same_line("1-2.module_el8.4.0+1+a", "1-2.module_el8.4.0+9+b"));
        assert!(!same_line("1-2.module_el8.4.0+1+a", "1-2.module_el8.5.0+1+a"));
        assert!(same_line("1-2.module+el8.4.0+1+a", "1-3.module+el8.4.0+2+a"));
        assert!(!same_line("1-2.el8", "1-2.el8"));
    }
}
