//! What an image's own documents try: manifests, configurations and indexes.

use super::{Hostile, Make, Scale};
use crate::{ImageBuilder, Layer, Tar};
use serde_json::json;
use vocabulary::Digest;

pub(super) fn all(scale: Scale) -> Vec<Hostile> {
    let tried: [(&str, Make); 12] = [
        ("a configuration nested without end", |scale| saved(&b"[".repeat(scale.of(2_000_000)), 1)),
        ("a configuration of many commands", |scale| {
            let history = vec![json!({"created_by": "RUN a"}); scale.of(100_000)];
            saved(
                json!({"os": "linux", "architecture": "amd64", "history": history})
                    .to_string()
                    .as_bytes(),
                1,
            )
        }),
        ("a label of 50 MB", |scale| {
            ImageBuilder::new().label("a", &"x".repeat(scale.of(50_000_000))).oci_archive()
        }),
        ("many labels", |scale| {
            let image = (0..scale.of(20_000))
                .fold(ImageBuilder::new(), |image, at| image.label(&format!("l{at}"), "x"));
            image.oci_archive()
        }),
        ("words of commands and terminals", |_| {
            let hostile = "\u{1b}]0;x\u{7}\r\n::error::forged\n\u{202e}PASS  0 findings";
            ImageBuilder::new().label(hostile, hostile).annotation(hostile, hostile).oci_archive()
        }),
        ("one layer, named 10,000 times", |scale| {
            saved(br#"{"os":"linux","architecture":"amd64"}"#, scale.of(10_000))
        }),
        ("many layers", |scale| {
            let one = |at: usize| Layer::new().file(format!("f{at}"), "x");
            (0..scale.of(2_000))
                .map(one)
                .fold(ImageBuilder::new(), ImageBuilder::layer)
                .oci_archive()
        }),
        ("an index that names itself", |_| {
            let index =
                json!({"schemaVersion": 2, "manifests": [descriptor(&Digest::of(b"x"), 1)]});
            layout(index.to_string().as_bytes(), &[])
        }),
        ("indexes in indexes", |scale| {
            let mut blob = json!({"schemaVersion": 2, "manifests": []}).to_string().into_bytes();
            let mut blobs = Vec::new();
            for _ in 0..scale.of(2_000) {
                let digest = Digest::of(&blob);
                let size = blob.len();
                blobs.push(blob);
                let index = json!({"schemaVersion": 2, "manifests": [descriptor(&digest, size)]});
                blob = index.to_string().into_bytes();
            }
            layout(&blob, &blobs)
        }),
        ("an index of many images", |scale| {
            let one = descriptor(&Digest::of(b"x"), 1);
            let index = json!({"schemaVersion": 2, "manifests": vec![one; scale.of(50_000)]});
            layout(index.to_string().as_bytes(), &[])
        }),
        ("an index that is no text", |scale| layout(&vec![0xff; scale.of(20_000_000)], &[])),
        ("an archive of nothing but zeros", |scale| vec![0; scale.of(200_000_000)]),
    ];
    tried.into_iter().map(|(name, bytes)| Hostile::new(name, move || bytes(scale))).collect()
}

fn descriptor(digest: &Digest, size: usize) -> serde_json::Value {
    json!({
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": digest.to_string(), "size": size
    })
}

fn layout(index: &[u8], blobs: &[Vec<u8>]) -> Vec<u8> {
    let tar = Tar::new()
        .file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .file("index.json", index);
    blobs
        .iter()
        .fold(tar, |tar, blob| tar.file(format!("blobs/sha256/{}", Digest::of(blob).hex()), blob))
        .finish()
}

/// What `docker save` wrote, with any configuration, and one layer so many times.
fn saved(config: &[u8], layers: usize) -> Vec<u8> {
    let manifest = json!([{"Config": "config.json", "RepoTags": ["a:1"], "Layers": vec!["a/layer.tar"; layers]}]);
    Tar::new()
        .file("config.json", config)
        .file("a/layer.tar", Layer::new().file("a", "b").plain())
        .file("manifest.json", manifest.to_string())
        .finish()
}
