//! Which archive is asked for an image, and which is not.
//!
//! The security suite of the image's own release, and no other: `-updates` and point releases mend
//! faults of every kind, and of what they mend for security the security suite has it first. Its place
//! is what the user says, else what the image's sources say, else the distribution's own. An image must
//! not choose where connections go: hosts are those of a list, without ports and credentials.
//!
//! Up to Debian 10 the security suite of `buster` was `buster/updates`, whose Release says `buster` as
//! that of the whole release does, and is told from it by its label. Debian has moved these suites to
//! archive.debian.org, where they are asked for whatever of Debian's hosts the image still names.

use crate::apt_sources::Source;
use vocabulary::Distribution;

/// An archive of a distribution.
struct Known {
    id: &'static str,
    hosts: &'static [&'static str],
    /// Where nothing else is said: for architectures of servers, and for others.
    main: &'static str,
    ports: &'static str,
}

const KNOWN: &[Known] = &[
    Known {
        id: "debian",
        hosts: &[
            "archive.debian.org",
            "deb.debian.org",
            "security.debian.org",
            "snapshot.debian.org",
        ],
        main: "http://deb.debian.org/debian-security",
        ports: "http://deb.debian.org/debian-security",
    },
    Known {
        id: "ubuntu",
        hosts: &["archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com"],
        main: "http://security.ubuntu.com/ubuntu",
        ports: "http://ports.ubuntu.com/ubuntu-ports",
    },
];

/// Versions and codenames of the releases of Debian whose security suites are `CODENAME/updates`. Their
/// os-release did not always name the codename.
const OLD: &[(&str, &str)] =
    &[("7", "wheezy"), ("8", "jessie"), ("9", "stretch"), ("10", "buster")];
/// Where Debian keeps them.
const OLD_PLACE: &str = "http://archive.debian.org/debian-security";
/// Hosts of Debian that keep what has ended.
const KEEPERS: &[&str] = &["archive.debian.org", "snapshot.debian.org"];

/// Where to ask, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Without a closing slash.
    pub(crate) base: String,
    /// Such as `bookworm-security`, or `buster/updates`.
    pub(crate) suite: String,
    /// The hosts that may be asked, also by redirects; empty where the user chose.
    pub(crate) hosts: Vec<String>,
    /// By whom it was chosen, for coverage.
    pub(crate) by: &'static str,
}

/// Where to ask for a distribution, or why not to.
pub(crate) fn place(
    distribution: &Distribution,
    sources: &[Source],
    architecture: &str,
    mirror: Option<&str>,
) -> Result<Place, String> {
    let Distribution { id, version, codename, .. } = distribution;
    let known = KNOWN
        .iter()
        .find(|known| known.id == id)
        .ok_or_else(|| format!("no archive of {id} is known here, only Debian's and Ubuntu's"))?;
    let named = |name: &&String| {
        (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let major = version.split('.').next().unwrap_or_default();
    let old = OLD.iter().find(|(number, name)| match codename {
        Some(codename) => codename == name,
        None => *number == major,
    });
    let old = old.filter(|_| id == "debian").map(|(_, name)| *name);
    let codename =
        codename.as_ref().filter(named).map(String::as_str).or(old).ok_or_else(|| {
            format!("this release of {id} has no codename, by which its archive is told")
        })?;
    let suite =
        if old.is_some() { format!("{codename}/updates") } else { format!("{codename}-security") };
    if let Some(mirror) = mirror {
        let base = mirror.trim_end_matches('/').to_owned();
        return Ok(Place { base, suite, hosts: Vec::new(), by: "by --archive-mirror" });
    }
    let hosts: Vec<String> = known.hosts.iter().map(|host| (*host).to_owned()).collect();
    let own = || sources.iter().filter(|source| source.suite.trim_end_matches('/') == suite);
    if let Some(base) = own().find_map(|source| allowed(&source.uri, known.hosts)) {
        let moved = old.is_some() && allowed(&base, KEEPERS).is_none();
        if moved {
            let by = "to which Debian has moved it";
            return Ok(Place { base: OLD_PLACE.to_owned(), suite, hosts, by });
        }
        return Ok(Place { base, suite, hosts, by: "by the image's sources" });
    }
    if let Some(source) = own().next() {
        return Err(format!(
            "the image takes {suite} from `{}`, which is none of the hosts that are asked without being named; name a mirror by --archive-mirror",
            fetch::redact(&source.uri)
        ));
    }
    let of_servers = matches!(architecture, "amd64" | "i386" | "all");
    let base = match old {
        Some(_) => OLD_PLACE,
        None if of_servers => known.main,
        None => known.ports,
    };
    let base = base.to_owned();
    Ok(Place { base, suite, hosts, by: "the image's sources name none" })
}

/// The address where it is one of these hosts', in plain form.
fn allowed(uri: &str, hosts: &[&str]) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+~/".contains(&byte);
    let good = matches!(scheme, "http" | "https")
        && hosts.contains(&host)
        && path.len() <= 512
        && path.bytes().all(plain)
        && path.split('/').all(|part| !matches!(part, "." | ".."));
    good.then(|| format!("{scheme}://{host}/{path}").trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(id: &str, codename: Option<&str>) -> Distribution {
        Distribution {
            id: id.to_owned(),
            version: "12".to_owned(),
            codename: codename.map(str::to_owned),
            pretty_name: None,
            like: Vec::new(),
        }
    }

    fn asked(uri: &str, mirror: Option<&str>) -> Result<Place, String> {
        let other = Source {
            uri: "http://evil.test/x".to_owned(),
            suite: "bookworm".to_owned(),
            keyrings: Vec::new(),
        };
        let own = Source {
            uri: uri.to_owned(),
            suite: "bookworm-security".to_owned(),
            keyrings: Vec::new(),
        };
        place(&distribution("debian", Some("bookworm")), &[other, own], "amd64", mirror)
    }

    #[test]
    fn only_hosts_of_the_list_are_asked() {
        for uri in ["http://deb.debian.org/debian-security/", "https://security.debian.org"] {
            assert_eq!(asked(uri, None).unwrap().base, uri.trim_end_matches('/'));
        }
        for uri in [
            "http://169.254.169.254/latest",
            "http://deb.debian.org:22/x",
            "http://user@deb.debian.org/x",
            "http://deb.debian.org.evil.test/x",
            "http://evil.test/deb.debian.org",
            "http://DEB.debian.org\\@evil.test/",
            "file:///etc",
            "mirror+file:/etc/apt/mirrors",
            "http://deb.debian.org/a?b",
            "http://deb.debian.org/../x",
            "http://archive.ubuntu.com/ubuntu",
        ] {
            let reason = asked(uri, None).unwrap_err();
            assert!(reason.contains("--archive-mirror"), "{uri}: {reason}");
            assert!(asked(uri, Some("http://mirror.test/d/")).is_ok());
        }
        let chosen = asked("http://evil.test", Some("http://mirror.test/d/")).unwrap();
        assert_eq!(chosen.base, "http://mirror.test/d");
    }

    #[test]
    fn the_security_suites_of_old_releases_are_asked_for_where_debian_keeps_them() {
        let asked = |version: &str, codename: Option<&str>, uri: &str| {
            let suite = format!("{}/updates/", codename.unwrap_or("stretch"));
            let own = [Source { uri: uri.to_owned(), suite, keyrings: Vec::new() }];
            let named =
                Distribution { version: version.to_owned(), ..distribution("debian", codename) };
            place(&named, &own, "amd64", None).map(|place| (place.suite, place.base))
        };
        let buster = |base: &str| Ok(("buster/updates".to_owned(), base.to_owned()));
        for uri in [
            "http://security.debian.org/debian-security",
            "https://deb.debian.org/debian-security",
            "http://archive.debian.org/debian-security/",
        ] {
            assert_eq!(asked("10", Some("buster"), uri), buster(OLD_PLACE), "{uri}");
        }
        let snapshot = "http://snapshot.debian.org/archive/debian-security/20240701T000000Z";
        assert_eq!(asked("10", Some("buster"), snapshot), buster(snapshot));
        let unnamed = asked("9.13", None, "http://deb.debian.org/debian-security");
        assert_eq!(unnamed.unwrap().0, "stretch/updates");
        assert!(asked("10", Some("buster"), "http://evil.test/x").is_err());
        assert!(asked("99", None, snapshot).is_err());
        let ubuntu = Distribution { version: "10".to_owned(), ..distribution("ubuntu", None) };
        assert!(place(&ubuntu, &[], "amd64", None).is_err());
        let sid = Distribution { version: "10".to_owned(), ..distribution("debian", Some("sid")) };
        assert_eq!(place(&sid, &[], "amd64", None).unwrap().suite, "sid-security");
    }

    #[test]
    fn an_image_without_sources_is_asked_for_at_its_distributions_own_archive() {
        let at = |id, codename, architecture| {
            place(&distribution(id, codename), &[], architecture, None).map(|place| place.base)
        };
        let debian = "http://deb.debian.org/debian-security".to_owned();
        assert_eq!(at("debian", Some("bookworm"), "arm64"), Ok(debian));
        let ports = "http://ports.ubuntu.com/ubuntu-ports".to_owned();
        assert_eq!(at("ubuntu", Some("noble"), "arm64"), Ok(ports));
        assert!(at("alpine", Some("x"), "amd64").is_err());
        assert!(at("debian", Some("../../x"), "amd64").is_err());
        assert!(at("debian", None, "amd64").is_err());
    }
}
