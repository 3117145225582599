use super::*;
use crate::language::testing::purls;
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const HASHES: [&str; 3] = [
    "0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn",
    "1z2xp5zkq4k7mqyv8l1ar9bd6jch0s3w",
    "9zsm74npdqq2lgjzavlzaqrz8x44mq9d",
];

fn store(layers: Layers) -> Layers {
    let [one, two, three] = HASHES;
    layers
        .file(&format!("nix/store/{one}-openssl-3.0.13/lib/libssl.so.3"), "\x7fELF")
        .file(&format!("nix/store/{two}-openssl-3.0.13-bin/bin/openssl"), "\x7fELF")
        .file(&format!("nix/store/{three}-python3.11-requests-2.31.0/lib/a/b.py"), "")
        .file(&format!("nix/store/{three}-glibc-2.38-44/lib/libc.so.6"), "")
        .file(&format!("nix/store/{three}-curl-8.6.0-man/share/man/man1/curl.1.gz"), "")
        .file(&format!("nix/store/{three}-wget-1.21.4/share/man/man1/wget.1.gz"), "")
        .file(&format!("nix/store/{three}-hook.sh/nix-support/setup-hook"), "")
        .file(&format!("nix/store/{three}-nixpkgs-24.05-source/default.nix"), "")
        .file(&format!("nix/store/{three}-bash-5.2.drv"), "Derive(")
        .file("nix/store/.links/0abc", "")
}

#[test]
fn a_store_path_names_a_package_and_its_outputs_are_one() {
    let layers = store(Layers::default().layer());
    let found = layers.resolve(&Nix);
    let expected =
        ["pkg:nix/glibc@2.38-44", "pkg:nix/openssl@3.0.13", "pkg:nix/python3.11-requests@2.31.0"];
    assert_eq!(purls(&found), expected);
    let openssl = found.packages.iter().find(|one| one.package.name == "openssl").unwrap();
    let place = format!("nix/store/{}-openssl-3.0.13/lib/libssl.so.3", HASHES[0]);
    assert_eq!(openssl.package.location.path(), Some(place.as_str()));
    let removed = layers
        .layer()
        .whiteout(&place)
        .whiteout(&format!("nix/store/{}-glibc-2.38-44/lib/libc.so.6", HASHES[2]));
    // Its other output is still there.
    assert_eq!(purls(&removed.resolve(&Nix)), expected[1..]);
}

#[test]
fn names_are_divided_as_nix_does() {
    for (name, expected) in [
        ("hello-2.12.1", Some(("hello", "2.12.1"))),
        ("gtk+3-3.24.38", Some(("gtk+3", "3.24.38"))),
        ("xorg-libX11-1.8.7", Some(("xorg-libX11", "1.8.7"))),
        ("linux-6.6.8-modules", Some(("linux", "6.6.8"))),
        ("unstable-2023-01-01", Some(("unstable", "2023-01-01"))),
        ("nix-2.18.1", Some(("nix", "2.18.1"))),
        ("builder", None),
        ("-1.0", None),
        ("a-", None),
        ("a\x1b[2J-1.0", None),
    ] {
        let path = format!("nix/store/{}-{name}/bin/a", HASHES[0]);
        assert_eq!(named_by(&path), expected, "{name}");
    }
}

#[test]
fn what_is_no_store_path_is_not_read() {
    for path in [
        "nix/store/short-a-1.0/bin/a",
        "nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-a-1.0/bin/a",
        "nix/store/",
        "nix/storex/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-a-1.0/bin/a",
        "nix/store/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zné-1.0/bin/a",
    ] {
        assert_eq!(read_file(&Nix, path, b"").unwrap(), None, "{path}");
    }
    let place = format!("nix/store/{}-a-1.0/bin/a", HASHES[0]);
    let huge = vec![0; 8 << 20];
    assert_eq!(read_file(&Nix, &place, &huge).unwrap(), Some(Vec::new()), "no content is kept");
}

proptest! {
    #[test]
    fn no_path_makes_it_panic(name in "[a-z0-9.é-]{0,60}", file: String) {
        let _ = named_by(&format!("{STORE}{name}/{file}"));
        let _ = divide(&name);
    }
}
