//! Finds the folders of a container's overlay file system in its `/proc/PID/mountinfo`.
//!
//! What the kernel says is mounted holds for every engine, also for one whose store is not known.
//! Sources: proc_pid_mountinfo(5) for the fields and their octal escapes; the kernel's
//! `Documentation/filesystems/overlayfs.rst` for the options, whose colons are escaped.

use crate::layers::{FolderRole, LayerFolder};
use crate::limits;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The folders of an overlay mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// Lower folders, topmost first, as the kernel lists them.
    pub lower: Vec<PathBuf>,
    /// The writable one.
    pub upper: Option<PathBuf>,
}

/// The overlay mounted at the root of what `mountinfo` describes; the reason where there is none.
///
/// # Errors
/// Where the root is not an overlay.
pub fn root_overlay(mountinfo: &str) -> Result<Overlay, String> {
    // Of several mounts on one point, the last one is what is seen.
    let root = mountinfo.lines().filter_map(mount).rfind(|mount| mount.point == "/");
    match root {
        None => Err("nothing is mounted at its root".to_owned()),
        Some(mount) if mount.kind != "overlay" => {
            let kind: String = mount.kind.chars().filter(|letter| !letter.is_control()).collect();
            Err(format!("its root is of type `{kind}`, and only overlay is supported"))
        }
        Some(mount) => overlay(mount.options),
    }
}

struct Mount<'line> {
    point: String,
    kind: &'line str,
    options: &'line str,
}

fn mount(line: &str) -> Option<Mount<'_>> {
    // Fields from the seventh on are optional, up to one that is a lone dash.
    let (before, behind) = line.split_once(" - ")?;
    let point = unescape(before.split(' ').nth(4)?);
    let mut behind = behind.split(' ');
    let kind = behind.next()?;
    let _source = behind.next()?;
    Some(Mount { point, kind, options: behind.next()? })
}

/// `\040` and the like.
fn unescape(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = |byte: &u8| (b'0'..=b'7').contains(byte).then(|| u32::from(byte - b'0'));
        let escaped = match after {
            [a, b, c, ..] if *first == b'\\' => octal(a)
                .zip(octal(b))
                .zip(octal(c))
                .and_then(|((a, b), c)| u8::try_from(a * 64 + b * 8 + c).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn overlay(options: &str) -> Result<Overlay, String> {
    let mut overlay = Overlay::default();
    for option in split_unescaped(options, ',') {
        let Some((key, value)) = option.split_once('=') else { continue };
        let value = unescape(value);
        match key {
            "lowerdir" => {
                let folders = split_unescaped(&value, ':');
                // `::` divides folders that hold data only; they are no layer.
                let layers = folders.iter().take_while(|folder| !folder.is_empty());
                overlay.lower.extend(layers.map(|folder| plain(folder)));
            }
            "lowerdir+" => overlay.lower.push(plain(&value)),
            "upperdir" => overlay.upper = Some(plain(&value)),
            _ => {}
        }
        if overlay.lower.len() > limits::LAYERS {
            return Err(format!("it has more than {} layers", limits::LAYERS));
        }
    }
    if overlay.lower.is_empty() {
        return Err("its overlay names no lower folder".to_owned());
    }
    overlay.resolve()?;
    Ok(overlay)
}

impl Overlay {
    /// Engines with many layers mount by paths relative to the folder that holds all of them, which
    /// is two above a writable folder that is named in full.
    fn resolve(&mut self) -> Result<(), String> {
        let base = self
            .upper
            .as_deref()
            .filter(|upper| upper.is_absolute())
            .and_then(|upper| Some(upper.parent()?.parent()?.to_owned()));
        let relative = |path: &Path| !path.is_absolute();
        if self.upper.as_deref().is_some_and(relative) {
            return Err("its overlay is mounted by relative paths; ask its engine".to_owned());
        }
        for lower in self.lower.iter_mut().filter(|lower| relative(lower)) {
            let base = base.as_ref().ok_or("its overlay is mounted by relative paths")?;
            *lower = base.join(&*lower);
        }
        Ok(())
    }

    /// The folders bottom first, with what each of them is. Docker's own layer between image and
    /// container is told by its name.
    #[must_use]
    pub fn folders(&self) -> Vec<LayerFolder> {
        let mut folders = Vec::with_capacity(self.lower.len() + 1);
        let mut index = 0_u32;
        for path in self.lower.iter().rev() {
            // `l/SHORT` is Docker's link to the folder; where it cannot be followed it is as good.
            let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            let role = if is_init(&path) {
                FolderRole::EngineInit
            } else {
                index += 1;
                FolderRole::Image { index: index - 1, diff_id: None }
            };
            folders.push(LayerFolder { path, role, tar_split: None });
        }
        folders.extend(self.upper.iter().map(|path| LayerFolder {
            path: path.clone(),
            role: FolderRole::Written,
            tar_split: None,
        }));
        folders
    }
}

/// `…/<id>-init/diff`
pub(crate) fn is_init(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "diff")
        && path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.ends_with("-init"))
}

/// Divides at a character, unless a backslash stands before it.
fn split_unescaped(text: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begins, mut escaped) = (0, false);
    for (place, letter) in text.char_indices() {
        if letter == at && !escaped {
            parts.push(text.get(begins..place).unwrap_or_default());
            begins = place + letter.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    parts.push(text.get(begins..).unwrap_or_default());
    parts
}

fn plain(escaped: &str) -> PathBuf {
    let mut text = String::with_capacity(escaped.len());
    let mut letters = escaped.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.extend(letters.next()),
            letter => text.push(letter),
        }
    }
    PathBuf::from(text)
}

/// The folders of the root of a running process.
///
/// # Errors
/// One line: why they cannot be told.
pub fn folders_of(pid: u32) -> Result<Vec<LayerFolder>, String> {
    let path = format!("/proc/{pid}/mountinfo");
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("its process {pid} has ended"),
        _ => format!("cannot read `{path}`: {error}"),
    };
    let file = std::fs::File::open(&path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(limits::MOUNTINFO_BYTES).read_to_end(&mut bytes).map_err(cannot)?;
    root_overlay(&String::from_utf8_lossy(&bytes)).map(|overlay| overlay.folders())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCKER: &str = "72 48 0:39 / / rw,relatime master:2 - overlay overlay rw,lowerdir=/d/o/l/AB:/d/o/l/CD,upperdir=/d/o/30/diff,workdir=/d/o/30/work\n73 72 0:42 / /proc rw - proc proc rw\n";

    #[test]
    fn folders_come_bottom_first() {
        let overlay = root_overlay(DOCKER).unwrap();
        assert_eq!(overlay.lower, [PathBuf::from("/d/o/l/AB"), PathBuf::from("/d/o/l/CD")]);
        let folders = overlay.folders();
        let paths: Vec<_> = folders.iter().map(|folder| folder.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/d/o/l/CD", "/d/o/l/AB", "/d/o/30/diff"]);
        assert_eq!(folders[0].role, FolderRole::Image { index: 0, diff_id: None });
        assert_eq!(folders[2].role, FolderRole::Written);
    }

    #[test]
    fn escapes_relative_paths_and_new_options_are_understood() {
        let line = |options| format!("1 0 0:1 / / rw - overlay overlay rw,{options}\n");
        let of = |options| root_overlay(&line(options)).unwrap();
        let relative =
            of("lowerdir=2/fs:1/fs,upperdir=/c/snapshots/3/fs,workdir=/c/snapshots/3/work");
        assert_eq!(relative.lower[1], PathBuf::from("/c/snapshots/1/fs"));
        let escaped = of(r"lowerdir=/a\134:b:/c\040d\134\054e::/data,upperdir=/u");
        assert_eq!(escaped.lower, [PathBuf::from("/a:b"), PathBuf::from("/c d,e")]);
        let appended = of("lowerdir+=/b,lowerdir+=/a,datadir+=/x,upperdir=/u");
        assert_eq!(appended.lower, [PathBuf::from("/b"), PathBuf::from("/a")]);
        let init = of("lowerdir=/o/1-init/diff:/o/2/diff,upperdir=/o/1/diff").folders();
        assert_eq!(init[1].role, FolderRole::EngineInit);
    }

    #[test]
    fn a_root_that_is_no_overlay_is_named() {
        let reason = root_overlay("1 0 8:1 / / rw - ext4 /dev/sda rw\n").unwrap_err();
        assert!(reason.contains("`ext4`"), "{reason}");
        assert!(root_overlay("").is_err());
        assert!(root_overlay("1 0 0:1 / / rw - overlay overlay rw\n").is_err());
        assert!(root_overlay("1 0 0:1 / / rw - overlay o lowerdir=l/A,upperdir=x/diff\n").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"[ -~\n]{0,200}", options in r"[a-z=/:,\\+]{0,60}") {
            let _ = root_overlay(&text);
            let line = format!("1 0 0:1 / / rw - overlay overlay rw,lowerdir=/a,{options}\n");
            if let Ok(overlay) = root_overlay(&line) {
                prop_assert!(overlay.lower.iter().all(|lower| lower.is_absolute()));
            }
        }
    }
}
