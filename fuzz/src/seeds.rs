//! Writes inputs from which fuzzing starts into `LAZARET_FUZZ_SEEDS`, one folder a target.
//!
//! Made by the same builders as the tests' images, so that none needs to be stored. It is a target
//! itself, as what is built for coverage links with the fuzzer alone; it writes before any input.
#![no_main]

use fuzz::SEPARATOR;
use std::io;
use std::path::Path;
use testkit::tar::LongNames;
use testkit::{Entry, ImageBuilder, Layer, Tar};

libfuzzer_sys::fuzz_target!(
    init: write_all().expect("seeds can be written"),
    |_data: &[u8]| {}
);

fn write_all() -> io::Result<()> {
    let folder = std::env::var_os("LAZARET_FUZZ_SEEDS").expect("LAZARET_FUZZ_SEEDS names a folder");
    let folder = Path::new(&folder);
    checks(folder)?;
    tars(folder)?;
    documents(folder)?;
    seals(folder)?;
    artefacts(folder)?;
    engines(folder)?;
    programs(folder)?;
    archives(folder)?;
    notes(folder)?;
    texts(folder)
}

/// One text that fulfils rules of many names, under each of the names without a number.
fn programs(folder: &Path) -> io::Result<()> {
    let text = b"\x7fELF\0nginx version: nginx/1.22.1\n\0memcached 1.6.18\0\0node.js/v18.20.4\0\
        redis_version:%s\x007.0.15\0c11-builtin\0PYTHONHOME\0Python %s\n\x003.11.2\0MariaDB server\0\
        10.11.19-MariaDB\0Erlang/OTP  [erts-%s]\n\x0025.2.3\0@(#)Bash version 5.2.15(1)\0";
    for which in 0..=u8::MAX {
        let seed = [&[which, which], text.as_slice()].concat();
        write(folder, "programs", &which.to_string(), &seed)?;
    }
    Ok(())
}

/// The smallest program with a package note; the target adds the magic itself.
fn notes(folder: &Path) -> io::Result<()> {
    let text = br#"{"type":"rpm","name":"a","version":"1-1","osCpe":"cpe:/o:b:c:1"}"#;
    let mut elf = vec![0_u8; 116];
    elf[..3].copy_from_slice(&[2, 1, 1]);
    (elf[12], elf[28], elf[50], elf[52]) = (3, 64, 56, 1);
    (elf[60], elf[68], elf[92]) = (4, 120, 80);
    elf.extend([4, 0, 0, 0, 64, 0, 0, 0, 0x7e, 0x1a, 0xfe, 0xca]);
    elf.extend(b"FDO\0");
    elf.extend(text);
    write(folder, "elf_notes", "note", &[&[0, 0], elf.as_slice()].concat())
}

/// The checks, one a line: each is a target of its name, which the program `check` runs.
fn checks(folder: &Path) -> io::Result<()> {
    let checks = scan::checks(&scan::Selection::all());
    let names = checks.iter().map(|check| format!("{}\n", check.id().replace('-', "_")));
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("checks"), names.collect::<String>())
}

/// What an archive publishes, and what an image says of archives.
fn archives(folder: &Path) -> io::Result<()> {
    let key = fuzz::signing_key();
    let signed = key.clear_sign(fuzz::SIGNED, 1_750_000_000);
    write(folder, "openpgp", "signed", signed.as_bytes())?;
    let other = testkit::SigningKey::new([4; 32], 1_700_000_000);
    let claimed = [key.keyring(), key.claim(&other)].concat();
    for (name, file) in [("armored", other.armored().as_bytes()), ("claimed", &claimed)] {
        let text = other.clear_sign("x\n", 1_750_000_000);
        write(folder, "openpgp", name, &[file, SEPARATOR, text.as_bytes()].concat())?;
    }
    let digest = "ab".repeat(32);
    let release = format!(
        "Suite: x-security\nCodename: y\nDate: Wed, 25 Nov 2026  2:33:12 UTC\nComponents: updates/main\n\
         Architectures: amd64\nSHA256:\n {digest} 12 main/binary-amd64/Packages.xz\n"
    );
    write(folder, "release", "small", release.as_bytes())?;
    let index = "\0Package: a\nSource: c (1)\nVersion: 1+b1\nArchitecture: amd64\n\nPackage: b\nVersion: 2\n";
    write(folder, "packages_index", "plain", index.as_bytes())?;
    // An empty stream (xz's .xz file format 1.2, sections 2.1 and 4).
    let empty = b"\x01\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46\0\0\0\0\x1c\xdf\x44\x21\x1f\xb6\xf3\x7d\x01\0\0\0\0\x04YZ";
    write(folder, "packages_index", "packed", empty)?;
    let lines = "deb [arch=amd64 signed-by=/a.gpg] http://a.test/debian x-security main # y\n";
    let block = "Types: deb\nURIs: http://a.test/debian\nSuites: x y\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AA\n";
    write(folder, "apt_sources", "lines", lines.as_bytes())?;
    write(folder, "apt_sources", "block", block.as_bytes())?;
    write(folder, "apt", "lines", &[b"\0\0", lines.as_bytes()].concat())
}

fn write(folder: &Path, target: &str, name: &str, content: &[u8]) -> io::Result<()> {
    let folder = folder.join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), content)
}

fn tars(folder: &Path) -> io::Result<()> {
    let long = "folder/".repeat(30);
    let tar = Tar::new()
        .entry(&Entry::directory("etc/"))
        .entry(&Entry::file("etc/passwd", "root").pax("SCHILY.xattr.user.x", "y"))
        .entry(&Entry::symlink("lib", "usr/lib"))
        .entry(&Entry::hard_link("etc/other", "etc/passwd"))
        .entry(&Entry::file(format!("{long}g"), "x"))
        .entry(&Entry::file(format!("{long}p"), "x").long_names(LongNames::Pax))
        .sparse_gnu("s", &[(512, b"data")], 2000)
        .sparse_pax("t", &[(0, b"a"), (4096, b"b")], 5000)
        .finish();
    write(folder, "tar", "plain", &[&[0], tar.as_slice()].concat())?;
    write(folder, "tar", "sealed", &[&[0xff], tar.as_slice()].concat())?;
    let escapes = Tar::new().file("../../etc/passwd", "x").file("/a//./b/../c", "y").finish();
    write(folder, "tar", "escapes", &[&[7], escapes.as_slice()].concat())
}

fn engines(folder: &Path) -> io::Result<()> {
    let record = br#"{"type":2,"payload":"AAAA","position":0}
{"type":1,"name":"./a","size":700,"payload":"AAAAAAAAAAA=","position":1}
{"type":1,"name_raw":"ZC9i","payload":null,"position":2}
"#;
    write(folder, "tar_split", "record", record)?;
    let mounted = b"72 48 0:39 / / rw master:2 - overlay overlay rw,lowerdir=/d/l/AB:/c\\040d,\
        upperdir=/d/30/diff,workdir=/d/30/work\n73 72 0:42 / /proc rw - proc proc rw\n";
    write(folder, "mountinfo", "docker", mounted)?;
    let image = b"\x0a\x12\x0a\x04name\x1a\x0a\x0a\x01t\x12\x05sha:0";
    write(folder, "protobuf", "image", image)?;
    let id = "ab".repeat(32);
    let container = format!(
        r#"{{"Id":"{id}","Name":"/shop","Image":"sha256:{id}","Config":{{"Image":"shop:1"}},
        "State":{{"Pid":7,"StartedAt":"2099-01-01T00:00:00Z"}},"RootFS":{{"Layers":["sha256:{id}"]}},
        "RepoTags":["shop:1"],"RepoDigests":null,"GraphDriver":{{"Name":"overlay2","Data":
        {{"LowerDir":"/d/a-init/diff:/d/b/diff","UpperDir":"/d/a/diff"}}}}}}"#
    );
    write(folder, "docker", "details", container.as_bytes())?;
    let list = format!(r#"[{{"Id":"{id}","Names":["/shop"],"Image":"shop:1","ImageID":"{id}"}}]"#);
    write(folder, "docker", "list", list.as_bytes())?;
    let about = br#"{"ApiVersion":"1.41","DockerRootDir":"/d","Driver":"overlay2"}"#;
    write(folder, "docker", "about", about)?;
    let task = b"\x0a\x0a\x12\x04demo\x18\x07\x20\x02";
    write(folder, "protobuf", "task", task)?;
    running(folder)
}

/// Records of the kernel, of each kind and with nothing in them; what the agent writes of a container.
fn running(folder: &Path) -> io::Result<()> {
    for (kind, size) in [(1_u32, 512), (2, 80), (3, 80)] {
        let mut record = vec![0; size];
        record[..4].copy_from_slice(&kind.to_ne_bytes());
        record.extend_from_slice(b"sh\0bin\0usr\0");
        write(folder, "kernel_record", &kind.to_string(), &record)?;
    }
    let usage = r#"{"schema":"lazaret.usage/1","container":{"engine":"docker","id":"ab","name":"shop",
        "image":"shop:1"},"since":"2099-01-01T00:00:00Z","complete":true,
        "until":"2099-01-01T00:01:00Z","files":["usr/lib/a/x.js","usr/bin/a"],"lost":0}"#;
    for (name, line) in [
        ("linked", "lib/a/package.json lib usr/lib usr/lib ../lib"),
        ("python", "lib/a-1.dist-info/METADATA lib /usr/lib"),
        ("program", "bin/a bin usr/bin"),
    ] {
        write(folder, "usage", name, format!("{line}\n{usage}").as_bytes())?;
    }
    Ok(())
}

fn seals(folder: &Path) -> io::Result<()> {
    let envelope = seal::Envelope {
        payload: b"{}".to_vec(),
        signatures: vec![seal::dsse::Signature { key_id: "k".to_owned(), bytes: vec![7; 64] }],
    };
    let json = envelope.to_json().map_err(io::Error::other)?;
    write(folder, "dsse", "envelope", &json)?;
    let first = seal::log::frame(None, &json);
    let digest = vocabulary::Digest::of(&first[..first.len() - 32]);
    let second = seal::log::frame(Some(&digest), b"{}");
    write(folder, "seal_store", "log", &[first, second].concat())?;
    let (secret, public) = seal::key::generate().map_err(io::Error::other)?;
    write(folder, "seal_key", "private", secret.as_bytes())?;
    write(folder, "seal_key", "public", public.as_bytes())?;
    let line = "me namespaces=\"seal@lazaret\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    write(folder, "seal_key", "allowed", line.as_bytes())?;
    let record = b"lazaret-record-1\n\x01\x20\x00\x01a\xa4\x03\0\0\x01\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07";
    write(folder, "seal_record", "record", record)
}

/// An artefact without databases: its configuration's digest is right.
fn artefacts(folder: &Path) -> io::Result<()> {
    let config = br#"{"schema":"lazaret.artefact/1","program":"0","format":3,"databases":[]}"#;
    let digest = vocabulary::Digest::of(config);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "artifactType":"application/vnd.lazaret.database.v1","config":{{"mediaType":
        "application/vnd.lazaret.database.config.v1+json","digest":"{digest}","size":{}}},"layers":[],
        "annotations":{{"org.opencontainers.image.created":"2099-01-01T00:00:00Z"}}}}"#,
        config.len()
    );
    let signed = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":
        {{"sha256":"{}"}}}}],"predicateType":"urn:lazaret:database:v1","predicate":
        {{"created":"2099-01-01T00:00:00Z","databases":{{}}}}}}"#,
        vocabulary::Digest::of(manifest.as_bytes()).hex()
    );
    let parts = [manifest.as_bytes(), config.as_slice(), signed.as_bytes()];
    write(folder, "artefact", "empty", &parts.join(SEPARATOR))
}

fn documents(folder: &Path) -> io::Result<()> {
    let built = ImageBuilder::new()
        .layer(Layer::new().file("a", "b"))
        .history("COPY a /")
        .empty_history("CMD [\"sh\"]")
        .label("key", "value")
        .build();
    write(folder, "manifest", "manifest", &built.manifest)?;
    write(folder, "manifest", "config", &built.config)?;
    let saved = br#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l/layer.tar"]}]"#;
    write(folder, "manifest", "saved", saved)?;
    let record = br#"{"id":"CVE-2000-1","modified":"2000-01-01T00:00:00Z","aliases":["X-1"],
        "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected":[{"package":{"ecosystem":"Debian:12","name":"a"},"versions":["0.9"],"ranges":
        [{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2-3"}]}]},
        {"package":{"ecosystem":"npm","name":"b"},"ranges":[{"type":"SEMVER","events":
        [{"introduced":"1.0.0"},{"last_affected":"2.0.0"}]}]}]}"#;
    write(folder, "osv", "record", record)?;
    let sarif = br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t","rules":[{"id":"r"}]}},"results":[
        {"ruleId":"r","message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.py"},
        "region":{"startLine":3}}}]}]}]}"#;
    write(folder, "imported", "sarif", sarif)?;
    let id = "a".repeat(64);
    let images = format!(r#"[{{"id":"{id}","names":["docker.io/library/app:1"],"layer":"{id}"}}]"#);
    let layers = format!(r#"[{{"id":"{id}","diff-digest":"sha256:{id}"}}]"#);
    write(folder, "stores", "podman", &[images.as_bytes(), SEPARATOR, layers.as_bytes()].concat())?;
    let digest = format!("sha256:{id}");
    let images: Vec<String> =
        (0..6).map(|number| format!("docker.io/library/app:{number}")).collect();
    let images: Vec<_> = images.iter().map(|name| (name.as_str(), digest.as_str())).collect();
    for (namespace, images) in [("default", &images[..]), ("moby", &images[..2])] {
        let images = testkit::bolt::containerd_images(namespace, images);
        write(folder, "bolt", namespace, &testkit::bolt::file(&images, 3))?;
    }
    let names = format!(r#"{{"Repositories":{{"app":{{"app:1":"sha256:{id}"}}}}}}"#);
    write(folder, "stores", "docker", names.as_bytes())?;
    let policy = b"version: 1\nfail-on: high\nignore:\n  - {id: CVE-2000-1, reason: x, expires: 2000-01-01}\n\
        licences: {allow: [MIT]}\npackages:\n  forbid:\n    - {package: pkg:npm/a*, versions: '< 1', reason: x}\n";
    write(folder, "policy", "policy", policy)?;
    write(folder, "documents", "yaml", b"a: 1 # b\nc:\n  - 'd'\n  - {e: \"f\"}\n")?;
    write(folder, "documents", "json", b"{\"a\": [1, null, \"b\\n\"]}")?;
    write(folder, "documents", "toml", b"a = 1 # b\n[c.d]\ne = [\"f\", 2026-01-02]\n")?;
    let vex = br#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2000-01-01T00:00:00Z","statements":
        [{"vulnerability":{"name":"CVE-2000-1"},"status":"fixed","products":[{"@id":"pkg:npm/a@1"}]}]}"#;
    write(folder, "policy", "openvex", vex)?;
    // `{"predicateType":"https://openvex.dev/ns","subject":[…],"predicate":{}}` about nothing's digest.
    let envelope = br#"{"payloadType":"application/vnd.in-toto+json","payload":"eyJwcmVkaWNhdGVUeXBlIjoiaHR0cHM6Ly9vcGVudmV4LmRldi9ucyIsInN1YmplY3QiOlt7ImRpZ2VzdCI6eyJzaGEyNTYiOiJlM2IwYzQ0Mjk4ZmMxYzE0OWFmYmY0Yzg5OTZmYjkyNDI3YWU0MWU0NjQ5YjkzNGNhNDk1OTkxYjc4NTJiODU1In19XSwicHJlZGljYXRlIjp7fX0=","signatures":[]}"#;
    write(folder, "attached", "envelope", envelope)?;
    let vex = br#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2099-01-01T00:00:00Z","statements":[
        {"vulnerability":{"name":"GO-2099-1","aliases":["CVE-2099-1"]},"status":"not_affected",
        "products":[{"@id":"pkg:golang/example.org%2Fapp","subcomponents":[{"@id":"pkg:golang/example.org%2Fx@v1.0.0"}]}]}]}"#;
    write(folder, "vex", "openvex", vex)?;
    let saved = br#"{"schema":"lazaret.report/1","tool":{"name":"lazaret","version":"0"},"subject":{"kind":"image","name":"x","tags":[]},
        "layers":[],"packages":[],"findings":[],"coverage":[],"databases":[],
        "summary":{"total":{},"by_origin":{},"fixable":0,"packages":0},"decision":{"outcome":"pass","reasons":[]}}"#;
    write(folder, "saved", "report", saved)?;
    let saved = br#"{"schema":"lazaret.report/2","tool":{"name":"lazaret","version":"0"},"subject":{"kind":"container","name":"x","tags":[]},
        "layers":[],"packages":[],"rules":[{"id":"x","class":"secret","title":"X","why":"Y.","severity":"high","remedy":"Z.","always":{"from":"high","one":"x","many":"xs"}}],
        "findings":[{"rule":"x","class":"secret","severity":"high","confidence":"medium","title":"t","location":{"kind":"file","path":"a","line":3},
        "fix":{"kind":"edit","title":"e","safety":"review","file":"a","span":{"line":3,"column":1,"end_line":3,"end_column":9},"replacement":"b"},
        "evidence":[{"kind":"match","file":"a","layer":1,"redacted":{"shown":"made\u2026IJ","length":"medium"}},
        {"kind":"event","event":{"at_ns":1,"process":{"pid":7,"name":"sh"},"ancestors":[],"uid":0,"gid":0,"kind":"listen","transport":"tcp","local":"0.0.0.0:80"},"reason":"r"}],
        "fingerprint":"00"}],"coverage":[],"databases":[],
        "summary":{"total":{},"by_origin":{},"fixable":0,"packages":0},"decision":{"outcome":"findings","reasons":[]}}"#;
    write(folder, "saved", "report-2", saved)?;
    let saved = br#"{"schema":"lazaret.packages/1","tool":{"name":"lazaret","version":"0"},"subject":{"kind":"image","name":"x","tags":["x:1"]},
        "layers":[],"packages":[],"coverage":[{"check":"npm","status":"ran"}],"mismatches":[]}"#;
    write(folder, "saved", "packages", saved)?;
    let kev = br#"{"dateReleased":"2000-01-02T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2000-1",
        "dateAdded":"2000-01-01","dueDate":"2000-01-22","knownRansomwareCampaignUse":"Known"}]}"#;
    write(folder, "kev", "catalogue", kev)?;
    let epss = b"#score_date:2000-01-02T00:00:00Z\ncve,epss,percentile\nCVE-2000-1,0.9,0.99\n";
    write(folder, "epss", "scores", epss)?;
    let bill = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"operating-system","name":"debian",
        "version":"12"},{"type":"library","name":"a","version":"1","purl":"pkg:deb/debian/a@1?arch=amd64",
        "licenses":[{"license":{"id":"MIT"}}],"properties":[{"name":"lazaret:location:layer","value":"2"}]}]}"#;
    write(folder, "sbom", "cyclonedx", bill)?;
    let bill = br#"{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1","externalRefs":
        [{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}],"annotations":[{"comment":"lazaret:origin=base"}]}],
        "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"x"}]}"#;
    write(folder, "sbom", "spdx", bill)?;
    let bill = br#"<components><component type="library" bom-ref="a"><name>a</name><version>1&amp;2</version>
        <licenses><license><id>MIT</id></license></licenses><purl>pkg:npm/a@1</purl></component></components>
        <dependencies><dependency ref="a"><dependency ref="pkg:npm/b@1"/></dependency></dependencies></bom>"#;
    write(folder, "cyclonedx_xml", "components", bill)?;
    let bill = br#"[{"type":"software_Package","spdxId":"urn:a","name":"a","software_packageUrl":"pkg:npm/a@1"},
        {"type":"Relationship","from":"urn:a","relationshipType":"dependsOn","to":["urn:b"]}]"#;
    write(folder, "spdx_linked", "graph", bill)?;
    let bill = b"PackageName: a\nSPDXID: SPDXRef-a\nPackageComment: <text>x\ny</text>\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\nRelationship: SPDXRef-a CONTAINS SPDXRef-b\n";
    write(folder, "spdx_tags", "package", bill)?;
    let bill = br#"[{"name":"a","version":"1","purl":"pkg:deb/debian/a@1?distro=debian-12","licenses":["MIT"],
        "locations":[{"path":"/a"}],"metadata":{"source":"b","sourceVersion":"2"}}],"distro":{"id":"debian","versionID":"12"}"#;
    write(folder, "syft", "artifacts", bill)?;
    let list =
        b"2026-08-20T07:01:02.123456Z,C\n1970-01-01T00:00:09Z,A\n1970-01-01T00:00:08+00:00,B\n";
    write(folder, "modified_id", "list", list)?;
    let parsed = advisories::osv::parse_record(record).map_err(io::Error::other)?;
    for ecosystem in ["Debian", "npm"] {
        let mut builder = advisories::build::Builder::new(vocabulary::Ecosystem::new(ecosystem));
        builder.add(&parsed);
        let built = builder.finish().map_err(io::Error::other)?;
        write(folder, "lzdb", ecosystem, &built.bytes)?;
    }
    Ok(())
}

/// One of each kind of lock file.
const LOCKS: [&str; 8] = [
    r#"{"lockfileVersion":3,"packages":{"":{"name":"a"},"node_modules/b":{"version":"1.0.0","dev":true}},
        "dependencies":{"b":{"version":"1.0.0"}}}"#,
    r#"{"_meta":{},"default":{"a":{"version":"==1.0","markers":"x"}},"develop":{}}"#,
    "lockfileVersion: '9.0'\npackages:\n  '@s/a@1.0.0':\n    resolution: {integrity: x}\n  /b/2.0.0:\n    dev: true\n",
    "version = 3\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\ndependencies = [\"b\"]\n",
    "# yarn lockfile v1\n\n\"@s/a@^1.0.0\", \"@s/a@npm:^1.1.0\":\n  version \"1.2.3\"\n  resolved \"x\"\n",
    "module a.test/b\n\ngo 1.21\n\nrequire (\n\tc.test/d v1.2.3 // indirect\n)\nreplace c.test/d => ./d\n",
    "a==1.0 ; python_version<'3'\nb[c]>=2 \\\n  --hash=sha256:00\n-r other.txt\n",
    "GEM\n  remote: https://a.test/\n  specs:\n    a (1.0-x86_64-linux)\n      b (~> 1)\n    b (1.2)\n\nPLATFORMS\n  ruby\n",
];

/// A zip of one stored file.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let checksum = !content.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    let number = |value: usize| u32::try_from(value).expect("small").to_le_bytes();
    let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    common.extend(checksum.to_le_bytes());
    common.extend(number(content.len()));
    common.extend(number(content.len()));
    common.extend(number(name.len()));
    let local = [&b"PK\x03\x04"[..], &common, name.as_bytes(), content].concat();
    let central = [&b"PK\x01\x02\x14\0"[..], &common, &[0; 14], name.as_bytes()].concat();
    let end =
        [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &number(central.len()), &number(local.len())];
    [local, central, end.concat(), vec![0, 0]].concat()
}

/// A .NET program in a single file, without the sign of its kind, which is put before it.
fn single_file(deps: &str) -> Vec<u8> {
    let mut bytes = vec![0; 124];
    bytes[..2].copy_from_slice(&[2, 1]);
    bytes[12] = 2;
    let header = u64::try_from(4 + bytes.len() + 40 + deps.len()).expect("small");
    bytes.extend(header.to_le_bytes());
    bytes.extend([
        0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0,
        0x32, 0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3,
        0x6a, 0xae,
    ]);
    bytes.extend(deps.as_bytes());
    bytes.extend([6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, b'a']);
    for value in [168, u64::try_from(deps.len()).expect("small"), 0, 0, 0] {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

fn carriers(folder: &Path) -> io::Result<()> {
    let pom = zip("META-INF/maven/a/b/pom.properties", b"groupId=a\nartifactId=b\nversion=1\n");
    let descriptor = zip("META-INF/maven/a/b/pom.xml", b"<project><version>1</version></project>");
    let bundle =
        zip("META-INF/MANIFEST.MF", b"Bundle-SymbolicName: a.b\r\nBundle-Version: 1.0.0\r\n");
    let egg = zip("EGG-INFO/PKG-INFO", b"Metadata-Version: 1.0\nName: a\nVersion: 1\n");
    let samples = [
        ("java", pom.clone()),
        ("java", zip("lib/b-1.jar", &pom)),
        ("zip", zip("a.json", b"content")),
        ("java", descriptor),
        ("java", bundle),
        ("python", egg.clone()),
        ("python", zip("a-1.whl", &egg)),
    ];
    for (number, (target, bytes)) in samples.into_iter().enumerate() {
        // Each interest once; the last ones begin with the sign of a script.
        for which in 0..20_u8 {
            let script = [b"in/env python\n".as_slice(), &bytes].concat();
            let content = if which >= 18 { &script } else { &bytes };
            let seed = [&[which, which], content.as_slice()].concat();
            write(folder, target, &format!("carrier-{number}-{which}"), &seed)?;
        }
    }
    let deps = r#"{"runtimeTarget":{"name":"x"},"targets":{"x":{"A.B/1.0.0":{"runtime":{"lib/a.dll":{}}}}},
        "libraries":{"A.B/1.0.0":{"type":"package"}}}"#;
    write(folder, "dotnet", "single-file", &[&[1, 7], single_file(deps).as_slice()].concat())
}

fn texts(folder: &Path) -> io::Result<()> {
    carriers(folder)?;
    let status = "Package: a\nStatus: install ok installed\nVersion: 1:2.0-1\nArchitecture: amd64\n\
                  Source: b (2.0)\nDescription: x\n y\n\n";
    let list = "/.\n/usr\n/usr/bin/a\n";
    let sums = "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n";
    let mut dpkg = Vec::new();
    for (which, variant, text) in [(0, 0, status), (1, 1, list), (1, 2, sums), (2, 0, status)] {
        dpkg.extend([which, variant]);
        dpkg.extend_from_slice(text.as_bytes());
        dpkg.extend_from_slice(SEPARATOR);
    }
    write(folder, "dpkg", "several", &dpkg)?;
    let apk =
        "P:a\nV:1.2-r3\nA:x86_64\nL:MIT\no:b\nF:usr/bin\nR:a\nZ:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n\n";
    let os = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian'\nID_LIKE=\"x y\"\n";
    let python = "Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.0\nLicense: MIT\n\nText\n";
    let record = "a/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n";
    let node = r#"{"name":"@scope/a","version":"1.0.0","license":"MIT"}"#;
    let composer = r#"{"packages":[{"name":"a/b","version":"v1.2.x-dev","license":["MIT"],"dist":{"type":"zip"}}],
        "packages-dev":[]}"#;
    let deps = r#"{"runtimeTarget":{"name":"x"},"targets":{"x":{"A.B/1.0.0":{"runtime":{"lib/a.dll":{}}}}},
        "libraries":{"A.B/1.0.0":{"type":"package"},"runtimepack.C/1.0":{"type":"runtimepack"}}}"#;
    let pubspec = "packages:\n  a:\n    description:\n      name: a\n    source: hosted\n    version: \"1.0.0+1\"\nsdks:\n";
    let mix = "%{\n  \"a\": {:hex, :b, \"1.0.0\", \"00\", [:mix], [{:c, \"~> 1\", []}], \"hexpm\", \"00\"},\n}\n";
    let swift = r#"{"pins":[{"kind":"remoteSourceControl","location":"https://a.test/b/c.git",
        "state":{"version":"1.0.0"}}],"object":{"pins":[{"repositoryURL":"x","state":{"version":null}}]}}"#;
    let gemspec = "# stub: a 1.0 ruby lib\nGem::Specification.new do |s|\n  s.name = \"a\".freeze\n  s.version = \"1.0\"\n  s.licenses = [\"MIT\".freeze, \"ISC\".freeze]\nend\n";
    let samples = [
        ("apk", apk),
        ("os_release", os),
        ("python", python),
        ("python", record),
        ("javascript", node),
        (
            "javascript",
            "const RAW_RUNTIME_STATE =\n'{\\\n\"packageRegistryData\": [[\"a\",[[\"npm:1.0.0\",\
            {\"packageLocation\":\"./.yarn/cache/a.zip/node_modules/a/\"}]]]]}';\n",
        ),
        (
            "yarn_lock",
            "# yarn lockfile v1\n\n\"a@^1\", \"a@x/y\":\n  \"version\" \"1.0.0\"\n  \"resolved\" \"git+https://a.test/b.git#c\"\n",
        ),
        (
            "yarn_lock",
            "__metadata:\n  version: 8\n\"a@patch:a@npm%3A1.0.0#x\":\n  version: 1.0.0\n  resolution: \"a@patch:a@npm%3A1.0.0#x\"\n",
        ),
        (
            "pnpm_lock",
            "---\nlockfileVersion: '9.0'\nimporters: {a: {dependencies: {b: {version: 'link:../b'}}}}\npackages:\n  c@git+https://a.test/c.git#d: {resolution: {repo: x, commit: y, type: git}, version: 1.0.0}\n",
        ),
        ("package_lock", LOCKS[0]),
        ("pipfile_lock", LOCKS[1]),
        ("pnpm_lock", LOCKS[2]),
        ("poetry_lock", LOCKS[3]),
        ("uv_lock", LOCKS[3]),
        ("cargo_lock", LOCKS[3]),
        ("yarn_lock", LOCKS[4]),
        ("go_mod", LOCKS[5]),
        ("requirements", LOCKS[6]),
        ("gemfile_lock", LOCKS[7]),
        ("ruby", gemspec),
        ("php", composer),
        ("dotnet", deps),
        ("pubspec_lock", pubspec),
        ("mix_lock", mix),
        ("rebar_lock", "{\"1.2.0\",\n[{<<\"a\">>,{pkg,<<\"a\">>,<<\"2.5.3\">>},1}]}.\n[].\n"),
        ("package_resolved", swift),
        ("bun_lock", "{\"packages\": {\n\"a\": [\"a@1.0.0\", \"\", {}, \"sha512-AA\"],\n}}\n"),
        ("cabal_freeze", "constraints: any.a ==1.2.3,\n hackage: b-0.3@sha256:00,6\n"),
        (
            "conan_lock",
            r#"{"requires":["a/1.2#00%1"],"graph_lock":{"nodes":{"1":{"ref":"b/1#0"}}}}"#,
        ),
        (
            "deno_lock",
            r#"{"version":"5","npm":{"@s/a@1.0.0_b@1":{}},"packages":{"npm":{"c@1":{}}}}"#,
        ),
        ("github_actions", "steps:\n  - uses: a/b@v1.2.3 # x\n  - uses: \"c/d/e@main\"\n"),
        ("gradle_lock", "# x\na.b:c:1.0=d\nempty=e\n"),
        ("pdm_lock", LOCKS[3]),
        (
            "podfile_lock",
            "PODS:\n  - A/B (1.0):\n    - C\n\nEXTERNAL SOURCES:\n  A:\n    :path: x\n",
        ),
        (
            "pom_xml",
            "<project><properties><v>1</v></properties><dependencies><dependency><groupId>a</groupId>\
            <artifactId>b</artifactId><version>${v}</version></dependency></dependencies></project>",
        ),
        ("conda_environment", "dependencies:\n  - a=1.0.0=b\n  - pip:\n    - c==1.0\n"),
        (
            "conda_lock",
            "version: 1\npackage:\n- name: a\n  version: '1.0'\n  manager: conda\n  url: https://a.test/a\n",
        ),
        ("luarocks_lock", "return {\n   dependencies = {\n      a = \"1.0-1\",\n   }\n}\n"),
        (
            "opam_locked",
            "depends: [\n  \"a\" {= \"1.0\" & build}\n]\npin-depends: [[\"b.1\" \"c\"]]\n",
        ),
        ("renv_lock", r#"{"Packages":{"a":{"Version":"1.0","Source":"Repository"}}}"#),
        ("terraform_lock", "provider \"a/b/c\" {\n  version = \"1.0.0\"\n}\n"),
        (
            "nuget_lock",
            r#"{"version":1,"dependencies":{"net8.0":{"A.B":{"type":"Direct","resolved":"1.0.0-a"}}}}"#,
        ),
        (
            "packages_config",
            "<packages>\n<!-- x -->\n<package id=\"A.B\" version='1.0' />\n</packages>\n",
        ),
        ("composer_lock", composer),
        ("chart_lock", "dependencies:\n- {name: a, version: 1.0.0}\n"),
        (
            "directory_packages",
            "<Project><PackageVersion Include=\"A.B\" Version='1.0' /></Project>",
        ),
        ("julia_manifest", "[[A]]\nuuid = \"x\"\ngit-tree-sha1 = \"00\"\nversion = \"1.0\"\n"),
        ("manifests", r#"{"dependencies":{"a":"1.0.0"},"workspaces":["b/*"]}"#),
        ("paket_lock", "NUGET\n  remote: x\n    A.B (1.0)\n      C (>= 1)\n"),
        ("project_assets", r#"{"libraries":{"A.B/1.0.0":{"type":"package"}}}"#),
        ("pylock", "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1.0\"\n"),
        ("sbt_lock", r#"{"dependencies":[{"org":"a.b","name":"c","version":"1.0"}]}"#),
        ("vcpkg", r#"{"dependencies":["a"],"overrides":[{"name":"a","version":"1.0"}]}"#),
        ("pacman", "%NAME%\na\n\n%VERSION%\n1:1.0-1\n\n%BASE%\nb\n\n%LICENSE%\nMIT\n\n"),
        (
            "pacman",
            "%FILES%\nusr/\nusr/bin/a\n\n%BACKUP%\netc/a\td41d8cd98f00b204e9800998ecf8427e\n",
        ),
        (
            "bottlerocket",
            r#"{"Content":[{"Name":"a","Version":"1","Release":"2","Epoch":"1","Architecture":"x86_64"}]}"#,
        ),
        (
            "chisel",
            "{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":3}\n{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\",\"arch\":\"amd64\"}\n{\"kind\":\"path\",\"path\":\"/a\",\"slices\":[\"a_b\"],\"sha256\":\"00\"}\n",
        ),
        ("homebrew", "{}"),
        ("opkg", "Package: a\nVersion: 1\nStatus: install ok installed\nArchitecture: all\n\n"),
        ("slackware", "PACKAGE NAME: a\nFILE LIST:\n./\nusr/bin/a\n"),
        ("snap", "name: a\nversion: '1.0'\nlicense: MIT\n"),
        ("unread", "a"),
        (
            "xbps",
            "<plist><dict><key>a</key><dict><key>pkgver</key><string>a-1_1</string></dict></dict></plist>",
        ),
        ("portage", "obj /usr/bin/a d41d8cd98f00b204e9800998ecf8427e 1\nsym /usr/b -> c 1\n"),
        ("nix", "a"),
        (
            "r",
            "Package: a\nVersion: 1.0\nLicense: MIT\n or b\nRepository: CRAN\nBuilt: R 4.3.1; ; ; unix\n",
        ),
        ("haskell", "name: a\nversion: 1.0\nlicense: MIT\ndescription:\n    b\n"),
        ("luarocks", "description = {\n   license = \"MIT\",\n}\n"),
        ("opam", "opam-version: \"2.0\"\nlicense: \"MIT\"\n"),
        (
            "wordpress",
            "<?php\n/*\nPlugin Name: A\nTheme Name: B\nVersion: 1.0 */\n$wp_version = '6.4.3';\n",
        ),
        ("conda", r#"{"name":"a","version":"1.0","channel":"https://a.test/b","files":["lib/a"]}"#),
    ];
    for (number, (target, text)) in samples.into_iter().enumerate() {
        for which in 0..4_u8 {
            let seed = [&[which, which], text.as_bytes()].concat();
            write(folder, target, &format!("{number}-{which}"), &seed)?;
        }
    }
    let versions = [
        "1:2.0~rc1-1+b2\n1.0\n1.0",
        "1.0a1.post2.dev3+local\n1!0\n1",
        "v1.2.3-alpha.1+x\n1.2.3\n1",
        "1.0-SNAPSHOT\n1-1.foo-bar1baz-.1\n1.0",
        "1.2_p1-r0\n1.2b\n1.2",
    ];
    for (number, text) in versions.into_iter().enumerate() {
        for scheme in 0..17_u8 {
            let seed = [&[scheme], text.as_bytes()].concat();
            write(folder, "version_order", &format!("{number}-{scheme}"), &seed)?;
        }
    }
    for (number, purl) in ["pkg:npm/%40scope/a@1.0?k=v#p/q", "pkg:deb/debian/a@1%3A2?arch=amd64"]
        .into_iter()
        .enumerate()
    {
        write(folder, "purl", &number.to_string(), purl.as_bytes())?;
    }
    let vectors = [
        "AV:N/AC:L/Au:N/C:C/I:C/A:C",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H/E:P/MAV:L",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
    ];
    for (number, vector) in vectors.into_iter().enumerate() {
        write(folder, "cvss", &number.to_string(), vector.as_bytes())?;
    }
    Ok(())
}
