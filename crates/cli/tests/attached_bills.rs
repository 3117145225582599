//! `sbom:attached:`: bills that are attached to an image, each a claim with where it came from.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use base64::Engine as _;
use common::{Bench, code, image, stderr, stdout};
use serde_json::{Value, json};
use testkit::RegistryDaemon;
use testkit::registry::RegistryOptions;
use vocabulary::Digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A manifest of one blob, which may be about another.
fn manifest(media_type: &str, blob: &[u8], subject: Option<&Digest>) -> Value {
    let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": media_type,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}"), "size": 2},
        "layers": [{"mediaType": media_type, "digest": Digest::of(blob), "size": blob.len()}]});
    if let Some(subject) = subject {
        manifest["subject"] = json!({"mediaType": MANIFEST, "digest": subject, "size": 1});
    }
    manifest
}

fn statement(kind: &str, predicate: &Value, subject: &Digest) -> Value {
    json!({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
        "subject": [{"name": "shop", "digest": {"sha256": subject.hex()}}], "predicate": predicate})
}

fn envelope(statement: &Value) -> Value {
    let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
    json!({"payloadType": IN_TOTO, "payload": payload, "signatures": [{"sig": "bm90IHZlcmlmaWVk"}]})
}

/// A bench with an image in a layout, its digest, and its bill.
fn bench() -> (Bench, Digest, Value) {
    let bench = Bench::with_database();
    let built = image().write_oci_dir(bench.path().join("layout")).unwrap();
    let listed = bench.run(&["sbom", "oci-dir:layout", "-o", "cyclonedx=bill.json"]);
    assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    let bill = bench.json("bill.json");
    (bench, built.manifest_digest, bill)
}

/// Puts a blob into the layout.
fn put(bench: &Bench, blob: &[u8]) -> Digest {
    let digest = Digest::of(blob);
    bench.write(&format!("layout/blobs/sha256/{}", digest.hex()), blob);
    digest
}

/// Puts manifests beside the image in the index of its layout.
fn beside(bench: &Bench, entries: &[(Value, Value)]) {
    let mut index = bench.json("layout/index.json");
    for (manifest, more) in entries {
        let bytes = manifest.to_string();
        let mut entry = json!({"mediaType": MANIFEST, "digest": put(bench, bytes.as_bytes()), "size": bytes.len()});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        index["manifests"].as_array_mut().unwrap().push(entry);
    }
    bench.write("layout/index.json", index.to_string());
}

/// Exit code, ids of findings, and the line of the bill in the coverage.
fn scanned(bench: &Bench, reference: &str) -> (i32, Vec<String>, Value) {
    let output = bench.run(&["scan", reference, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| json!({"error": stderr(&output)}));
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let ids = findings.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let coverage = report["coverage"].as_array().cloned().unwrap_or_default();
    let own = coverage.into_iter().find(|one| one["check"] == "sbom").unwrap_or(report);
    (code(&output), ids, own)
}

const IDS: [&str; 4] = ["CVE-2099-0001", "CVE-2099-0002", "GHSA-aaaa-bbbb-cccc", "CVE-2099-0003"];

#[test]
fn bills_of_cosign_are_found_in_a_registry_and_named_by_their_digests() {
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else { return };
    let (bench, subject, bill) = bench();
    registry.push(&bench.path().join("layout"), "shop:1");
    let reference = format!("sbom:attached:registry:{}/shop:1", registry.host());
    let none = bench.run(&["scan", &reference]);
    assert_eq!(code(&none), 2, "{}", stdout(&none));
    let said = format!("no bill of materials is attached to `registry:{}/shop:1`", registry.host());
    assert!(stderr(&none).contains(&said), "{}", stderr(&none));
    // `cosign attest`, and beside it a statement of another kind.
    let signed = envelope(&statement("https://cyclonedx.org/bom", &bill, &subject)).to_string();
    let other =
        envelope(&statement("https://slsa.dev/provenance/v1", &json!({}), &subject)).to_string();
    let mut attestation = manifest(ENVELOPE, signed.as_bytes(), None);
    attestation["layers"].as_array_mut().unwrap().push(
        json!({"mediaType": ENVELOPE, "digest": Digest::of(other.as_bytes()), "size": other.len()}),
    );
    // `cosign attach sbom`.
    let tags = "SPDXVersion: SPDX-2.3\nPackageName: demo-web\nSPDXID: SPDXRef-a\nPackageVersion: 1.5\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:pypi/demo-web@1.5\n\
        PackageName: evil-demo\nSPDXID: SPDXRef-b\nPackageVersion: 6.6.6\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:npm/evil-demo@6.6.6\n";
    for blob in [&b"{}"[..], signed.as_bytes(), other.as_bytes(), tags.as_bytes()] {
        registry.put_blob("shop", blob);
    }
    let tag = format!("sha256-{}", subject.hex());
    let attestation = attestation.to_string();
    registry.put_manifest("shop", &format!("{tag}.att"), MANIFEST, attestation.as_bytes());
    let attached = manifest("text/spdx", tags.as_bytes(), None).to_string();
    registry.put_manifest("shop", &format!("{tag}.sbom"), MANIFEST, attached.as_bytes());
    let (exit, ids, own) = scanned(&bench, &reference);
    // What either lists counts: a malicious package is over every line.
    assert_eq!(exit, 1, "{own}");
    assert_eq!(ids[0], "MAL-2099-1");
    assert_eq!(ids[1..], IDS);
    let reason = own["reason"].as_str().unwrap();
    for part in [
        "a claim of whoever attached it".to_owned(),
        format!(
            "CycloneDX 1.6 attached as {}, signature not verified",
            Digest::of(signed.as_bytes())
        ),
        format!("SPDX 2.3 attached as {}, unsigned", Digest::of(tags.as_bytes())),
        "not used, since it is no bill of it: a statement of the type `https://slsa.dev/provenance/v1`".to_owned(),
    ] {
        assert!(reason.contains(&part), "{reason}");
    }
    let text = stdout(&bench.run(&["scan", &reference]));
    assert!(text.contains("signature not verified"), "{text}");
}

#[test]
fn a_bill_that_refers_to_an_image_in_its_layout_is_found_and_gives_its_findings() {
    let (bench, subject, bill) = bench();
    let bytes = bill.to_string();
    put(&bench, bytes.as_bytes());
    let referrer = manifest(CYCLONEDX, bytes.as_bytes(), Some(&subject));
    beside(&bench, &[(referrer, json!({"artifactType": CYCLONEDX}))]);
    let (exit, ids, own) = scanned(&bench, "sbom:attached:oci-dir:layout");
    assert_eq!((exit, ids), (0, IDS.map(str::to_owned).to_vec()), "{own}");
    let image = bench.run(&["scan", "oci-dir:layout", "--format", "json"]);
    let image: Value = serde_json::from_slice(&image.stdout).unwrap();
    let attached = bench.run(&["scan", "sbom:attached:oci-dir:layout", "--format", "json"]);
    let attached: Value = serde_json::from_slice(&attached.stdout).unwrap();
    assert_eq!(attached["findings"], image["findings"]);
    assert_eq!(attached["subject"]["manifest_digest"], image["subject"]["manifest_digest"]);
    assert_eq!(attached["subject"]["kind"], "sbom");
    let listed = bench.run(&["sbom", "sbom:attached:layout", "--format", "spdx"]);
    assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    // What was changed afterwards is not believed, and none is left.
    bench.write(
        &format!("layout/blobs/sha256/{}", Digest::of(bytes.as_bytes()).hex()),
        format!("{bytes} "),
    );
    let changed = bench.run(&["scan", "sbom:attached:oci-dir:layout"]);
    assert_eq!(code(&changed), 3, "{}", stdout(&changed));
    assert!(stderr(&changed).contains("its content has another digest"), "{}", stderr(&changed));
}

#[test]
fn statements_that_buildkit_puts_into_the_index_of_an_image_are_read() {
    let (bench, subject, bill) = bench();
    let blob = statement("https://cyclonedx.org/bom", &bill, &subject).to_string();
    put(&bench, blob.as_bytes());
    let mut attestation = manifest(IN_TOTO, blob.as_bytes(), None);
    attestation["layers"][0]["annotations"] =
        json!({"in-toto.io/predicate-type": "https://cyclonedx.org/bom"});
    // Its provenance is not even fetched: it is not there.
    attestation["layers"].as_array_mut().unwrap().push(json!({"mediaType": IN_TOTO,
        "digest": Digest::of(b"gone"), "size": 4,
        "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}));
    let mut own = bench.json("layout/index.json")["manifests"][0].clone();
    own["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let attestation = attestation.to_string();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [own,
        {"mediaType": MANIFEST, "digest": put(&bench, attestation.as_bytes()), "size": attestation.len(),
         "platform": {"os": "unknown", "architecture": "unknown"},
         "annotations": {"vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": subject.to_string()}}]})
    .to_string();
    let top = json!({"schemaVersion": 2, "manifests": [{"mediaType": INDEX,
        "digest": put(&bench, index.as_bytes()), "size": index.len()}]});
    bench.write("layout/index.json", top.to_string());
    let (exit, ids, own) = scanned(&bench, "sbom:attached:oci-dir:layout");
    assert_eq!((exit, ids), (0, IDS.map(str::to_owned).to_vec()), "{own}");
    assert!(own["reason"].as_str().unwrap().contains("unsigned"), "{own}");
    let packed = std::process::Command::new("tar")
        .args(["-cf", "layout.tar", "-C", "layout", "."])
        .current_dir(bench.path())
        .status();
    if packed.is_ok_and(|status| status.success()) {
        let (exit, ids, own) = scanned(&bench, "sbom:attached:oci-archive:layout.tar");
        assert_eq!((exit, ids.len()), (0, 4), "{own}");
    }
}

#[test]
fn an_attestation_that_is_not_used_is_named_and_one_that_may_be_a_bill_is_a_gap() {
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else { return };
    let (bench, subject, bill) = bench();
    registry.push(&bench.path().join("layout"), "shop:1");
    let reference = format!("sbom:attached:registry:{}/shop:1", registry.host());
    let tag = format!("sha256-{}.att", subject.hex());
    let attest = |statements: &[Value]| {
        let envelopes: Vec<String> =
            statements.iter().map(|one| envelope(one).to_string()).collect();
        let mut all = manifest(ENVELOPE, b"{}", None);
        all["layers"] = envelopes
            .iter()
            .map(|one| json!({"mediaType": ENVELOPE, "digest": Digest::of(one.as_bytes()), "size": one.len()}))
            .collect();
        registry.put_blob("shop", b"{}");
        envelopes.iter().for_each(|one| registry.put_blob("shop", one.as_bytes()));
        registry.put_manifest("shop", &tag, MANIFEST, all.to_string().as_bytes());
    };
    let of = |kind: &str| statement(kind, &json!({}), &subject);
    // Nothing but what is known to be no bill: there is none, and what there is has a name.
    let foreign = statement("https://cyclonedx.org/bom", &bill, &Digest::of(b"another"));
    attest(&[of("https://slsa.dev/provenance/v1"), foreign.clone()]);
    let none = bench.run(&["scan", &reference]);
    assert_eq!(code(&none), 2, "{}", stdout(&none));
    let said = stderr(&none);
    assert!(said.contains("no bill of materials is attached"), "{said}");
    assert!(said.contains("`https://slsa.dev/provenance/v1`"), "{said}");
    assert!(said.contains("`https://cyclonedx.org/bom` about another image"), "{said}");
    // `cosign attest` without a type: nobody knows what is in it.
    let custom = "https://cosign.sigstore.dev/attestation/v1";
    attest(&[of(custom)]);
    let unread = bench.run(&["scan", &reference]);
    assert_eq!(code(&unread), 3, "{}", stdout(&unread));
    assert!(stderr(&unread).contains(custom), "{}", stderr(&unread));
    attest(&[statement("https://cyclonedx.org/bom", &bill, &subject), of(custom), foreign]);
    let (exit, ids, own) = scanned(&bench, &reference);
    assert_eq!((exit, ids.len()), (3, 4), "{own}");
    assert_eq!(own["status"], "partial");
    let problem = own["problems"][0]["reason"].as_str().unwrap();
    assert!(problem.contains(custom) && problem.contains("may be a bill"), "{problem}");
    let reason = own["reason"].as_str().unwrap();
    assert!(reason.contains("about another image"), "{reason}");
}

#[test]
fn a_bundle_about_another_image_is_none_of_this_one() {
    let (bench, subject, bill) = bench();
    let attach = |of: &Digest| {
        let inner = envelope(&statement("https://spdx.dev/Document/v2.3", &bill, of));
        let bundle =
            json!({"mediaType": BUNDLE, "verificationMaterial": {}, "dsseEnvelope": inner});
        let bundle = bundle.to_string();
        put(&bench, bundle.as_bytes());
        (manifest(BUNDLE, bundle.as_bytes(), Some(&subject)), json!({"artifactType": BUNDLE}))
    };
    beside(&bench, &[attach(&Digest::of(b"another"))]);
    let none = bench.run(&["scan", "sbom:attached:oci-dir:layout"]);
    assert_eq!(code(&none), 2, "{}", stdout(&none));
    assert!(stderr(&none).contains("no bill of materials is attached"), "{}", stderr(&none));
    beside(&bench, &[attach(&subject)]);
    let (exit, ids, own) = scanned(&bench, "sbom:attached:oci-dir:layout");
    assert_eq!((exit, ids.len()), (0, 4), "{own}");
}

#[test]
fn a_bill_that_says_that_it_is_about_another_image_is_not_taken_in_full() {
    let (bench, subject, mut bill) = bench();
    let other = Digest::of(b"another").to_string();
    for property in bill["metadata"]["component"]["properties"].as_array_mut().unwrap() {
        if property["name"] == "lazaret:image:config" {
            property["value"] = json!(other);
        }
    }
    let bytes = bill.to_string();
    put(&bench, bytes.as_bytes());
    let referrer = manifest(CYCLONEDX, bytes.as_bytes(), Some(&subject));
    beside(&bench, &[(referrer, json!({}))]);
    let (exit, _, own) = scanned(&bench, "sbom:attached:oci-dir:layout");
    assert_eq!(exit, 3, "{own}");
    let reason = own["problems"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("about another image"), "{own}");
}

#[test]
fn what_can_have_nothing_attached_is_an_error_that_says_what_can() {
    let (bench, ..) = bench();
    bench.write("saved.tar", image().docker_archive());
    for reference in ["sbom:attached:docker-archive:saved.tar", "sbom:attached:dir:layout/blobs"] {
        let refused = bench.run(&["scan", reference]);
        assert_eq!(code(&refused), 2, "{}", stdout(&refused));
        assert!(stderr(&refused).contains("can have no bill attached"), "{}", stderr(&refused));
    }
    // A file of that name is the file.
    bench.write("attached:bill", bench.read("bill.json"));
    let (exit, ids, own) = scanned(&bench, "sbom:attached:bill");
    assert_eq!((exit, ids.len()), (0, 4), "{own}");
}
