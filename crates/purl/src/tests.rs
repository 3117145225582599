//! Package URLs against the examples of the specification and of its type definitions.

use super::Purl;
use proptest::prelude::*;

/// Reads a text, or says why it cannot.
fn read(text: &str) -> Purl {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn canonical_texts_stay_as_they_are() {
    for text in [
        "pkg:apk/alpine/curl@7.83.0-r0?arch=x86",
        "pkg:bitbucket/birkenfeld/pygments-main@244fd47e07d1014f0aed9c",
        "pkg:bitnami/wordpress@6.2.0?arch=arm64&distro=photon-4",
        "pkg:cargo/rand@0.7.2",
        "pkg:cocoapods/GoogleUtilities@7.5.2#NSData%2Bzlib",
        "pkg:composer/laravel/laravel@5.5.0",
        "pkg:cpan/Perl::Version@1.013",
        "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64",
        "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
        "pkg:docker/customer/dockerimage@sha256:244fd47e07d10?repository_url=gcr.io",
        "pkg:gem/jruby-launcher@1.1.2?platform=java",
        "pkg:generic/bitwarderl?checksum=sha1:ad9503c3e994a4f%2Csha256:41bf9088b3a1e6c1ef1d",
        "pkg:generic/bitwarderl?vcs_url=git%2Bhttps://git.fsfe.org/dxtr/bitwarderl%40cc55108da32",
        "pkg:github/package-url/purl-spec@244fd47e07d1004#everybody/loves/dogs",
        "pkg:golang/google.golang.org/genproto@abcdedf#googleapis/api/annotations",
        "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1?classifier=sources",
        "pkg:npm/%40angular/animation@12.3.1",
        "pkg:npm/foo@1.0.0#src/%F0%9F%98%83/file.js",
        "pkg:npm/foobar@12.3.1",
        "pkg:npm/mypackage@12.4.5?vcs_url=git://host.com/path/to/repo.git%404345abcd34343",
        "pkg:nuget/EnterpriseLibrary.Common@6.0.1304",
        "pkg:pypi/django@1.11.1?filename=Django-1.11.1-py2.py3-none-any.whl",
        "pkg:rpm/centerim@4.22.10-1.el6?arch=i686&distro=fedora-25&epoch=1",
        "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25",
    ] {
        assert_eq!(read(text).to_string(), text);
    }
}

#[test]
fn other_spellings_become_canonical() {
    for (text, canonical) in [
        ("PKG:cargo/rand@0.7.2", "pkg:cargo/rand@0.7.2"),
        ("pkg://cargo/rand@0.7.2", "pkg:cargo/rand@0.7.2"),
        ("pkg:////Cargo//rand/@0.7.2", "pkg:cargo/rand@0.7.2"),
        ("pkg:npm/@angular/core@1.0", "pkg:npm/%40angular/core@1.0"),
        ("pkg:npm/@babel/core", "pkg:npm/%40babel/core"),
        (
            "pkg:npm/@babel/core#/googleapis/api/annotations/",
            "pkg:npm/%40babel/core#googleapis/api/annotations",
        ),
        (
            "pkg:GOLANG/google.golang.org/genproto@abcdedf#/googleapis/./api/../annotations/",
            "pkg:golang/google.golang.org/genproto@abcdedf#googleapis/api/annotations",
        ),
        (
            "pkg:Rpm/Fedora/curl@7.50.3-1.fc25?Distro=fedora-25&Arch=i386",
            "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25",
        ),
        ("pkg:pypi/My.PyPI_.--._Package@1.11.1.dev1", "pkg:pypi/my-pypi-package@1.11.1.dev1"),
        ("pkg:pypi/Django_package@1.11", "pkg:pypi/django-package@1.11"),
        ("pkg:deb/Debian/Curl@7.50.3-1", "pkg:deb/debian/curl@7.50.3-1"),
        ("pkg:apk/Alpine/Curl@7.83.0-r0", "pkg:apk/alpine/curl@7.83.0-r0"),
        ("pkg:GitHub/Package-URL/purl-Spec@244FD", "pkg:github/package-url/purl-spec@244FD"),
        ("pkg:bitbucket/Birkenfeld/Pygments-main", "pkg:bitbucket/birkenfeld/pygments-main"),
        ("pkg:docker/a/b@sha256%3A24", "pkg:docker/a/b@sha256:24"),
        ("pkg:deb/debian/attr@1%3A2.4.47-2+b1", "pkg:deb/debian/attr@1:2.4.47-2%2Bb1"),
        ("pkg:generic/a%20b@1?x=&y=2&", "pkg:generic/a%20b@1?y=2"),
        ("pkg:generic/a@", "pkg:generic/a"),
        ("pkg:generic//b//c//a@1", "pkg:generic/b/c/a@1"),
        ("pkg:generic/a%2fb", "pkg:generic/a%2Fb"),
    ] {
        assert_eq!(read(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn parts_are_decoded() {
    let purl =
        read("pkg:npm/%40angular/animation@12.3.1-a%2Bb?vcs_url=git://h/r.git%404345#a%20b/c");
    assert_eq!(purl.kind(), "npm");
    assert_eq!(purl.namespace(), Some("@angular"));
    assert_eq!(purl.name(), "animation");
    assert_eq!(purl.version(), Some("12.3.1-a+b"));
    assert_eq!(purl.qualifier("vcs_url"), Some("git://h/r.git@4345"));
    assert_eq!(purl.qualifiers().collect::<Vec<_>>(), [("vcs_url", "git://h/r.git@4345")]);
    assert_eq!(purl.subpath(), Some("a b/c"));
    assert_eq!(purl.bare().to_string(), "pkg:npm/%40angular/animation@12.3.1-a%2Bb");
}

#[test]
fn builders_normalize_as_reading_does() {
    let purl = Purl::new("Deb", "Curl")
        .with_namespace("/Debian/")
        .with_version("1:7.50+b1")
        .with_qualifier("Arch", "amd64")
        .with_qualifier("in production", "true")
        .with_qualifier("empty", "")
        .with_subpath("/a/../b/");
    assert_eq!(purl.to_string(), "pkg:deb/debian/curl@1:7.50%2Bb1?arch=amd64#a/b");
    assert_eq!(Purl::new("pypi", "Zope.Interface").name(), "zope-interface");
}

#[test]
fn go_and_npm_keep_upper_case() {
    let text = "pkg:golang/github.com/Masterminds/goutils@v1.1.0";
    assert_eq!(read(text).to_string(), text);
    assert_eq!(read("pkg:npm/JSONStream@1.3.5").name(), "JSONStream");
}

#[test]
fn what_is_no_package_url_is_refused() {
    for (text, reason) in [
        ("EnterpriseLibrary.Common@6.0.1304", "does not begin with `pkg:`"),
        ("pkg%3Amaven/org.apache.commons/io", "does not begin with `pkg:`"),
        ("", "does not begin with `pkg:`"),
        ("pkg:EnterpriseLibrary.Common@6.0.1304", "has no type"),
        ("pkg:n&g?inx/nginx@0.8.9", "has no type"),
        ("pkg:3nginx/nginx@0.8.9", "its type is not"),
        ("pkg:nginx:a/nginx@0.8.9", "its type is not"),
        ("pkg:maven/@1.3.4", "has no name"),
        ("pkg:npm/", "has no name"),
        ("pkg:npm/myartifact@1.0.0?in%20production=true", "key is not"),
        ("pkg:npm/a@1?b", "has no `=`"),
        ("pkg:npm/a@1?b=1&B=2", "there twice"),
        ("pkg:npm/a%", "not followed by two"),
        ("pkg:npm/a%2", "not followed by two"),
        ("pkg:npm/a%zz", "not followed by two"),
        ("pkg:npm/a%FF", "does not decode to UTF-8"),
        ("pkg:generic/a%2Fb/c", "encoded `/`"),
        ("pkg:generic/c#a%2Fb", "encoded `/`"),
    ] {
        let error = text.parse::<Purl>().expect_err(text).to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.starts_with(&format!("`{text}` is not a package URL: ")), "{error}");
    }
}

#[test]
fn a_text_over_the_limit_is_refused() {
    let longest = format!("pkg:cargo/{}", "a".repeat(Purl::LONGEST - 10));
    assert_eq!(read(&longest).to_string(), longest);
    let error = format!("{longest}a").parse::<Purl>().expect_err("too long").to_string();
    assert!(error.len() < 400 && error.contains("longer than 16384 bytes"), "{error}");
}

proptest! {
    #[test]
    fn reading_what_is_shown_gives_the_same(
        kind in "(deb|rpm|apk|pypi|npm|golang|github|generic|oci|[A-Za-z][a-z0-9.-]{0,5})",
        parts in [any::<String>(), any::<String>(), any::<String>()],
        name in any::<String>().prop_filter("a name is there", |name| !name.is_empty()),
        qualifiers in proptest::collection::vec(("[A-Za-z][a-z._-]{0,4}", any::<String>()), 0..4),
    ) {
        let [namespace, version, subpath] = &parts;
        let mut purl = Purl::new(&kind, &name)
            .with_namespace(namespace)
            .with_version(version)
            .with_subpath(subpath);
        for (key, value) in &qualifiers {
            purl = purl.with_qualifier(key, value);
        }
        let shown = purl.to_string();
        let read: Purl = shown.parse().map_err(|error| TestCaseError::fail(format!("{error}")))?;
        prop_assert_eq!(&read, &purl);
        prop_assert_eq!(read.to_string(), shown);
    }

    #[test]
    fn no_text_panics(text in "(pkg:)?[a-z@/%?#&=:. 0-9A-F_é-]{0,40}", any in any::<String>()) {
        for text in [text, any.clone(), format!("pkg:npm/{any}")] {
            if let Ok(purl) = text.parse::<Purl>() {
                let again = purl.to_string().parse::<Purl>();
                prop_assert_eq!(again, Ok(purl));
            }
        }
    }
}

#[test]
fn parts_are_set_in_any_order_and_taken_back() {
    let purl =
        Purl::new("deb", "b").with_version("1").with_qualifier("arch", "x").with_namespace("a");
    assert_eq!(purl.to_string(), "pkg:deb/a/b@1?arch=x");
    let bare = purl.with_namespace("").with_version("");
    assert_eq!(bare.to_string(), "pkg:deb/b?arch=x");
    let whole = Purl::new("deb", "b").with_subpath("x/y").with_subpath("");
    assert_eq!(whole, Purl::new("deb", "b"));
}

#[test]
fn a_qualifier_that_is_set_again_is_replaced_and_all_are_sorted() {
    let purl = Purl::new("deb", "b")
        .with_qualifier("upstream", "x")
        .with_qualifier("arch", "amd64")
        .with_subpath("p")
        .with_qualifier("distro", "debian-12")
        .with_qualifier("Upstream", "y");
    assert_eq!(purl.to_string(), "pkg:deb/b?arch=amd64&distro=debian-12&upstream=y#p");
    assert_eq!(purl.qualifier("upstream"), Some("y"));
    assert_eq!(purl.qualifier("up"), None);
    assert_eq!(purl.qualifiers().count(), 3);
}

#[test]
fn the_order_is_that_of_the_parts_and_not_that_of_the_text() {
    // As texts these would stand the other way round: `ab` + `c` against `a` + `bd`.
    let short = Purl::new("a", "bd");
    let long = Purl::new("ab", "c");
    assert!(short < long);
    let without = Purl::new("npm", "x");
    assert!(without < Purl::new("npm", "a").with_namespace("@s"), "no namespace comes first");
    assert!(without < without.clone().with_version("0"));
    let one = without.clone().with_qualifier("a", "1");
    assert!(without < one && one < without.with_qualifier("b", "0"));
}

#[test]
fn a_package_url_is_small() {
    assert!(size_of::<Option<Purl>>() <= 40, "{}", size_of::<Option<Purl>>());
}
