//! The forms of ids: which are CVEs, how those are packed, and the page where people can read a record.

/// Year that packed CVE ids count from. The first CVE ids are of 1999.
const FIRST_YEAR: u32 = 1990;

/// Whether a text is a CVE id.
pub(crate) fn is_cve(text: &str) -> bool {
    pack(text).is_some()
        || text.strip_prefix("CVE-").is_some_and(|rest| {
            let digits = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
            rest.len() <= 40
                && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
                && rest.split_once('-').is_some_and(|(year, number)| digits(year) && digits(number))
        })
}

/// The CVE that an id is or stands for: `UBUNTU-CVE-2024-1`, `DEBIAN-CVE-…` and `ALPINE-CVE-…` are a
/// distribution's names of it.
pub(crate) fn named_cve(id: &str) -> Option<&str> {
    if is_cve(id) {
        return Some(id);
    }
    let (prefix, _) = id.split_once("-CVE-")?;
    let of_feed = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !prefix.is_empty();
    id.get(prefix.len() + 1..).filter(|cve| of_feed && is_cve(cve))
}

/// A CVE id in four bytes: year and number. None for one that would not come back the same.
pub(crate) fn pack(text: &str) -> Option<u32> {
    let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let sound = year.len() == 4
        && plain(year)
        && plain(number)
        && (number.len() == 4 || (number.len() > 4 && !number.starts_with('0')));
    if !sound {
        return None;
    }
    let year = year.parse::<u32>().ok()?.checked_sub(FIRST_YEAR).filter(|year| *year < 128)?;
    let number = number.parse::<u32>().ok().filter(|number| *number < 1 << 24)?;
    Some(year << 24 | number)
}

/// The CVE id that was packed.
pub(crate) fn unpack(packed: u32) -> String {
    format!("CVE-{}-{:04}", (packed >> 24) + FIRST_YEAR, packed & 0xff_ffff)
}

/// The page about a record, where its id tells.
pub(crate) fn page(id: &str) -> Option<String> {
    let (prefix, _) = id.split_once('-')?;
    Some(match prefix {
        "DSA" | "DLA" | "DTSA" => format!("https://security-tracker.debian.org/tracker/{id}"),
        "DEBIAN" => {
            format!("https://security-tracker.debian.org/tracker/{}", id.strip_prefix("DEBIAN-")?)
        }
        "USN" | "LSN" => format!("https://ubuntu.com/security/notices/{id}"),
        "UBUNTU" => format!("https://ubuntu.com/security/{}", id.strip_prefix("UBUNTU-")?),
        "ALPINE" => {
            format!("https://security.alpinelinux.org/vuln/{}", id.strip_prefix("ALPINE-")?)
        }
        "GHSA" => format!("https://github.com/advisories/{id}"),
        "GO" => format!("https://pkg.go.dev/vuln/{id}"),
        "RUSTSEC" => format!("https://rustsec.org/advisories/{id}.html"),
        "CVE" => format!("https://nvd.nist.gov/vuln/detail/{id}"),
        "RLSA" => format!("https://errata.rockylinux.org/{id}"),
        "RHSA" => format!("https://access.redhat.com/errata/{id}"),
        "MAL" | "PYSEC" | "BIT" | "SUSE" | "openSUSE" => {
            format!("https://osv.dev/vulnerability/{id}")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_ids_come_back_the_same() {
        for id in ["CVE-1999-0001", "CVE-2021-44228", "CVE-2024-1000000"] {
            assert_eq!(unpack(pack(id).unwrap()), id);
        }
        for id in [
            "CVE-2021-00044228",
            "CVE-21-1",
            "CVE-2021-",
            "CVE-2021-+123",
            "GHSA-x",
            "CVE-2021-99999999",
        ] {
            assert_eq!(pack(id), None, "{id}");
        }
    }
}
