use super::*;
use crate::language::testing::{purls, resolve};
use proptest::prelude::*;
use testkit::zip::{Source, zip};

/// A `pom.properties` with its place.
fn pom(group: &str, artifact: &str, version: &str) -> (String, Vec<u8>) {
    let text =
        format!("#Made\r\nversion={version}\r\ngroupId={group}\r\nartifactId = {artifact}\r\n");
    (format!("META-INF/maven/{group}/{artifact}/pom.properties"), text.into_bytes())
}

fn jar(manifest: &str, poms: &[(&str, &str, &str)]) -> Vec<u8> {
    let poms: Vec<(String, Vec<u8>)> = poms.iter().map(|(g, a, v)| pom(g, a, v)).collect();
    let mut entries: Vec<Source<'_>> =
        vec![("META-INF/MANIFEST.MF", manifest.as_bytes().to_vec(), true)];
    entries.extend(poms.iter().map(|(path, text)| (path.as_str(), text.clone(), true)));
    zip(&entries)
}

fn found(path: &str, bytes: &[u8]) -> Vec<String> {
    purls(&resolve(&Java, &[(path, bytes)]))
}

#[test]
fn the_properties_that_agree_with_the_file_name_are_the_archive_itself() {
    let bytes =
        jar("", &[("g.a", "a", "1.0"), ("org.log", "log-1.2-api", "2.17.1"), ("x", "y", "3")]);
    let resolution = resolve(&Java, &[("opt/log-1.2-api-2.17.1.jar", &bytes)]);
    let names: Vec<&str> = resolution.packages.iter().map(|one| &*one.package.name).collect();
    assert_eq!(names, ["org.log:log-1.2-api", "g.a:a", "x:y"]);
    let renamed = jar("", &[("g.s", "geo_1.3_spec", "1.3")]);
    assert_eq!(found("opt/geo-1.3-spec.jar", &renamed), ["pkg:maven/g.s/geo_1.3_spec@1.3"]);
}

#[test]
fn a_shaded_jar_without_own_properties_is_listed_beside_what_it_swallowed() {
    let manifest = "Implementation-Title: tool\r\nImplementation-Version: 9\r\n";
    let bytes = jar(manifest, &[("com.google.code.gson", "gson", "2.8.0")]);
    assert_eq!(
        found("opt/tool-9.1.jar", &bytes),
        ["pkg:maven/com.google.code.gson/gson@2.8.0", "pkg:maven/tool@9.1"]
    );
    assert_eq!(found("opt/app.jar", &bytes), ["pkg:maven/com.google.code.gson/gson@2.8.0"]);
}

#[test]
fn a_group_counts_only_where_it_is_proved() {
    let none =
        jar("Bundle-SymbolicName: com.google.guava\nAutomatic-Module-Name: com.x.guava\n", &[]);
    assert_eq!(found("guava-31.1-jre.jar", &none), ["pkg:maven/guava@31.1-jre"]);
    let vendor = jar("Implementation-Vendor-Id: org.apache\n", &[]);
    assert_eq!(found("log-core-2.1.jar", &vendor), ["pkg:maven/log-core@2.1"]);
    let bundle = jar("Bundle-SymbolicName: org.x.core.my-core;singleton:=\n  true\n", &[]);
    assert_eq!(found("my-core-1.0.jar", &bundle), ["pkg:maven/org.x.core/my-core@1.0"]);
    let empty = jar("", &[]);
    assert_eq!(
        found("root/.m2/repository/org/x/y/my/1.0/my-1.0-linux.jar", &empty),
        ["pkg:maven/org.x.y/my@1.0"]
    );
    assert_eq!(
        found("g/caches/modules-2/files-2.1/org.x/my/1.0/abcdef/my-1.0.jar", &empty),
        ["pkg:maven/org.x/my@1.0"]
    );
    let folder = zip(&[("META-INF/maven/org.z/my/pom.xml", b"<project/>".to_vec(), true)]);
    assert_eq!(found("opt/my-2.0.jar", &folder), ["pkg:maven/org.z/my@2.0"]);
}

#[test]
fn how_surely_a_jar_is_known_is_said_where_no_properties_name_it() {
    use vocabulary::Confidence;
    let confidence = |path: &str, bytes: &[u8]| {
        let resolution = resolve(&Java, &[(path, bytes)]);
        resolution.packages[0].package.identified.as_ref().map(|one| one.confidence)
    };
    let empty = jar("", &[]);
    assert_eq!(confidence("opt/my-1.0.jar", &empty), Some(Confidence::Low));
    for (manifest, by) in
        [("", "file name"), ("Implementation-Version: 1.0\n", "file name and MANIFEST.MF")]
    {
        let found = resolve(&Java, &[("opt/my-1.0.jar", &jar(manifest, &[]))]);
        assert_eq!(found.packages[0].package.identified.as_ref().unwrap().by, by);
    }
    let bundle = jar("Bundle-SymbolicName: org.x.core.my-core\n", &[]);
    assert_eq!(confidence("my-core-1.0.jar", &bundle), Some(Confidence::Medium));
    let at_home = "root/.m2/repository/org/x/y/my/1.0/my-1.0.jar";
    assert_eq!(confidence(at_home, &empty), Some(Confidence::High));
    assert_eq!(confidence("opt/a-1.0.jar", &jar("", &[("g", "a", "1.0")])), None);
}

#[test]
fn a_folder_proves_surely_only_what_the_manifest_agrees_with() {
    use vocabulary::Confidence::{Low, Medium};
    let told = |manifest: &str, groups: &[&str]| {
        let folders: Vec<String> =
            groups.iter().map(|group| format!("META-INF/maven/{group}/my/pom.xml")).collect();
        let mut entries: Vec<Source<'_>> =
            vec![("META-INF/MANIFEST.MF", manifest.as_bytes().to_vec(), true)];
        entries.extend(folders.iter().map(|path| (path.as_str(), b"<project/>".to_vec(), true)));
        let found = resolve(&Java, &[("opt/my-2.0-jre.jar", &zip(&entries))]);
        let package = found.packages.into_vec().remove(0).package;
        (package.purl.to_string(), package.identified.unwrap())
    };
    let purl = "pkg:maven/org.z/my@2.0-jre";
    let version = "Implementation-Version: 2.0-jre\n";
    let group = "Implementation-Vendor-Id: org.z\n";
    for (manifest, confidence) in [
        (String::new(), Medium),
        (version.to_owned(), Medium),
        (group.to_owned(), Medium),
        (format!("{version}Implementation-Vendor-Id: org\n"), Medium),
        (format!("{version}Bundle-SymbolicName: org.zoo.my\n"), Medium),
        (format!("{group}Implementation-Version: 2\n"), Medium),
        (format!("{group}{version}"), Confidence::High),
        (format!("{version}Bundle-SymbolicName: org.z.my;singleton:=true\n"), Confidence::High),
        (format!("{group}Bundle-Version: 2.0.0.jre\n"), Confidence::High),
    ] {
        let (named, how) = told(&manifest, &["org.z"]);
        assert_eq!((named.as_str(), how.confidence), (purl, confidence), "{manifest}");
        assert_eq!(how.by.contains("MANIFEST.MF"), confidence != Medium, "{}", how.by);
    }
    let (named, how) = told(version, &["org.y", "org.z"]);
    assert_eq!((named.as_str(), how.confidence), ("pkg:maven/my@2.0-jre", Low));
    let (named, how) = told(&format!("{group}{version}"), &["org.y", "org.z"]);
    assert_eq!((named.as_str(), how.confidence), (purl, Confidence::High));
}

#[test]
fn the_manifest_settles_where_the_version_begins() {
    let manifest = "Implementation-Version: 4.1.50.Final\nBundle-License: MIT, \"BSD\";link=x\n";
    let resolution =
        resolve(&Java, &[("epoll-4.1.50.Final-linux-x86_64.jar", &jar(manifest, &[]))]);
    assert_eq!(purls(&resolution), ["pkg:maven/epoll@4.1.50.Final"]);
    assert_eq!(resolution.packages[0].package.licences, ["MIT", "BSD"]);
    let titled = jar("Implementation-Title: demo\nImplementation-Version: 0.1\n", &[]);
    assert_eq!(found("app.jar", &titled), ["pkg:maven/demo@0.1"]);
    assert_eq!(found("app.jar", &jar("", &[])), [""; 0]);
}

#[test]
fn nested_archives_are_found_at_their_place() {
    let leaf = jar("", &[("org.leaf", "leaf", "1")]);
    let war = zip(&[("WEB-INF/lib/leaf-1.jar", leaf.clone(), true)]);
    let ear = zip(&[("web.war", war, false), ("lib/leaf-1.jar", leaf, false)]);
    let resolution = resolve(&Java, &[("opt/app.ear", &ear)]);
    let mut places: Vec<String> =
        resolution.packages.iter().map(|one| one.package.location.to_string()).collect();
    places.sort();
    assert_eq!(
        places,
        ["opt/app.ear!/lib/leaf-1.jar", "opt/app.ear!/web.war!/WEB-INF/lib/leaf-1.jar"]
    );
    assert!(resolution.problems.is_empty());
}

#[test]
fn nesting_too_deep_and_damage_inside_are_problems_that_hide_nothing() {
    let mut bytes = jar("", &[("org.leaf", "leaf", "1")]);
    for _ in 0..7 {
        bytes = zip(&[
            ("x.jar", bytes, true),
            ("META-INF/maven/a/b/pom.properties", pom("a", "b", "1").1, true),
        ]);
    }
    let deep = resolve(&Java, &[("opt/x.jar", &bytes)]);
    assert_eq!(deep.problems.len(), 1);
    assert!(deep.problems[0].reason.contains("nested deeper"), "{:?}", deep.problems);
    assert_eq!(deep.packages.len(), 6);
    let damaged = zip(&[
        ("lib/bad.jar", b"PK\x03\x04 and no more".to_vec(), false),
        ("lib/stub.jar", b"no archive".to_vec(), false),
        ("lib/leaf-1.jar", jar("", &[("org.leaf", "leaf", "1")]), true),
    ]);
    let resolution = resolve(&Java, &[("opt/y.war", &damaged)]);
    assert_eq!(purls(&resolution), ["pkg:maven/org.leaf/leaf@1"]);
    let paths: Vec<&str> = resolution.problems.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["opt/y.war!/lib/bad.jar", "opt/y.war!/lib/stub.jar"]);
}

#[test]
fn a_quine_of_one_archive_many_times_ends() {
    let mut bytes = zip(&[("x.txt", b"x".to_vec(), true)]);
    for _ in 0..5 {
        let names: Vec<String> = (0..40).map(|n| format!("{n}.jar")).collect();
        let entries: Vec<Source<'_>> =
            names.iter().map(|name| (name.as_str(), bytes.clone(), true)).collect();
        bytes = zip(&entries);
    }
    let resolution = resolve(&Java, &[("opt/x.jar", &bytes)]);
    assert!(resolution.problems.iter().any(|one| one.reason.contains("more than")));
}

#[test]
fn a_jar_that_is_none_is_cut_off_or_holds_nothing_is_a_problem() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n";
    let read = |path: &str, bytes: &[u8]| crate::view_tests::read_file(&Java, path, bytes);
    for path in ["a.jar", "lib/a.JAR", "a.war", "a.ear"] {
        for bytes in [b"".as_slice(), b"plain text", pointer] {
            let error = read(path, bytes).unwrap_err().to_string();
            assert!(error.contains("is no zip archive"), "{path}: {error}");
        }
    }
    for path in ["a.sar", "a.par", "a.rar"] {
        assert_eq!(read(path, b"plain text").unwrap(), None, "{path}");
        assert_eq!(read(path, b"").unwrap(), None, "{path}");
    }
    assert!(jar::read("a.jar", &jar("", &[])[..30]).is_err());
    let nothing = resolve(&Java, &[("a.jar", &zip(&[]))]);
    assert!(nothing.problems[0].reason.contains("holds nothing"), "{:?}", nothing.problems);
    let boot = zip(&[
        ("BOOT-INF/lib/a-1.jar", pointer.to_vec(), true),
        ("BOOT-INF/lib/b-1.jar", Vec::new(), false),
        ("BOOT-INF/lib/c-1.jar", zip(&[]), false),
        ("BOOT-INF/lib/d.jar/", Vec::new(), false),
    ]);
    let paths: Vec<_> =
        resolve(&Java, &[("app.jar", &boot)]).problems.into_iter().map(|one| one.path).collect();
    assert_eq!(paths, ["a", "b", "c"].map(|name| format!("app.jar!/BOOT-INF/lib/{name}-1.jar")));
}

#[test]
fn what_begins_like_a_jar_is_opened_whatever_it_is_called() {
    let leaf = jar("", &[("org.yaml", "snakeyaml", "1.26")]);
    let manifest = ("META-INF/MANIFEST.MF", b"Main-Class: a\n".to_vec(), true);
    let folder = ("META-INF/", Vec::new(), false);
    let library = ("BOOT-INF/lib/snakeyaml-1.26.jar", leaf, false);
    for first in [manifest, folder] {
        let bytes = zip(&[first, library.clone()]);
        for path in ["opt/app", "opt/app.jar.original", "opt/app.mar", "opt/x.xar", "a.bak"] {
            let fact = crate::view_tests::read_file(&Java, path, &bytes).unwrap();
            assert!(fact.is_some(), "{path}");
            assert_eq!(found(path, &bytes), ["pkg:maven/org.yaml/snakeyaml@1.26"], "{path}");
        }
    }
    let thin = jar("Implementation-Version: 1.0\n", &[]);
    assert_eq!(found("target/my-1.0.jar.original", &thin), ["pkg:maven/my@1.0"]);
    let other = zip(&[library]);
    assert_eq!(crate::view_tests::read_file(&Java, "opt/a.zip", &other).unwrap(), None);
    let book = zip(&[("META-INF/container.xml", b"<a/>".to_vec(), true)]);
    assert_eq!(crate::view_tests::read_file(&Java, "opt/a.epub", &book).unwrap(), None);
}

#[test]
fn unfilled_placeholders_are_no_coordinates() {
    assert_eq!(manifest::Pom::parse(b"groupId=a\nartifactId=b\nversion=${v}\n"), None);
    assert_eq!(manifest::Pom::parse(b"groupId=a/..\nartifactId=b\nversion=1\n"), None);
    assert_eq!(manifest::Pom::parse(b"groupId=a\nartifactId=b\n"), None);
}

#[test]
fn every_carrier_of_jars_is_opened() {
    let leaf = jar("", &[("org.yaml", "snakeyaml", "1.26")]);
    let carrier = zip(&[("META-INF/bundled-dependencies/snakeyaml-1.26.jar", leaf, true)]);
    let endings = jar::EXTENSIONS.iter().copied().chain(["EAR", "JAR", "WAR"]);
    for ending in endings {
        let outer = zip(&[(format!("lib/x.{ending}").as_str(), carrier.clone(), true)]);
        for (path, bytes) in [(format!("opt/x.{ending}"), &carrier), ("opt/y.ear".into(), &outer)] {
            let resolution = resolve(&Java, &[(&path, bytes)]);
            assert_eq!(purls(&resolution), ["pkg:maven/org.yaml/snakeyaml@1.26"], "{path}");
            assert!(resolution.problems.is_empty());
        }
        let interest = Interest::Extension(ending);
        assert!(Java.interests().contains(&interest), "{ending}");
    }
}

#[test]
fn what_only_shares_the_ending_is_of_no_concern() {
    let packed = [b"Rar!\x1a\x07\x01\x00".as_slice(), b"PK\x05\x06", &[0; 18]].concat();
    for (path, bytes) in [
        ("a.rar", packed.as_slice()),
        ("a.kar", b"MThd\0\0"),
        ("a.nar", b"\r\0\0\0\0\0\0\0nix-archive-1"),
    ] {
        let resolution = resolve(&Java, &[(path, bytes)]);
        assert!(resolution.packages.is_empty() && resolution.problems.is_empty(), "{path}");
    }
}

#[test]
fn a_script_with_an_archive_behind_it_is_opened_whatever_it_is_called() {
    let leaf = jar("", &[("org.yaml", "snakeyaml", "1.26")]);
    let boot = zip(&[("BOOT-INF/lib/snakeyaml-1.26.jar", leaf, false)]);
    let short = [b"#!/bin/sh\nexec java -jar \"$0\" \"$@\"\n".as_slice(), &boot].concat();
    let long = [b"#!/bin/bash\n", "# Spring Boot\n".repeat(3000).as_bytes(), &boot].concat();
    for bytes in [&short, &long] {
        for path in ["opt/app.jar", "etc/init.d/app", "app"] {
            assert_eq!(found(path, bytes), ["pkg:maven/org.yaml/snakeyaml@1.26"], "{path}");
        }
    }
    let script = "#!/bin/sh\necho PK\n".repeat(4000);
    assert_eq!(found("bin/configure", script.as_bytes()), [""; 0]);
    let entry = |head: &[u8], size| {
        let entry = Entry { path: "bin/a", kind: vocabulary::FileKind::File, mode: 0o755, size };
        matches!(Java.wants(&entry, head), Want::Whole { .. })
    };
    assert!(!entry(b"#!/bin/sh\necho", 1000));
    assert!(!entry(b"#!/bin/sh\necho", ARCHIVE_LIMIT + 1));
    assert!(entry(b"#!/bin/sh\njava -jar $0", ARCHIVE_LIMIT + 1));
    assert!(!entry(b"#!/usr/bin/python3\nPK\x03\x04", 1000));
}

#[test]
fn bundles_are_named_by_what_their_manifest_and_their_file_name_say() {
    for (name, version) in [
        ("org.yaml.snakeyaml", "1.26.0.v20200101-1200"),
        ("org.eclipse.jetty.server", "8.1.14.v20131031"),
        ("org.apache.commons.io", "2.8.0"),
    ] {
        let manifest =
            format!("Bundle-SymbolicName: {name};singleton:=true\nBundle-Version: {version}\n");
        let expected = format!("pkg:maven/{name}@{version}");
        let path = format!("opt/eclipse/plugins/{name}_{version}.jar");
        for manifest in [&*manifest, ""] {
            assert_eq!(found(&path, &jar(manifest, &[])), [&*expected], "{manifest}");
        }
        assert_eq!(found("opt/lib/bundle.jar", &jar(&manifest, &[])), [&*expected]);
        let own = jar(&manifest, &[("org.yaml", "snakeyaml", "1.26"), ("g", "other", "1")]);
        if name == "org.yaml.snakeyaml" {
            let packages = resolve(&Java, &[(&path, &own)]).packages;
            let first = packages.first().map(|one| one.package.name.as_str());
            assert_eq!((first, packages.len()), (Some("org.yaml:snakeyaml"), 2));
        }
    }
    for (path, expected) in [
        ("akka-actor_2.13-2.6.10.jar", "pkg:maven/akka-actor_2.13@2.6.10"),
        ("paradise_2.12.8-2.1.1.jar", "pkg:maven/paradise_2.12.8@2.1.1"),
        ("a_b_1.2.3.q_4-5.jar", "pkg:maven/a_b@1.2.3.q_4-5"),
    ] {
        assert_eq!(found(path, &jar("", &[])), [expected]);
    }
}

#[test]
fn a_manifest_that_states_all_three_is_proof() {
    let nar = jar("Nar-Group: org.apache.nifi\nNar-Id: nifi-x-nar\nNar-Version: 1.2.0\n", &[]);
    assert_eq!(found("opt/x.nar", &nar), ["pkg:maven/org.apache.nifi/nifi-x-nar@1.2.0"]);
    let plugin =
        "Group-Id: org.jenkins-ci.plugins\rShort-Name: git\rPlugin-Version: 4.0 (private)\r";
    assert_eq!(found("git.jpi", &jar(plugin, &[])), ["pkg:maven/org.jenkins-ci.plugins/git@4.0"]);
}

#[test]
fn a_jar_with_classes_and_without_an_identity_is_listed_by_name() {
    let classes = |manifest: &str| {
        zip(&[
            ("META-INF/MANIFEST.MF", manifest.as_bytes().to_vec(), true),
            ("a/B.class", vec![0xca, 0xfe], true),
        ])
    };
    let unknown = resolve(&Java, &[("opt/app.jar", &classes(""))]);
    assert_eq!(purls(&unknown), ["pkg:maven/app"]);
    assert_eq!(unknown.packages[0].package.version, "");
    assert_eq!(found("opt/my app.jar", &classes("")), ["pkg:maven/unnamed"]);
    let java = "Implementation-Title: Java Runtime Environment\nImplementation-Version: 17.0.1\n";
    assert_eq!(found("opt/java/lib/jrt-fs.jar", &classes(java)), [""; 0]);
    assert_eq!(found("usr/lib/jvm/java-8-openjdk/jre/lib/ext/nashorn.jar", &classes("")), [""; 0]);
    assert_eq!(found("app/lib/tools.jar", &classes("")), ["pkg:maven/tools"]);
    let module = zip(&[("module-info.class", vec![0xca], true), ("x.properties", vec![1], true)]);
    assert_eq!(found("opt/resources.jar", &module), [""; 0]);
    let android = zip(&[("classes.jar", classes(""), true)]);
    assert_eq!(found("x-1.0.aar", &android), ["pkg:maven/x@1.0"]);
    let enterprise = zip(&[("classes.jar", classes(""), true)]);
    assert_eq!(found("x.ear", &enterprise), ["pkg:maven/classes"]);
}

#[test]
fn what_a_build_left_unfilled_is_listed_without_a_version() {
    let half = b"groupId=org.x\nartifactId=y\nversion=${v}\n".to_vec();
    let path = "META-INF/maven/org.x/y/pom.properties";
    let bytes = zip(&[(path, half, true)]);
    assert_eq!(found("opt/app.jar", &bytes), ["pkg:maven/org.x/y"]);
    assert_eq!(found("opt/y-2.0.jar", &bytes), ["pkg:maven/org.x/y@2.0"]);
    let empty = zip(&[(path, b"#\n".to_vec(), true)]);
    assert_eq!(found("opt/app.jar", &empty), ["pkg:maven/org.x/y"]);
    let nowhere = zip(&[("x/pom.properties", b"#\n".to_vec(), true)]);
    assert_eq!(resolve(&Java, &[("opt/app.jar", &nowhere)]).problems.len(), 1);
    let spaced = b"groupId org.x\rartifactId:y\rversion = 1\\:0\r".to_vec();
    let odd = zip(&[("WEB-INF/classes/META-INF/maven/org.x/y/pom.properties", spaced, true)]);
    assert_eq!(found("opt/app.war", &odd), ["pkg:maven/org.x/y@1:0"]);
}

#[test]
fn a_lone_descriptor_names_what_was_swallowed() {
    let xml = b"<project><parent><version>3</version></parent></project>".to_vec();
    let bytes = zip(&[
        ("META-INF/maven/org.x/y/pom.xml", xml, true),
        ("META-INF/maven/org.x/z/pom.xml", b"<project/>".to_vec(), true),
        ("META-INF/maven/org.x/z/pom.properties", pom("org.x", "z", "1").1, true),
    ]);
    assert_eq!(found("opt/all.jar", &bytes), ["pkg:maven/org.x/y@3", "pkg:maven/org.x/z@1"]);
}

#[test]
fn an_unpacked_archive_is_known_by_its_properties() {
    let (path, text) = pom("org.x", "y", "1");
    assert_eq!(found(&format!("app/{path}"), &text), ["pkg:maven/org.x/y@1"]);
    assert_eq!(found("app/target/maven-archiver/pom.properties", &text), [""; 0]);
    let entry = format!("app/{path}");
    assert_eq!(found(&entry, b"#\n"), ["pkg:maven/org.x/y"]);
}

#[test]
fn encrypted_and_oddly_packed_archives_inside_are_problems() {
    use testkit::zip::{Style, zip_as};
    let leaf: Vec<Source<'_>> = vec![("lib/a-1.jar", jar("", &[("g", "a", "1")]), true)];
    for (style, reason) in [
        (Style { flags: 1, ..Style::default() }, "encrypted"),
        (Style { method: Some(93), ..Style::default() }, "method 93"),
        (Style { plain: Some(0), ..Style::default() }, "does not inflate"),
    ] {
        let resolution = resolve(&Java, &[("opt/x.kar", &zip_as(&leaf, style))]);
        assert!(resolution.packages.is_empty());
        assert_eq!(resolution.problems.len(), 1);
        assert!(resolution.problems[0].reason.contains(reason), "{:?}", resolution.problems);
    }
}

#[test]
fn problems_that_are_not_named_are_counted() {
    let names: Vec<String> = (0..50).map(|n| format!("{n}.jar")).collect();
    let broken: Vec<Source<'_>> =
        names.iter().map(|name| (name.as_str(), b"PK\x03\x04 cut".to_vec(), false)).collect();
    let resolution = resolve(&Java, &[("opt/x.ear", &zip(&broken))]);
    assert_eq!(resolution.problems.len(), 21);
    assert!(resolution.problems.iter().any(|one| one.reason.contains("30 more")));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        bytes: Vec<u8>,
        text in "(META-INF/maven/|Implementation-Version: |groupId=|version=|1|a|-|\n| |é|\\.){0,60}",
        path in "(a|-|1|\\.|/|repository|files-2.1|jar|é){0,12}",
    ) {
        let parsed = manifest::Manifest::parse(text.as_bytes());
        let _ = (manifest::Pom::parse(&bytes), manifest::Pom::parse(text.as_bytes()));
        let clues = identity::Clues { path: &path, manifest: &parsed, folders: &[] };
        let _ = identity::packages(&clues, Vec::new());
        let _ = jar::read(&path, &bytes);
        let inner = zip(&[(text.as_str(), bytes, true), ("META-INF/MANIFEST.MF", text.clone().into_bytes(), true)]);
        let _ = jar::read(&path, &inner);
    }
}
