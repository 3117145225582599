//! VEX documents that are attached to an image: taken only when asked, with where each came from.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use base64::Engine as _;
use common::{Bench, code, image, stderr, stdout};
use serde_json::{Value, json};
use testkit::registry::{RegistryOptions, answer};
use testkit::{RegistryDaemon, Reply, Server};
use vocabulary::Digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OPENVEX: &str = "application/vnd.openvex+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// What says of a vulnerability that it does not matter in a package of the image.
fn vex(id: &str, product: &str) -> Value {
    json!({"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2099-01-01T00:00:00Z", "statements": [
        {"vulnerability": {"name": id}, "status": "not_affected",
         "justification": "vulnerable_code_not_present", "products": [{"@id": product}]}]})
}

/// The whole image by its digest, or all of a package.
fn documents(subject: &Digest) -> [Value; 2] {
    [
        vex("CVE-2099-0001", &format!("pkg:oci/shop@{}", subject.to_string().replace(':', "%3A"))),
        vex("CVE-2099-0002", "pkg:deb/debian/libopensel3"),
    ]
}

/// A manifest of one blob.
fn manifest(media_type: &str, blob: &[u8], subject: Option<&Digest>) -> Vec<u8> {
    let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": media_type,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}"), "size": 2},
        "layers": [{"mediaType": media_type, "digest": Digest::of(blob), "size": blob.len()}]});
    if let Some(subject) = subject {
        manifest["subject"] = json!({"mediaType": MANIFEST, "digest": subject, "size": 1});
    }
    manifest.to_string().into_bytes()
}

/// Lists a manifest.
fn listing(manifest: &[u8]) -> Vec<u8> {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"mediaType": MANIFEST,
        "digest": Digest::of(manifest), "size": manifest.len(), "artifactType": OPENVEX}]})
    .to_string()
    .into_bytes()
}

/// A statement about an image in an envelope, as cosign attaches it.
fn envelope(vex: &Value, subject: &Digest) -> Vec<u8> {
    let statement = json!({"_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://openvex.dev/ns/v0.2.0",
        "subject": [{"name": "shop", "digest": {"sha256": subject.hex()}}], "predicate": vex});
    let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
    json!({"payloadType": "application/vnd.in-toto+json", "payload": payload,
        "signatures": [{"sig": "bm90IHZlcmlmaWVk"}]})
    .to_string()
    .into_bytes()
}

/// What was silenced, and by what.
fn silenced(bench: &Bench, reference: &str, more: &[&str]) -> Vec<(String, String)> {
    let mut arguments = vec!["scan", reference, "--no-cache", "-o", "json=report.json"];
    arguments.extend(more);
    let output = bench.run(&arguments);
    assert_eq!(code(&output), 0, "{}{}", stderr(&output), stdout(&output));
    let report = bench.json("report.json");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let suppressed = report["decision"]["suppressed"].as_array().cloned().unwrap_or_default();
    suppressed.iter().map(|one| (text(&one["id"]), text(&one["by"]))).collect()
}

fn expected(subject: &Digest) -> Vec<(String, String)> {
    let [whole, package] = documents(subject);
    let [bare, signed] = [whole.to_string().into_bytes(), envelope(&package, subject)];
    vec![
        ("CVE-2099-0001".to_owned(), format!("attached {}, unsigned", Digest::of(&bare))),
        (
            "CVE-2099-0002".to_owned(),
            format!("attached {}, signature not verified", Digest::of(&signed)),
        ),
    ]
}

#[test]
fn what_is_attached_in_a_registry_without_referrers_is_found_by_tags() {
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else { return };
    let bench = Bench::with_database();
    let built = image().write_oci_dir(bench.path().join("layout")).unwrap();
    registry.push(&bench.path().join("layout"), "shop:1");
    let subject = &built.manifest_digest;
    let [whole, package] = documents(subject);
    let tag = format!("sha256-{}", subject.hex());

    let bare = whole.to_string().into_bytes();
    let referrer = manifest(OPENVEX, &bare, Some(subject));
    for blob in [&b"{}"[..], &bare] {
        registry.put_blob("shop", blob);
    }
    registry.put_manifest("shop", &Digest::of(&referrer).to_string(), MANIFEST, &referrer);
    registry.put_manifest("shop", &tag, INDEX, &listing(&referrer));
    let signed = envelope(&package, subject);
    registry.put_blob("shop", &signed);
    let attestation = manifest(ENVELOPE, &signed, None);
    registry.put_manifest("shop", &format!("{tag}.att"), MANIFEST, &attestation);

    let reference = format!("registry:{}/shop:1", registry.host());
    assert_eq!(silenced(&bench, &reference, &[]), []);
    for word in ["attached", "oci"] {
        assert_eq!(silenced(&bench, &reference, &["--vex", word]), expected(subject), "{word}");
    }
    let refused = bench.run(&["diff", "oci-dir:layout", "oci-dir:layout", "--vex", "attached"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("not with `diff`"), "{}", stderr(&refused));
}

/// A registry with one image and its referrers.
fn with_referrers(document: &[u8], of: Option<&Digest>) -> (Server, Digest) {
    let built = image().build();
    let subject = built.manifest_digest.clone();
    let referrer = manifest(OPENVEX, document, Some(of.unwrap_or(&subject)));
    let (document, own) = (document.to_vec(), subject.clone());
    let server = Server::start(move |request| {
        let last = request.path.rsplit('/').next().unwrap_or_default();
        match last {
            _ if request.path == format!("/v2/shop/referrers/{own}") => {
                Reply::ok(listing(&referrer)).header("content-type", INDEX)
            }
            _ if last == Digest::of(&referrer).to_string() => Reply::ok(referrer.clone()),
            _ if last == Digest::of(&document).to_string() => Reply::ok(document.clone()),
            _ => answer(&built, request),
        }
    });
    (server.unwrap(), subject)
}

#[test]
fn referrers_are_asked_for_only_with_the_option() {
    let bench = Bench::with_database();
    let subject = image().build().manifest_digest;
    let bare = documents(&subject)[0].to_string().into_bytes();
    let (server, subject) = with_referrers(&bare, None);
    let host = server.url().trim_start_matches("http://");
    let reference = format!("registry:{host}/shop:1");
    assert_eq!(silenced(&bench, &reference, &[]), []);
    let asked = |server: &Server, part: &str| {
        server.received().iter().filter(|request| request.path.contains(part)).count()
    };
    assert_eq!((asked(&server, "referrers"), asked(&server, ".att")), (0, 0));
    assert_eq!(silenced(&bench, &reference, &["--vex", "attached"]), expected(&subject)[..1]);
    assert_eq!((asked(&server, "referrers"), asked(&server, ".att")), (1, 1));
    assert_eq!(asked(&server, &format!("manifests/sha256-{}", subject.hex())), 1, "only cosign's");
}

#[test]
fn what_is_attached_to_another_image_silences_nothing() {
    let bench = Bench::with_database();
    let other = Digest::of(b"another image");
    let bare = vex("CVE-2099-0002", "pkg:deb/debian/libopensel3").to_string().into_bytes();
    let (server, _) = with_referrers(&bare, Some(&other));
    let host = server.url().trim_start_matches("http://");
    let reference = format!("registry:{host}/shop:1");
    assert_eq!(silenced(&bench, &reference, &["--vex", "attached"]), []);
}

#[test]
fn what_is_attached_but_cannot_be_read_is_said() {
    let bench = Bench::with_database();
    let (server, _) = with_referrers(b"no JSON", None);
    let host = server.url().trim_start_matches("http://");
    let reference = format!("registry:{host}/shop:1");
    let scanned = bench.run(&["scan", &reference, "--vex", "attached", "--format", "json"]);
    assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let coverage = report["coverage"].as_array().unwrap();
    let own = coverage.iter().find(|one| one["check"] == "attached-vex").unwrap();
    assert_eq!(own["status"], "partial");
    assert_eq!(own["problems"][0]["path"], Digest::of(b"no JSON").to_string());
}

#[test]
fn what_lies_beside_an_image_in_its_layout_is_found_by_its_subject() {
    let bench = Bench::with_database();
    let layout = bench.path().join("layout");
    let built = image().write_oci_dir(&layout).unwrap();
    let subject = &built.manifest_digest;
    let [whole, package] = documents(subject);
    let bare = whole.to_string().into_bytes();
    let signed = envelope(&package, subject);
    let manifests = [manifest(OPENVEX, &bare, Some(subject)), manifest(ENVELOPE, &signed, None)];
    let mut index: Value =
        serde_json::from_slice(&bench.read("layout/index.json").into_bytes()).unwrap();
    for (manifest, tag) in manifests.iter().zip(["", ".att"]) {
        let mut entry =
            json!({"mediaType": MANIFEST, "digest": Digest::of(manifest), "size": manifest.len()});
        if tag.is_empty() {
            entry["artifactType"] = json!(OPENVEX);
        } else {
            let name = format!("sha256-{}{tag}", subject.hex());
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        index["manifests"].as_array_mut().unwrap().push(entry);
    }
    bench.write("layout/index.json", index.to_string());
    for blob in [&bare, &signed, &manifests[0], &manifests[1]] {
        bench.write(&format!("layout/blobs/sha256/{}", Digest::of(blob).hex()), blob);
    }
    assert_eq!(silenced(&bench, "oci-dir:layout", &[]), []);
    assert_eq!(silenced(&bench, "oci-dir:layout", &["--vex", "attached"]), expected(subject));
    // Likewise through the tag that stands in for a registry's list.
    let list = listing(&manifests[0]);
    bench.write(&format!("layout/blobs/sha256/{}", Digest::of(&list).hex()), &list);
    let last = index["manifests"].as_array().unwrap().len() - 2;
    index["manifests"][last] = json!({"mediaType": INDEX, "digest": Digest::of(&list), "size": list.len(),
        "annotations": {"org.opencontainers.image.ref.name": format!("sha256-{}", subject.hex())}});
    bench.write("layout/index.json", index.to_string());
    assert_eq!(silenced(&bench, "oci-dir:layout", &["--vex", "attached"]), expected(subject));
    // A changed document is not believed.
    let place = format!("layout/blobs/sha256/{}", Digest::of(&signed).hex());
    bench.write(&place, [signed.as_slice(), b" "].concat());
    let scanned = bench.run(&["scan", "oci-dir:layout", "--vex", "attached"]);
    assert_eq!(code(&scanned), 3);
    assert!(stdout(&scanned).contains("its content has another digest"), "{}", stdout(&scanned));
}
