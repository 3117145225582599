use super::*;
use crate::binary::fixture::{BASE, READ_ONLY, elf};
use crate::language::testing::{purls, read_in_pieces, resolve};
use proptest::prelude::*;

const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
const NOTE: &[u8] = b"\x04\0\0\0\x04\0\0\0\x04\0\0\0Go\0\0abcd";
const TEXT: &str = "path\tx.org/app/cmd\nmod\tx.org/app\t(devel)\t\n\
    dep\tgithub.com/Foo/bar\tv1.2.3\th1:a=\ndep\told.org/a\tv0.1.0\n=>\tnew.org/a/v2\tv2.0.0\th1:b=\n\
    dep\tlocal.org/b\tv1.0.0\n=>\t./b\t(devel)\t\nbuild\tGOOS=linux\n";

fn framed(text: &str) -> Vec<u8> {
    [START, text.as_bytes(), END].concat()
}

fn varint(length: usize) -> Vec<u8> {
    let byte = |value: usize| u8::try_from(value).unwrap();
    if length < 128 {
        vec![byte(length)]
    } else {
        vec![byte(length & 0x7f) | 0x80, byte(length >> 7)]
    }
}

/// The data segment of a program of Go 1.18 or later.
fn inline(version: &str, text: &str) -> Vec<u8> {
    let mut data = vec![7; 48];
    data.extend(b"\xff Go buildinf:\x08\x02");
    data.extend([0; 16]);
    data.extend(varint(version.len()));
    data.extend(version.as_bytes());
    let text = framed(text);
    data.extend(varint(text.len()));
    data.extend(text);
    data.extend([0; 100]);
    data
}

/// A program of Go 1.17 or before: texts in read-only data, headers behind the blob.
fn old(version: &str, text: &str) -> Vec<u8> {
    let read_only =
        [b"xgo1.9go1.5".as_slice(), version.as_bytes(), &framed(text), b"tail"].concat();
    let (_, start) = elf(NOTE, &read_only, b"");
    let address = |offset: usize| (BASE + offset as u64).to_le_bytes();
    let header = start + 200;
    let mut data = Vec::new();
    data.extend(b"\xff Go buildinf:\x08\x00");
    data.extend(address(header));
    data.extend(address(header + 16));
    data.resize(200, 0);
    data.extend(address(READ_ONLY + 11));
    data.extend((version.len() as u64).to_le_bytes());
    data.extend(address(READ_ONLY + 11 + version.len()));
    data.extend((framed(text).len() as u64).to_le_bytes());
    elf(NOTE, &read_only, &data).0
}

const EXPECTED: [&str; 5] = [
    "pkg:golang/github.com/Foo/bar@v1.2.3",
    "pkg:golang/local.org/b",
    "pkg:golang/new.org/a/v2@v2.0.0",
    "pkg:golang/stdlib@1.21.3",
    "pkg:golang/x.org/app",
];

#[test]
fn modules_replacements_and_the_standard_library_are_packages() {
    let (bytes, _) = elf(b"", b"text", &inline("go1.21.3", TEXT));
    let resolution = resolve(&Go, &[("opt/app", &bytes)]);
    assert_eq!(purls(&resolution), EXPECTED);
    let bar = resolution.packages.iter().find(|one| one.package.name == "github.com/Foo/bar");
    assert_eq!(bar.unwrap().package.version, "1.2.3");
    assert!(resolution.problems.is_empty());
}

#[test]
fn programs_before_go_1_18_are_read_through_their_pointers() {
    assert_eq!(purls(&resolve(&Go, &[("opt/app", &old("go1.21.3", TEXT))])), EXPECTED);
    let unreleased = purls(&resolve(&Go, &[("opt/app", &old("devel +abcdef", TEXT))]));
    assert_eq!(unreleased.len(), 5);
    assert!(unreleased.contains(&"pkg:golang/stdlib".to_owned()), "{unreleased:?}");
}

#[test]
fn the_size_of_pieces_makes_no_difference() {
    let long = format!("{TEXT}{}", "dep\tx.org/y\tv1.0.0\th1:x\n".repeat(300));
    for bytes in [elf(NOTE, &[1; 9000], &inline("go1.21.3", &long)).0, old("go1.17.1", &long)] {
        let whole = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, bytes.len()).unwrap().unwrap();
        for piece in [1, 2, 7, 31, 512, 4096, 8191] {
            let pieces = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, piece).unwrap();
            assert_eq!(pieces.as_ref(), Some(&whole), "{piece}");
        }
    }
}

#[test]
fn a_noted_program_where_a_distribution_puts_it_is_proved() {
    let (bytes, _) = elf(NOTE, b"text", &inline("go1.21.3", TEXT));
    let proof = |path: &str| resolve(&Go, &[(path, &bytes)]).packages[0].proof.clone();
    assert_eq!(proof("usr/bin/app"), crate::language::proof("usr/bin/app", &bytes).map(Box::new));
    assert!(proof("usr/bin/app").is_some());
    assert_eq!(proof("usr/local/bin/app"), None);
}

#[test]
fn programs_without_the_blob_and_false_blobs_are_of_no_concern() {
    let mut unaligned = vec![0; 5];
    unaligned.extend(inline("go1.21.3", TEXT));
    let magic = b"\xff Go buildinf:".as_slice();
    for data in
        [&b""[..], &unaligned, magic, &[magic, &[9; 100]].concat(), &[magic, &[0; 18]].concat()]
    {
        let (bytes, _) = elf(b"", b"text", data);
        assert_eq!(read_in_pieces(&Go, "bin/a", 0o755, &bytes, 4096).unwrap(), None);
        // With Go's note, it is known to be one of Go's, and nothing more.
        let silent = resolve(&Go, &[("bin/a", &elf(NOTE, b"text", data).0)]);
        assert_eq!(purls(&silent), ["pkg:golang/a", "pkg:golang/stdlib"]);
        assert!(silent.packages.iter().all(|one| one.package.version.is_empty()));
    }
    let mut after_false = [magic, &[9; 34]].concat();
    after_false.extend(inline("go1.21.3", TEXT));
    assert_eq!(purls(&resolve(&Go, &[("a", &elf(b"", b"", &after_false).0)])), EXPECTED);
}

fn main_module(read_only: &[u8], settings: &str) -> (String, Option<vocabulary::Confidence>) {
    let text = format!("path\tx.org/app/cmd\nmod\tx.org/app\t(devel)\t\n{settings}");
    // The variable lies at the end of the data and holds what begins at `READ_ONLY + 1`.
    let mut data = inline("go1.21.3", &text);
    data.extend((BASE + READ_ONLY as u64 + 1).to_le_bytes());
    data.extend(5_u64.to_le_bytes());
    let resolution = resolve(&Go, &[("opt/app", &elf(NOTE, read_only, &data).0)]);
    let own = resolution.packages.iter().find(|one| one.package.name == "x.org/app").unwrap();
    let confidence = own.package.identified.as_ref().map(|one| one.confidence);
    (own.package.purl.to_string(), confidence)
}

#[test]
fn the_main_module_takes_the_version_of_the_linkers_flags_or_of_its_data() {
    use vocabulary::Confidence::{High, Low};
    let flags = format!("build\t-ldflags=\"-X main.version=9.2.4 {}\"\n", "-s ".repeat(300));
    let told = main_module(b"text", &flags);
    assert_eq!(told, ("pkg:golang/x.org/app@v9.2.4".to_owned(), Some(High)));
    let trimmed = main_module(b"\x009.2.4\0text", "build\t-trimpath=true\n");
    assert_eq!(trimmed, ("pkg:golang/x.org/app@v9.2.4".to_owned(), Some(Low)));
    let other = main_module(b"\x009.2.4\0text", "build\t-ldflags=\"-s -w\"\n");
    assert_eq!(other, ("pkg:golang/x.org/app".to_owned(), None));
    let longer = main_module(b"\x009.2.44\0text", "build\t-trimpath=true\n");
    assert_eq!(longer, ("pkg:golang/x.org/app".to_owned(), None));
}

#[test]
fn a_program_that_names_no_modules_is_listed_without_a_version() {
    for (text, name) in [
        ("path\tgithub.com/a/b/cmd/tool\n", "pkg:golang/github.com/a/b/cmd/tool"),
        ("path\tcommand-line-arguments\n", "pkg:golang/app"),
        ("", "pkg:golang/app"),
    ] {
        let bytes = elf(NOTE, b"text", &inline("go1.21.3", text)).0;
        let resolution = resolve(&Go, &[("opt/app", &bytes)]);
        assert_eq!(purls(&resolution), [name, "pkg:golang/stdlib@1.21.3"], "{text}");
    }
    let tool = elf(NOTE, b"text", &inline("go1.21.3", "path\tcmd/gofmt\n")).0;
    assert_eq!(purls(&resolve(&Go, &[("go/bin/gofmt", &tool)])), ["pkg:golang/stdlib@1.21.3"]);
}

#[test]
fn a_program_that_upx_packed_is_a_problem() {
    let (mut bytes, _) = elf(NOTE, b"text", b"data");
    bytes[236..240].copy_from_slice(b"UPX!");
    let outcome = read_in_pieces(&Go, "opt/app", 0o755, &bytes, 4096);
    assert!(outcome.unwrap_err().to_string().contains("packed by UPX"));
}

#[test]
fn releases_become_semantic_versions() {
    for (text, expected) in [
        ("go1.21.3", Some("1.21.3")),
        ("go1.20", Some("1.20.0")),
        ("go1.22rc1", Some("1.22.0-rc.1")),
        ("go1.21.3 X:boringcrypto", Some("1.21.3")),
        ("go1.20.4-vendor", Some("1.20.4")),
        ("go1.21.3fips", Some("1.21.3")),
        ("devel go1.23-abc", None),
        ("go1.x", None),
        ("go", None),
    ] {
        assert_eq!(build_info::semantic(text).as_deref(), expected, "{text}");
    }
}

/// A table of functions as the linker writes it, in an order of bytes and a width of addresses.
fn table(magic: u32, big: bool, width: usize, names: &[&str]) -> Vec<u8> {
    let number = |value: usize, width: usize| -> Vec<u8> {
        let mut bytes = (value as u64).to_le_bytes()[..width].to_vec();
        if big {
            bytes.reverse();
        }
        bytes
    };
    let text: Vec<u8> = names.iter().flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect();
    let fields = if magic == 0xffff_fffa { 7 } else { 8 };
    let start = (8 + fields * width).next_multiple_of(32);
    let mut out = number(magic as usize, 4);
    out.extend([0, 0, 1, u8::try_from(width).unwrap()]);
    out.extend(number(names.len(), width));
    out.extend(number(3, width));
    if fields == 8 {
        out.extend(number(0x40_1000, width));
    }
    for back in 0..5 {
        out.extend(number(start + if back == 0 { 0 } else { text.len() }, width));
    }
    out.resize(start, 0);
    out.extend(text);
    out
}

const NAMES: [&str; 6] = [
    "go:buildid",
    "type:.eq.net/http.Header",
    "runtime.main",
    "main.main",
    "net/http.(*Client).Do",
    "gopkg.in/yaml%2ev2.Unmarshal",
];

/// The functions of a program whose table lies in read-only data.
fn functions(read_only: &[u8]) -> Option<vocabulary::Functions> {
    let bytes = elf(NOTE, read_only, &inline("go1.21.3", TEXT)).0;
    let resolution = resolve(&Go, &[("opt/app", &bytes)]);
    let package = &resolution.packages[0].package;
    resolution.programs.of(package).unwrap().functions.clone()
}

#[test]
fn functions_are_read_from_tables_of_every_release_and_machine() {
    for magic in [0xffff_fff1, 0xffff_fff0, 0xffff_fffa] {
        for (big, width) in [(false, 8), (false, 4), (true, 8), (true, 4)] {
            let functions = functions(&table(magic, big, width, &NAMES)).unwrap();
            for (package, function) in
                [("runtime", "main"), ("net/http", "Client.Do"), ("net/http", ""), ("main", "main")]
            {
                assert!(functions.hold(package, function), "{magic:x} {big} {width} {package}");
            }
            assert!(functions.hold("gopkg.in/yaml.v2", "Unmarshal"));
            assert!(!functions.hold("net/http", "Get") && !functions.hold("go", "buildid"));
            assert_eq!(functions.hashes().len(), 8);
        }
    }
}

#[test]
fn a_program_inside_a_program_hides_no_function() {
    let embedded = table(0xffff_fff1, false, 8, &["runtime.main", "other.f"]);
    let mut both = embedded;
    both.resize(both.len().next_multiple_of(16), 0);
    both.extend(table(0xffff_fff1, false, 8, &NAMES));
    let functions = functions(&both).unwrap();
    assert!(functions.hold("other", "f") && functions.hold("net/http", "Client.Do"));
}

#[test]
fn a_table_that_is_not_understood_says_nothing() {
    let whole = table(0xffff_fff1, false, 8, &NAMES);
    assert!(functions(&whole).is_some());
    // Of Go before 1.16, unaligned, without what each program has, false counts, cut off.
    assert_eq!(functions(&table(0xffff_fffb, false, 8, &NAMES)), None);
    assert_eq!(functions(&[b"x", &whole[..]].concat()), None);
    assert_eq!(functions(&table(0xffff_fff1, false, 8, &["main.main"])), None);
    let mut false_count = whole.clone();
    false_count[8..16].fill(0xff);
    assert_eq!(functions(&false_count), None);
    let mut endless = whole;
    endless[40..48].copy_from_slice(&(1_u64 << 20).to_le_bytes());
    assert_eq!(functions(&endless), None);
}

#[test]
fn a_program_says_for_which_machine_it_was_built() {
    let text = format!("{TEXT}build\tGOARCH=arm64\nbuild\t-ldflags=\"-s -w\"\n");
    let program = |text: &str| {
        let resolution = resolve(&Go, &[("opt/app", &elf(b"", b"", &inline("go1.21.3", text)).0)]);
        resolution.programs.of(&resolution.packages[0].package).unwrap().clone()
    };
    let told = program(&text);
    assert_eq!((told.system.as_str(), told.architecture.as_deref()), ("linux", Some("arm64")));
    assert_eq!((told.main.as_str(), told.functions), ("x.org/app/cmd", None));
    assert_eq!(told.replaced, [("new.org/a/v2".to_owned(), "old.org/a".to_owned())]);
    let silent = program("mod\tx.org/app\tv1.0.0\t\n");
    assert_eq!((silent.system.as_str(), silent.architecture), ("linux", None));
}

#[test]
fn functions_of_real_programs_are_read() {
    let real = ["/usr/bin/runc", "/usr/sbin/runc", "/usr/bin/containerd", "/usr/bin/podman"];
    let mut read = 0;
    for path in real {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let resolution = resolve(&Go, &[("opt/app", &bytes)]);
        let program = resolution.programs.of(&resolution.packages[0].package).unwrap();
        let functions = program.functions.as_ref().unwrap_or_else(|| panic!("{path}"));
        for (package, function) in
            [("main", "main"), ("fmt", "Fprintf"), ("os", "File.Write"), ("strconv", "Itoa")]
        {
            assert!(functions.hold(package, function), "{path}: {package} {function}");
        }
        assert!(!functions.hold("no/such/package", ""), "{path}");
        read += 1;
    }
    if read == 0 {
        testkit::skip(&format!("none of {real:?} is installed"))
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(edits: Vec<(u16, u8)>, old_form: bool, piece in 1_usize..9000, text in "(mod|dep|=>|\t|\n|a|é|\\./){0,40}", version in "[go0-9.a-z é-]{0,12}") {
        let mut bytes = if old_form { old("go1.17.1", &text) } else { elf(NOTE, b"x", &inline("go1.2", &text)).0 };
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let _ = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, piece);
        let _ = build_info::semantic(&version);
    }

    #[test]
    fn no_table_makes_it_panic(edits: Vec<(u16, u8)>, wide: bool, names: Vec<String>, piece in 1_usize..9000) {
        let names: Vec<&str> = names.iter().map(String::as_str).chain(NAMES).collect();
        let mut read_only = table(0xffff_fff1, false, if wide { 8 } else { 4 }, &names);
        for (at, byte) in edits {
            let at = usize::from(at) % read_only.len();
            read_only[at] = byte;
        }
        let bytes = elf(NOTE, &read_only, &inline("go1.21.3", TEXT)).0;
        let whole = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, bytes.len());
        let pieces = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, piece);
        prop_assert_eq!(whole.ok(), pieces.ok());
    }
}
