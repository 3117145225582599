//! Every layout opens, by its scheme and without, and says what is wrong with it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

use image::{Image, ImageError, OpenOptions, Opened, open};
use std::path::Path;
use testkit::{Breakage, Compression, ImageBuilder, ImageIndex, Layer};

fn sample() -> ImageBuilder {
    ImageBuilder::new()
        .tag("example.test/app:1")
        .layer(Layer::new().file("a", "1"))
        .history("ADD file:abc in /")
        .empty_history("CMD [\"bash\"]")
        .layer(Layer::new().file("b", "2").compression(Compression::Zstd))
        .history("RUN make")
}

fn image(reference: &str) -> Image {
    match open(reference, &OpenOptions::default()) {
        Ok(Opened::Image(image)) => *image,
        other => panic!("{reference}: {other:?}"),
    }
}

fn error(reference: &str) -> String {
    open(reference, &OpenOptions::default()).map(|_| ()).unwrap_err().to_string()
}

/// Reads every layer and says whether all digests hold.
fn holds(image: &Image) -> bool {
    let read =
        |layer: &image::LayerSource| layer.blob.as_ref().unwrap().read(1 << 20).unwrap().unwrap();
    image.mismatches.is_empty()
        && image.problems.is_empty()
        && image.layers.iter().all(|layer| {
            layer
                .digest
                .as_ref()
                .is_none_or(|digest| *digest == vocabulary::Digest::of(&read(layer)))
        })
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn every_layout_opens_with_and_without_its_scheme() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let built = sample().write_oci_dir(at.join("layout")).unwrap();
    let layout = at.join("layout").display().to_string();
    let oci = write(at, "oci.tar", &sample().oci_archive());
    let docker = write(at, "docker.tar", &sample().docker_archive());
    let old = write(at, "old.tar", &sample().docker_archive_old());
    let packed =
        write(at, "packed.tar.gz", &Compression::Gzip.pack(&sample().docker_archive_old()));
    for (scheme, path) in [
        ("oci-dir:", &layout),
        ("oci-archive:", &oci),
        ("docker-archive:", &docker),
        ("docker-archive:", &old),
        ("docker-archive:", &packed),
    ] {
        for reference in [format!("{scheme}{path}"), path.clone()] {
            let image = image(&reference);
            assert_eq!(image.layers.len(), 2, "{reference}");
            assert!(holds(&image), "{reference}: {:?}", image.mismatches);
            assert_eq!(
                image.subject.config_digest.as_ref(),
                Some(&built.config_digest),
                "{reference}"
            );
            assert_eq!(image.subject.platform.as_ref().unwrap().to_string(), "linux/amd64");
            assert_eq!(image.layers[1].command.as_deref(), Some("RUN make"));
            assert_eq!(image.layers[0].origin.kind, vocabulary::OriginKind::Base);
            assert_eq!(image.layers[1].origin.kind, vocabulary::OriginKind::Application);
            let diff_ids: Vec<_> =
                image.layers.iter().map(|layer| layer.diff_id.clone().unwrap()).collect();
            assert_eq!(
                diff_ids,
                built.layers.iter().map(|layer| layer.diff_id.clone()).collect::<Vec<_>>()
            );
        }
    }
    let named = image(&format!("docker-archive:{docker}:example.test/app:1"));
    assert_eq!(named.subject.tags, ["example.test/app:1"]);
    assert!(
        error(&format!("docker-archive:{docker}:other:2"))
            .contains("no image for `other:2`; it has example.test/app:1")
    );
}

#[test]
fn a_platform_is_chosen_from_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let one = |platform: &str, content: &str| {
        ImageBuilder::new().platform(platform).layer(Layer::new().file("arch", content))
    };
    let index = ImageIndex::new()
        .image(one("linux/s390x", "a"))
        .image(one("linux/arm64/v8", "b"))
        .image(one("linux/riscv64", "c"));
    index.write_oci_dir(folder.path()).unwrap();
    let reference = format!("oci-dir:{}", folder.path().display());
    let options = |platform: &str| OpenOptions {
        platform: Some(platform.parse().unwrap()),
        ..OpenOptions::default()
    };
    for platform in ["linux/s390x", "linux/arm64", "linux/arm64/v8"] {
        let Ok(Opened::Image(image)) = open(&reference, &options(platform)) else {
            panic!("{platform}")
        };
        let shown = image.subject.platform.unwrap().to_string();
        assert!(shown.starts_with(platform), "{shown}");
    }
    let wrong = open(&reference, &options("linux/mips")).map(|_| ()).unwrap_err().to_string();
    assert!(
        wrong.contains("no image for `linux/mips`; it has linux/s390x, linux/arm64/v8"),
        "{wrong}"
    );
    assert!(matches!(open(&reference, &OpenOptions::default()), Err(ImageError::Ambiguous { .. })));
}

#[test]
fn wrong_documents_are_mismatches_and_missing_ones_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (name, breakage, expected) in [
        ("config", Breakage::Config, vec!["configuration"]),
        ("manifest", Breakage::Manifest, vec!["manifest"]),
        ("config-size", Breakage::ConfigSize, vec!["configuration"]),
        ("manifest-size", Breakage::ManifestSize, vec!["manifest"]),
    ] {
        let path = folder.path().join(name);
        sample().breaking(breakage).write_oci_dir(&path).unwrap();
        let image = image(&format!("oci-dir:{}", path.display()));
        let what: Vec<_> = image.mismatches.iter().map(|mismatch| mismatch.what.as_str()).collect();
        assert_eq!(what, expected);
    }
    let path = folder.path().join("missing");
    sample().breaking(Breakage::MissingLayer(1)).write_oci_dir(&path).unwrap();
    let image = image(&format!("oci-dir:{}", path.display()));
    assert!(image.layers[0].blob.is_some() && image.layers[1].blob.is_none());
}

#[test]
fn what_is_no_image_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let empty = write(at, "empty", b"");
    let text = write(at, "text", "hello ".repeat(500).as_bytes());
    for path in [&empty, &text] {
        assert!(error(path).contains(
            "is not an image archive, an OCI layout or a directory; give docker-archive:"
        ));
    }
    assert!(error(&at.join("nothing").display().to_string()).starts_with("cannot read"));
    assert!(error("pkg://thing").contains("unknown scheme `pkg`"));
    let whole = sample().docker_archive();
    let cut = write(at, "cut.tar", &whole[..whole.len() / 2]);
    assert!(
        error(&format!("docker-archive:{cut}")).contains("truncated"),
        "{}",
        error(&format!("docker-archive:{cut}"))
    );
    std::fs::create_dir_all(at.join("broken/blobs")).unwrap();
    std::fs::write(
        at.join("broken/index.json"),
        b"{\"manifests\": [{\"digest\": \"../../etc/passwd\"}]}",
    )
    .unwrap();
    assert!(error(&at.join("broken").display().to_string()).contains("is not a digest"));
    std::fs::write(at.join("broken/index.json"), b"{oops").unwrap();
    assert!(error(&at.join("broken").display().to_string()).contains("not a valid image index"));
    std::fs::write(at.join("broken/index.json"), vec![b' '; (4 << 20) + 1]).unwrap();
    assert!(
        error(&at.join("broken").display().to_string()).contains("over the limit of 4194304 bytes")
    );
    assert!(matches!(
        open(&at.display().to_string(), &OpenOptions::default()),
        Ok(Opened::Directory(_))
    ));
}
