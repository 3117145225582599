//! Inputs of every check, for [`crate::fact_tests`]: small, made here, and never changed but by adding.
//!
//! A check of declarations has the files of `lockfile/cases/`, a new one those that its list entry names;
//! those that are packed, or were there before, have an arm here.

use crate::Cataloger;
use crate::binary::fixture::elf;
use std::path::Path;

/// The samples of a cataloger: paths and contents.
pub(crate) fn samples(cataloger: &Cataloger) -> Vec<(String, Vec<u8>)> {
    let own = cataloger.samples.iter();
    let own: Vec<(String, Vec<u8>)> =
        own.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    if own.is_empty() { by_id(cataloger.check.id()) } else { own }
}

fn by_id(id: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/cases").join(id);
    if folder.is_dir() {
        return cases(&folder);
    }
    let own: Vec<(&str, Vec<u8>)> = match id {
        "chisel" => {
            vec![("var/lib/chisel/manifest.wall", zstd::encode_all(WALL.as_bytes(), 3).unwrap())]
        }
        "elf-notes" => vec![("usr/bin/hello", elf(&note(NOTE), b"text", b"data").0)],
        "go" => vec![("usr/bin/app", elf(b"", b"text", &go()).0)],
        "java" => vec![("app/demo.jar", jar())],
        "rpm" => crate::rpm::fixtures::samples().to_vec(),
        "rust" => vec![("usr/bin/app", elf(b"", &rust(), b"data").0)],
        other => {
            texts(other).iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect()
        }
    };
    own.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect()
}

/// `CASE/FILE` of a folder, each as a file of a source tree.
fn cases(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let list = |folder: &Path| {
        let mut all: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    };
    let files = list(folder).into_iter().filter(|case| case.is_dir()).flat_map(|case| {
        let mut files = Vec::new();
        gather(&case, &case, &mut files);
        files
    });
    files.collect()
}

fn gather(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            gather(root, &entry, files);
        } else {
            let name = entry.strip_prefix(root.parent().unwrap()).unwrap();
            files.push((name.to_str().unwrap().to_owned(), std::fs::read(&entry).unwrap()));
        }
    }
}

/// A manifest of chisel.
const WALL: &str = r#"{"jsonwall":"1.0","schema":"1.0","count":4}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.3","sha256":"00","arch":"amd64"}
{"kind":"path","path":"/usr/lib/libc.so.6","mode":"0644","slices":["libc6_libs"],"size":1}
{"kind":"slice","name":"libc6_libs"}
"#;

/// Checks whose inputs are texts.
fn texts(id: &str) -> &'static [(&'static str, &'static str)] {
    match id {
        "apk" => &[(
            "lib/apk/db/installed",
            "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\n\
             o:busybox\nF:bin\nR:busybox\nZ:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n\n",
        )],
        "apt" => &[
            ("etc/apt/sources.list", "deb https://a.test/debian bookworm main\n"),
            ("etc/apt/sources.list.d/own.sources", "Types: deb\nURIs: https://b.test\nSuites: x\n"),
        ],
        "bottlerocket" => &[(
            "usr/share/bottlerocket/application-inventory.json",
            r#"{"Content":[{"Name":"shim","Version":"15.8","Release":"1","Architecture":"x86_64"}]}"#,
        )],
        "conda" => &[(
            "opt/conda/conda-meta/numpy-1.26.4-py312_0.json",
            r#"{"name":"numpy","version":"1.26.4","build":"py312_0","license":"BSD-3-Clause",
            "channel":"https://c.test/main/linux-64","files":["lib/numpy/__init__.py"]}"#,
        )],
        "dotnet" => &[(
            "app/Shop.deps.json",
            r#"{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},"targets":{".NETCoreApp,Version=v8.0":
            {"A.B/1.2.0":{"runtime":{"lib/A.B.dll":{}}}}},"libraries":{"A.B/1.2.0":{"type":"package"}}}"#,
        )],
        "dpkg" => &[
            (
                "var/lib/dpkg/status",
                "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n\
                 Source: glibc (2.36-9)\nVersion: 2.36-9+deb12u4\nDescription: x\n\n",
            ),
            ("var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n/lib/libc.so.6\n"),
            (
                "var/lib/dpkg/info/libc6:amd64.md5sums",
                "d41d8cd98f00b204e9800998ecf8427e  lib/libc.so.6\n",
            ),
            ("usr/share/doc/libc6/copyright", "See /usr/share/common-licenses/LGPL-2.1.\n"),
        ],
        "haskell" => &[(
            "usr/lib/ghc/lib/package.conf.d/aeson-2.1.2.1.conf",
            "name: aeson\nversion: 2.1.2.1\nid: aeson-2.1.2.1-AbC\nlicense: BSD-3-Clause\n",
        )],
        "homebrew" => {
            &[("home/linuxbrew/.linuxbrew/Cellar/openssl@3/3.3.2_1/INSTALL_RECEIPT.json", "{}")]
        }
        "javascript" => &[(
            "app/node_modules/@s/a/package.json",
            r#"{"name":"@s/a","version":"1.0.0","license":"MIT"}"#,
        )],
        "luarocks" => &[(
            "usr/local/lib/luarocks/rocks-5.4/luasocket/3.1.0-1/luasocket-3.1.0-1.rockspec",
            "package = \"LuaSocket\"\nversion = \"3.1.0-1\"\ndescription = {\n   license = \"MIT\"\n}\n",
        )],
        "manifests" => {
            &[("web/package.json", r#"{"name":"web","dependencies":{"lodash":"^4.17.20"}}"#)]
        }
        "nix" => &[(
            "nix/store/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-openssl-3.0.13/lib/libssl.so.3",
            "\x7fELF",
        )],
        "opam" => &[(
            "root/.opam/5.1/.opam-switch/packages/cohttp.5.3.1/opam",
            "opam-version: \"2.0\"\nname: \"cohttp\"\nversion: \"5.3.1\"\nlicense: \"ISC\"\n",
        )],
        "opkg" => &[(
            "usr/lib/opkg/status",
            "Package: busybox\nVersion: 1.36.1-1\nStatus: install user installed\n\
             Architecture: x86_64\n\n",
        )],
        "os-release" => &[(
            "usr/lib/os-release",
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n\
             VERSION_CODENAME=bookworm\nID=debian\n",
        )],
        "pacman" => &[
            (
                "var/lib/pacman/local/libxml2-1:2.13.5-2/desc",
                "%NAME%\nlibxml2\n\n%VERSION%\n1:2.13.5-2\n\n%BASE%\nlibxml2\n\n%ARCH%\nx86_64\n\n\
                 %LICENSE%\nMIT\n\n",
            ),
            (
                "var/lib/pacman/local/libxml2-1:2.13.5-2/files",
                "%FILES%\netc/\netc/xml.conf\n\n%BACKUP%\netc/xml.conf\td41d8cd98f00b204e9800998ecf8427e\n\n",
            ),
        ],
        "php" => &[(
            "app/vendor/composer/installed.json",
            r#"{"packages":[{"name":"acme/a","version":"1.2.3","license":["MIT"]}],"dev":false}"#,
        )],
        "portage" => &[
            ("var/db/pkg/dev-libs/openssl-3.0.13-r2/PF", "openssl-3.0.13-r2\n"),
            (
                "var/db/pkg/dev-libs/openssl-3.0.13-r2/CONTENTS",
                "dir /usr\nobj /usr/bin/openssl d41d8cd98f00b204e9800998ecf8427e 1700000000\n",
            ),
        ],
        "slackware" => &[(
            "var/lib/pkgtools/packages/openssl-1.1.1w-x86_64-1_slack15.0",
            "PACKAGE NAME:     openssl-1.1.1w-x86_64-1_slack15.0\nFILE LIST:\n./\nusr/bin/openssl\n",
        )],
        "snap" => &[(
            "snap/core22/1621/meta/snap.yaml",
            "name: core22\nversion: '20240904'\nlicense: MIT\n",
        )],
        "unread" => &[("usr/share/clear/bundles/os-core", "")],
        "xbps" => &[(
            "var/db/xbps/pkgdb-0.38.plist",
            "<plist version=\"1.0\"><dict><key>zlib</key><dict><key>pkgver</key>\
             <string>zlib-1.3.1_1</string><key>state</key><string>installed</string></dict></dict></plist>",
        )],
        "programs" => &[(
            "usr/sbin/turnserver",
            "\x7fELF\x02\x01\x01\0TURN Server\0Coturn-4.6.1 'Gorst'\0 HTTP/\0",
        )],
        "python" => &[
            (
                "usr/lib/python3/site-packages/Foo.Bar-1.2.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.2\nLicense: MIT\n",
            ),
            ("usr/lib/python3/site-packages/Foo.Bar-1.2.dist-info/RECORD", "foo/__init__.py,,\n"),
        ],
        "r" => &[(
            "usr/local/lib/R/site-library/markdown/DESCRIPTION",
            "Package: markdown\nVersion: 1.12\nLicense: MIT\nRepository: CRAN\nBuilt: R 4.3.1; ; ; unix\n",
        )],
        "ruby" => &[(
            "usr/lib/ruby/gems/3.1.0/specifications/rack-2.0.1.gemspec",
            "# stub: rack 2.0.1 ruby lib\n\nGem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  \
             s.version = \"2.0.1\"\n  s.licenses = [\"MIT\".freeze]\nend\n",
        )],
        "wordpress" => &[
            ("var/www/html/wp-includes/version.php", "<?php\n$wp_version = '6.4.3';\n"),
            (
                "var/www/html/wp-content/plugins/akismet/akismet.php",
                "<?php\n/*\nPlugin Name: Akismet\nVersion: 5.3.1\nLicense: GPLv2+\n*/\n",
            ),
        ],
        _ => &[],
    }
}

const NOTE: &str = r#"{"type":"rpm","name":"hello","version":"2.12-1.fc39","architecture":"x86_64","osCpe":"cpe:/o:fedoraproject:fedora:39"}"#;

/// A package note as linkers write it. Source: systemd, "Package Metadata for Executable Files".
fn note(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let length = u32::try_from(text.len() + 1).unwrap();
    for number in [4, length, 0xcafe_1a7e] {
        out.extend(u32::to_le_bytes(number));
    }
    out.extend(b"FDO\0");
    out.extend(text.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// The build information of a program of Go 1.18 or later, in its data.
fn go() -> Vec<u8> {
    let text = "path\tx.test/app\nmod\tx.test/app\t(devel)\t\ndep\tx.test/b\tv1.2.3\th1:a=\n";
    let framed = [
        b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6".as_slice(),
        text.as_bytes(),
        b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2",
    ];
    let framed = framed.concat();
    let mut data = b"\xff Go buildinf:\x08\x02".to_vec();
    data.extend([0; 16]);
    data.push(8);
    data.extend(b"go1.21.3");
    assert!(framed.len() < 128, "one byte of length");
    data.push(u8::try_from(framed.len()).unwrap());
    data.extend(framed);
    data.extend([0; 100]);
    data
}

/// What `cargo auditable` puts into a program: `{"packages":[{"name":"serde","version":"1.0.1",
/// "source":"crates.io"}]}`, packed once, since packers change.
fn rust() -> Vec<u8> {
    let packed =
        b"\x78\xda\xab\x56\x2a\x48\x4c\xce\x4e\x4c\x4f\x2d\x56\xb2\x8a\xae\x56\xca\x4b\xcc\
        \x4d\x55\xb2\x52\x2a\x4e\x2d\x4a\x49\x55\xd2\x51\x2a\x4b\x2d\x2a\xce\xcc\xcf\x03\
        \x8a\x18\xea\x19\xe8\x19\x02\x45\x8a\xf3\x4b\x8b\x92\x41\x4a\x92\x8b\x12\x4b\x52\
        \x8b\xf5\x32\xf3\x95\x6a\x63\x6b\x01\x2c\x27\x16\xc5";
    [b"code".as_slice(), packed, &[3; 700]].concat()
}

/// A jar of one stored file. Source: APPNOTE.TXT, 4.3.
fn jar() -> Vec<u8> {
    let name = b"META-INF/maven/org.test/demo/pom.properties";
    let content = b"groupId=org.test\nartifactId=demo\nversion=1.2.3\n";
    let mut sum = flate2::Crc::new();
    sum.update(content);
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let common = [
        b"\x14\0\0\0\0\0\0\0\0\0".as_slice(),
        &sum.sum().to_le_bytes(),
        &length,
        &length,
        &u16::try_from(name.len()).unwrap().to_le_bytes(),
        b"\0\0",
    ];
    let common = common.concat();
    let local = [b"PK\x03\x04".as_slice(), &common, name, content].concat();
    let central =
        [b"PK\x01\x02\x14\0".as_slice(), &common, b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0", name].concat();
    let end = [
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(),
        &u32::try_from(central.len()).unwrap().to_le_bytes(),
        &u32::try_from(local.len()).unwrap().to_le_bytes(),
        b"\0\0",
    ];
    [local, central, end.concat()].concat()
}
