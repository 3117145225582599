//! The database of xbps, whole and damaged.

use super::*;
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const PATH: &str = "var/db/xbps/pkgdb-0.38.plist";
const PLIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- a <dict> in a comment -->
<plist version="1.0">
<dict>
	<key>_XBPS_ALTERNATIVES_</key>
	<dict><key>sh</key><array><string>dash</string></array></dict>
	<key>libssl3</key>
	<dict>
		<key>architecture</key>
		<string>x86_64</string>
		<key>automatic-install</key>
		<true/>
		<key>installed_size</key>
		<integer>0x1</integer>
		<key>license</key>
		<string>Apache-2.0</string>
		<key>pkgver</key>
		<string>libssl3-3.3.2_1</string>
		<key>run_depends</key>
		<array>
			<string>pkgver-9_9</string>
		</array>
		<key>source-revisions</key>
		<string>openssl:abcdef</string>
		<key>state</key>
		<string>installed</string>
	</dict>
	<key>base-files</key>
	<dict>
		<key>pkgver</key>
		<string>base-files-0.145_1</string>
	</dict>
	<key>broken</key>
	<dict>
		<key>state</key>
		<string>installed &amp; well</string>
	</dict>
</dict>
</plist>
"#;

fn resolve(text: &str) -> Resolution {
    Layers::default().distribution("void", "").layer().file(PATH, text).resolve(&Xbps)
}

#[test]
fn each_dictionary_is_a_package() {
    let out = resolve(PLIST);
    let purls: Vec<String> = out.packages.iter().map(|one| one.package.purl.to_string()).collect();
    assert_eq!(
        purls,
        [
            "pkg:xbps/void/libssl3@3.3.2_1?arch=x86_64&distro=void",
            "pkg:xbps/void/base-files@0.145_1?distro=void"
        ]
    );
    assert_eq!(out.packages[0].package.source.as_ref().unwrap().name, "openssl");
    assert_eq!(out.packages[0].package.licences, ["Apache-2.0"]);
    assert_eq!(out.problems[0].reason, "1 packages have no valid name or version");
}

#[test]
fn a_database_that_is_cut_or_none_is_a_problem() {
    let cut = PLIST.split("<key>broken").next().unwrap();
    let out = resolve(cut);
    assert_eq!(out.packages.len(), 2);
    assert_eq!(out.problems[0].reason, "is damaged: it is cut short; packages may be missing");
    let deep = format!("<plist>{}", "<dict>".repeat(100));
    for text in ["", "x", "<dict/>", "<plist><dict>", "<plist></dict>", "<a", &deep] {
        assert!(read_file(&Xbps, PATH, text.as_bytes()).is_err(), "{text}");
    }
    assert!(read_file(&Xbps, PATH, b"bplist00\xff").is_err());
    assert_eq!(read_file(&Xbps, "var/db/xbps/.a-files.plist", b"x").unwrap(), None);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(bytes: Vec<u8>, text in "(<plist>|</plist>|<dict>|</dict>|<array>|</array>|<key>|</key>|<string>|a-1|<!--|&amp;|<|>){0,60}") {
        let _ = read(&text);
        let _ = read(&String::from_utf8_lossy(&bytes));
    }
}
