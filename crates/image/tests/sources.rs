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

/// How an archive is packed: by one member or stream.
type Pack = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut packed = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    // A skippable frame before the content, as zstd:chunked writes them.
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    [&skippable[..], &zstd::encode_all(bytes, 1).unwrap()].concat()
}

#[test]
fn a_packed_archive_is_read_to_the_end_of_its_last_stream() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let plain = sample().docker_archive();
    let packings: [(&str, Pack); 4] =
        [("tar.gz", gzip), ("tar.bz2", bzip2), ("tar.xz", xz), ("tar.zst", zstd)];
    for (ending, pack) in packings {
        let name = |what: &str| format!("{what}.{ending}");
        let one = write(at, &name("one"), &pack(&plain));
        let (front, back) = plain.split_at(plain.len() / 3);
        let several = [pack(front), pack(b""), pack(back)].concat();
        let several = write(at, &name("several"), &several);
        for path in [&one, &several] {
            assert!(holds(&image(path)), "{path}");
            assert!(holds(&image(&format!("docker-archive:{path}"))), "{path}");
        }
        let garbage = [pack(&plain), b"something else".to_vec()].concat();
        let garbage = write(at, &name("garbage"), &garbage);
        let said = error(&format!("docker-archive:{garbage}"));
        assert!(said.contains("cannot be unpacked to its end"), "{said}");
        let mut damaged = pack(&plain);
        damaged.truncate(damaged.len() - 2);
        let damaged = write(at, &name("damaged"), &damaged);
        assert!(error(&format!("docker-archive:{damaged}")).contains("save the image again"));
        let hidden = write(at, &name("hidden"), &pack(&[&plain[..], b"and more"].concat()));
        let said = error(&format!("docker-archive:{hidden}"));
        assert!(said.contains("something follows the end of the tar"), "{said}");
    }
}

#[test]
fn a_packing_that_is_not_read_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (head, packing) in [
        (&[0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0][..], "lz4"),
        (b"LZIP\x01\x0c\0\0", "lzip"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z"),
        (b"PK\x03\x04\x14\0\0\0", "zip"),
        (b"Rar!\x1a\x07\x01\0", "rar"),
        (b"]\0\0\x80\0\xff\xff\xff", "lzma"),
        (b"\x1f\x9d\x90\0\0\0\0\0", "compress"),
    ] {
        let path = write(at, "packed.tar.x", head);
        for reference in
            [path.clone(), format!("docker-archive:{path}"), format!("oci-archive:{path}")]
        {
            let said = error(&reference);
            assert!(said.contains(&format!("is packed with {packing}: unpack it first")), "{said}");
        }
    }
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
