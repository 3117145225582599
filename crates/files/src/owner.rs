//! Who may have written a file or folder.

use rustix::fs::{FileType, Stat};
use std::fmt;
use std::os::fd::AsFd;

/// The most bytes of `/etc/group` that are read.
const GROUPS: u64 = 1 << 20;

/// Why a file or folder is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It belongs to this user, who is neither we nor root.
    Owner(u32),
    /// Its group may write it.
    Group,
    /// Everybody may write it.
    Others,
}

impl Distrust {
    /// What to do about it.
    pub(crate) const fn mend(self) -> &'static str {
        match self {
            Self::Owner(_) => "take a copy of your own (`chown`)",
            Self::Group | Self::Others => "take that away (`chmod g-w,o-w`)",
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "belongs to another user ({owner})"),
            Self::Group => write!(f, "may be written by its group"),
            Self::Others => write!(f, "may be written by everybody"),
        }
    }
}

/// What the kernel shows for users that have no number in our user namespace: there the folders of
/// the machine's root belong to it. Source: user_namespaces(7), "Unmapped user and group IDs".
const UNMAPPED: u32 = 65534;

/// Whether a user stands for those who have no number here. Where all users have one, it is somebody.
pub(crate) fn is_unmapped(user: u32) -> bool {
    let all = |map: String| map.split_whitespace().eq(["0", "0", "4294967295"]);
    user == UNMAPPED && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !all(map))
}

/// Why an open file or folder is not believed, if anybody but us and root may have written it.
///
/// A folder with the sticky bit (`/tmp`) is believed as a place: others may add to it, but neither
/// remove nor replace what is ours.
///
/// # Errors
/// Where it cannot be asked.
pub fn distrust(file: impl AsFd) -> std::io::Result<Option<Distrust>> {
    Ok(of(&rustix::fs::fstat(file)?))
}

/// Whether this user is we or root: whose links are followed and whose files are believed.
pub(crate) fn is_ours(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

/// Whether a file with this owner, group and mode may be written by somebody else.
#[must_use]
pub fn may_write(owner: u32, group: u32, mode: u32) -> Option<Distrust> {
    if !is_ours(owner) {
        return Some(Distrust::Owner(owner));
    }
    if mode & 0o002 != 0 {
        return Some(Distrust::Others);
    }
    (mode & 0o020 != 0 && !is_private(group)).then_some(Distrust::Group)
}

fn of(stat: &Stat) -> Option<Distrust> {
    let mode = stat.st_mode;
    let sticky = FileType::from_raw_mode(mode) == FileType::Directory && mode & 0o1000 != 0;
    // Who owns a folder may do what they like in it, sticky or not.
    let mode = if sticky { mode & !0o022 } else { mode };
    may_write(stat.st_uid, stat.st_gid, mode)
}

/// Whether a group is a user's own: of the same number and name, with no other member. Many
/// distributions give each user such a group, and let it write all that the user makes.
fn is_private(group: u32) -> bool {
    let user = rustix::process::geteuid().as_raw();
    if user == 0 || group != user || rustix::process::getegid().as_raw() != group {
        return false;
    }
    let read = |path| crate::read(std::path::Path::new(path), GROUPS).unwrap_or_default();
    let (groups, users) = (read("/etc/group"), read("/etc/passwd"));
    has_no_other_member(
        &String::from_utf8_lossy(&groups),
        &String::from_utf8_lossy(&users),
        group,
        user,
    )
}

/// Source: `group(5)` and `passwd(5)`.
fn has_no_other_member(groups: &str, users: &str, group: u32, user: u32) -> bool {
    let line = |line: &str| {
        let mut fields = line.split(':').map(str::to_owned);
        let name = fields.next()?;
        let numbers: Vec<String> = fields.collect();
        Some((name, numbers))
    };
    let (group, user) = (group.to_string(), user.to_string());
    let of_user = users.lines().filter_map(line).find(|(_, rest)| rest.get(1) == Some(&user));
    let Some((user_name, _)) = of_user else { return false };
    let of_group = groups.lines().filter_map(line).find(|(_, rest)| rest.get(1) == Some(&group));
    let Some((group_name, rest)) = of_group else { return false };
    let members = rest.get(2).map_or("", String::as_str);
    let by_member = members.split(',').all(|name| name.is_empty() || name == user_name);
    // Who has it as primary group is no listed member.
    let by_primary = users
        .lines()
        .filter_map(line)
        .filter(|(_, rest)| rest.get(2) == Some(&group))
        .all(|(name, _)| name == user_name);
    group_name == user_name && by_member && by_primary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_write_is_not_believed() {
        let own = rustix::process::geteuid().as_raw();
        assert_eq!(may_write(own, 4_000_000, 0o100_644), None);
        assert_eq!(may_write(0, 0, 0o100_644), None);
        assert_eq!(may_write(own, 4_000_000, 0o100_664), Some(Distrust::Group));
        assert_eq!(may_write(own, 4_000_000, 0o100_646), Some(Distrust::Others));
        assert_eq!(may_write(4_000_000, 0, 0o100_600), Some(Distrust::Owner(4_000_000)));
    }

    #[test]
    fn a_group_is_private_only_without_other_members() {
        let users = "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
        let more = format!("{users}bob:x:1001:1000::/home/bob:/bin/sh\n");
        assert!(has_no_other_member("ada:x:1000:\n", users, 1000, 1000));
        assert!(has_no_other_member("ada:x:1000:ada\n", users, 1000, 1000));
        assert!(!has_no_other_member("ada:x:1000:bob\n", users, 1000, 1000));
        assert!(!has_no_other_member("staff:x:1000:\n", users, 1000, 1000));
        assert!(!has_no_other_member("ada:x:1000:\n", &more, 1000, 1000));
        assert!(!has_no_other_member("", "", 1000, 1000));
    }
}
