//! `--distro`: a distribution and its release, in the words of any tool.

use vocabulary::Ecosystem;

/// A distribution and its release.
#[derive(Clone, Debug)]
pub(crate) struct Distro(pub(crate) vocabulary::Distribution);

impl std::str::FromStr for Distro {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut named = advisories::purls::distribution(text).map_err(|error| error.to_string())?;
        named.id = scan::distribution_id(&named.id).to_owned();
        if Ecosystem::of_distribution(&named.id).is_none() {
            let known: Vec<_> = Ecosystem::distributions().collect();
            return Err(format!(
                "no distribution `{}` is known; use one of {}",
                named.id,
                known.join(", ")
            ));
        }
        // Named by code name, it is shown by its number, too.
        if named.version.is_empty()
            && let Some(number) = advisories::purls::number_of(&named)
        {
            named.version = number.to_owned();
        }
        Ok(Self(named))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<vocabulary::Distribution, String> {
        text.parse::<Distro>().map(|Distro(distribution)| distribution)
    }

    #[test]
    fn a_code_name_is_given_its_number() {
        for (text, id, number) in [
            ("debian:bookworm", "debian", "12"),
            ("Debian:Trixie", "debian", "13"),
            ("ubuntu/jammy", "ubuntu", "22.04"),
            ("debian:12", "debian", "12"),
            ("debian:sid", "debian", ""),
            ("oracle:9", "ol", "9"),
        ] {
            let named = read(text).unwrap();
            assert_eq!((named.id.as_str(), named.version.as_str()), (id, number), "{text}");
        }
    }

    #[test]
    fn a_distribution_that_nobody_knows_is_refused_with_those_that_are_known() {
        for unknown in ["bogus:1", "debain:12", "linux:1"] {
            let error = read(unknown).unwrap_err();
            assert!(error.contains("debian") && error.contains("wolfi"), "{error}");
        }
        // Known, though nobody publishes advisories for it.
        assert!(["centos:7", "arch:rolling", "gentoo:2"].iter().all(|text| read(text).is_ok()));
    }
}
