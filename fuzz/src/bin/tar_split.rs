//! Making a layer's tar again from any record.
#![no_main]
use std::sync::OnceLock;

/// A folder with a few files to be named.
fn folder() -> &'static std::path::Path {
    static FOLDER: OnceLock<std::path::PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("lazaret-fuzz-{}", std::process::id()));
        let _ = std::fs::create_dir_all(folder.join("d"));
        let _ = std::fs::write(folder.join("a"), [7; 700]);
        let _ = std::fs::write(folder.join("d/b"), "");
        folder
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = image::tar_split::assemble(data, folder(), &mut std::io::sink());
});
