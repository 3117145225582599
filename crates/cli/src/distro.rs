//! `--distro`: a distribution and its release, in the words of any tool.

/// A distribution and its release.
#[derive(Clone, Debug)]
pub(crate) struct Distro(pub(crate) vocabulary::Distribution);

impl std::str::FromStr for Distro {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut named = advisories::purls::distribution(text).map_err(|error| error.to_string())?;
        named.id = scan::distribution_id(&named.id).to_owned();
        Ok(Self(named))
    }
}
