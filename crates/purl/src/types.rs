//! How the types of package URLs normalise their parts.
//!
//! In go a type and a part, out comes the part as the type's definition wants it. Two definitions
//! are not followed, knowingly: they ask for lower case in `golang` and `npm`, but Go's module paths
//! tell upper from lower case, as old npm packages do (`JSONStream`), and so do the advisories about
//! them. Lower case would make one package of two, and miss the advisories of both.
//!
//! Source: purl-spec, `types/*-definition.json`; for PyPI, "Name normalization" (PEP 503).

/// A name in the form that its type wants.
pub(crate) fn normalize_name(kind: &str, name: &str) -> String {
    match kind {
        "alpm" | "apk" | "bitbucket" | "bitnami" | "composer" | "deb" | "github" | "gitlab"
        | "hex" | "luarocks" | "oci" | "otp" | "pub" => name.to_ascii_lowercase(),
        "pypi" => normalize_python(name),
        _ => name.to_owned(),
    }
}

/// A namespace in the form that its type wants.
pub(crate) fn normalize_namespace(kind: &str, mut namespace: String) -> String {
    match kind {
        "alpm" | "apk" | "bitbucket" | "composer" | "deb" | "github" | "gitlab" | "hex"
        | "luarocks" | "qpkg" | "rpm" => namespace.make_ascii_lowercase(),
        "cpan" => namespace.make_ascii_uppercase(),
        _ => {}
    }
    namespace
}

/// A version in the form that its type wants.
pub(crate) fn normalize_version(kind: &str, version: &str) -> String {
    match kind {
        "huggingface" | "oci" => version.to_ascii_lowercase(),
        _ => version.to_owned(),
    }
}

/// Lower case, and one `-` for each run of `-`, `_` and `.`.
fn normalize_python(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    let mut in_run = false;
    for letter in name.chars() {
        let divides = matches!(letter, '-' | '_' | '.');
        if !divides {
            normal.push(letter.to_ascii_lowercase());
        } else if !in_run {
            normal.push('-');
        }
        in_run = divides;
    }
    normal
}

/// Whether a text can be a type.
pub(crate) fn is_kind(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Whether a text can be the key of a qualifier.
pub(crate) fn is_key(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_known)
}
