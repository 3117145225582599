//! Finds out whether a server of this machine speaks TLS.
//!
//! In go host and port, out comes yes or no, told by what the server answers to the first message of
//! TLS: one that answers with a record of TLS speaks it, be it with an alert. Whether its certificate
//! is trusted is asked afterwards, by the connection that is used: nobody who speaks TLS is ever
//! spoken to without it because of what is wrong with its certificate.
//!
//! Source: RFC 8446, sections 4.1.2 (ClientHello) and 5.1 (records).

use crate::Options;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long the server may take for its first bytes. It is on this machine; one that says nothing at
/// all waits for the end of a request.
const ANSWER: Duration = Duration::from_secs(5);

/// Records of a handshake and of an alert.
const RECORDS: [u8; 2] = [22, 21];

/// Whether TLS is answered. Where nobody listens it is not.
pub(crate) fn is_spoken(host: &str, port: u16, options: &Options) -> bool {
    let Ok(addresses) = (host, port).to_socket_addrs() else { return false };
    let connected = addresses
        .filter(|address| address.ip().is_loopback())
        .find_map(|address| TcpStream::connect_timeout(&address, options.connect_timeout).ok());
    let Some(mut stream) = connected else { return false };
    let limit = Some(options.read_timeout.min(ANSWER));
    let mut answer = [0; 3];
    let mut exchange = || {
        stream.set_read_timeout(limit)?;
        stream.set_write_timeout(limit)?;
        stream.write_all(&hello())?;
        stream.read_exact(&mut answer)
    };
    // Record, then version 3.x; HTTP begins with `HTTP/`.
    exchange().is_ok() && matches!(answer, [kind, 3, _] if RECORDS.contains(&kind))
}

/// A ClientHello of TLS 1.2 that no connection comes of. Its random bytes hold the end of a line and of
/// a request, so that a server of plain HTTP does not wait for more.
fn hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(b"\xff lazaret asks for TLS\r\n\r\n\r\n\xff");
    body.resize(2 + 32, 0xff);
    // No session; ECDHE with AES-GCM, by ECDSA and RSA, and the suites of TLS 1.3; no compression.
    body.push(0);
    body.extend_from_slice(&[0, 8, 0xc0, 0x2b, 0xc0, 0x2f, 0x13, 0x01, 0x13, 0x03]);
    body.extend_from_slice(&[1, 0]);
    // Groups x25519 and secp256r1, uncompressed points, signatures by ECDSA, RSA-PSS, RSA and Ed25519.
    let extensions: [u8; 32] = [
        0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 12, 0, 10, 4, 3, 8, 4, 4, 1,
        5, 3, 8, 7,
    ];
    body.extend_from_slice(&[0, 32]);
    body.extend_from_slice(&extensions);
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    let mut record = vec![22, 3, 1, 0, length.saturating_add(4), 1, 0, 0, length];
    record.extend_from_slice(&body);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Whether a server that answers so is taken for one of TLS.
    fn taken(answer: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked).unwrap();
            let _ = stream.write_all(answer);
            asked
        });
        let taken = is_spoken("127.0.0.1", port, &Options::default());
        let asked = served.join().unwrap();
        assert_eq!((asked[0], asked[1], asked[5]), (22, 3, 1), "a ClientHello");
        taken
    }

    #[test]
    fn a_record_of_tls_is_told_from_anything_else() {
        assert!(taken(&[22, 3, 3, 0, 1, 2]));
        assert!(taken(&[21, 3, 1, 0, 2, 2, 40]), "an alert is TLS as well");
        for other in
            [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"", b"\x16", b"\x15\x00\x03", b"SSH-2"]
        {
            assert!(!taken(other), "{other:?}");
        }
    }

    #[test]
    fn the_question_is_as_long_as_it_says() {
        let hello = hello();
        assert_eq!(usize::from(hello[4]), hello.len() - 5);
        assert_eq!(usize::from(hello[8]), hello.len() - 9);
        assert!(std::str::from_utf8(&hello).is_err());
        assert!(hello.windows(4).any(|part| part == b"\r\n\r\n"));
    }

    #[test]
    fn nobody_speaks_no_tls() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(!is_spoken("127.0.0.1", port, &Options::default()));
        assert!(!is_spoken("192.0.2.1", 443, &Options::default()));
    }
}
