//! The `WWW-Authenticate` header: which scheme a registry wants, with what.
//!
//! Source: RFC 9110, 11.3 and 11.6.1. Several challenges may stand in one header, divided by the same
//! commas as their parameters: a word that no `=` follows begins the next.

/// Bytes of a header that are read; real ones have some 200.
const HEADER_BYTES: usize = 4096;

/// Challenges, and parameters of one, that are read.
const PARTS: usize = 16;

/// What a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token of a service (Docker's "Token Authentication Specification").
    Bearer { realm: String, service: Option<String> },
    /// Name and password (RFC 7617).
    Basic,
}

/// The best that is offered: tokens before passwords.
pub(super) fn read(header: &str) -> Option<Challenge> {
    let offered = parse(header.get(..HEADER_BYTES).unwrap_or(header));
    let of = |wanted: &str| offered.iter().find(|offer| offer.scheme.eq_ignore_ascii_case(wanted));
    if let Some(bearer) = of("bearer")
        && let Some(realm) = bearer.get("realm")
    {
        return Some(Challenge::Bearer { realm, service: bearer.get("service") });
    }
    of("basic").map(|_| Challenge::Basic)
}

#[derive(Debug, Default)]
struct Offer<'text> {
    scheme: &'text str,
    parameters: Vec<(&'text str, String)>,
}

impl Offer<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let same = |(known, _): &&(&str, String)| known.eq_ignore_ascii_case(name);
        self.parameters.iter().find(same).map(|(_, value)| value.clone())
    }
}

fn parse(header: &str) -> Vec<Offer<'_>> {
    let mut offers: Vec<Offer<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let Some((word, after)) = rest.split_at_checked(end) else { return offers };
        if word.is_empty() && after.is_empty() || offers.len() > PARTS {
            return offers;
        }
        match after.trim_start_matches([' ', '\t']).strip_prefix('=') {
            Some(after) => {
                let (value, after) = value(after.trim_start_matches([' ', '\t']));
                rest = after;
                match offers.last_mut() {
                    Some(offer) if offer.parameters.len() < PARTS => {
                        offer.parameters.push((word, value));
                    }
                    _ => return offers,
                }
            }
            None => {
                rest = after;
                offers.push(Offer { scheme: word, parameters: Vec::new() });
            }
        }
    }
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => value.extend(letters.next()),
            letter => value.push(letter),
        }
    }
    (value, letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull""#,
                bearer("https://auth.test/token", Some("registry.test")),
            ),
            (r#"bearer Realm = "https://a.test/t?x=1,2""#, bearer("https://a.test/t?x=1,2", None)),
            (r#"Bearer realm=https://a.test/t, service=s"#, bearer("https://a.test/t", Some("s"))),
            (r#"Basic realm="R \" S""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            (
                r#"Basic realm="x", Bearer realm="https://a.test/t""#,
                bearer("https://a.test/t", None),
            ),
            (r#"Negotiate YII==, Basic realm="x""#, Some(Challenge::Basic)),
            (r#"Bearer service="no realm", Basic realm="x""#, Some(Challenge::Basic)),
            ("Digest nonce=1", None),
            ("", None),
            ("=,=", None),
        ] {
            assert_eq!(read(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_stop(header in "[ -~]{0,200}|[Bearsic =,\"\\\\]{0,200}") {
            let _ = read(&header);
        }
    }
}
