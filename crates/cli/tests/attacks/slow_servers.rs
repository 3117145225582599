//! Whoever answers slowly, or never.

use crate::common::{Bench, code, stderr};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A registry that accepts and sends a byte a second.
fn trickling() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n");
                while stream.write_all(b" ").is_ok() {
                    std::thread::sleep(Duration::from_secs(1));
                }
            });
        }
    });
    address
}

#[test]
fn a_registry_that_trickles_cannot_hold_a_command_beyond_its_time() {
    let bench = Bench::with_database();
    let image = format!("registry:{}/app:1", trickling());
    for arguments in [
        &["scan", &image, "-o", "json=out.json"][..],
        &["sbom", &image, "-o", "json=out.json"],
        &["verify", &image, "-o", "json=out.json"],
        &["diff", &image, "oci-dir:i", "-o", "json=out.json"],
    ] {
        let began = Instant::now();
        let output = bench.command(arguments).env("LAZARET_TIMEOUT", "2s").output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(60), "{arguments:?}");
        assert_eq!(code(&output), 5, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        assert!(stderr(&output).contains("--timeout"), "{}", stderr(&output));
        assert!(output.stdout.is_empty() && !bench.path().join("out.json").exists());
    }
}

#[test]
fn a_time_that_is_none_is_refused() {
    let bench = Bench::new();
    for wrong in ["", "-1s", "soon", "5d"] {
        let output = bench.run(&["scan", "x", &format!("--timeout={wrong}")]);
        assert_eq!(code(&output), 2, "{wrong}: {}", stderr(&output));
    }
}
