//! Connections: nobody when offline, one engine's port, or whoever is named; and nobody connects to us.

use super::{Stub, all, in_process, lacks};
use sandbox::{Connect, Needs};
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// All kinds of connections to servers of the test's.
fn tries(stub: &Stub, folder: &Path) {
    stub.tells_layers();
    let ports = PORTS.map(|name| fs::read_to_string(folder.join(name)));
    let connect = |port: &str| TcpStream::connect(format!("127.0.0.1:{port}"));
    for (name, port) in PORTS.into_iter().zip(ports) {
        stub.tries(name, port.and_then(|port| connect(&port)));
    }
    stub.tries("unix", UnixStream::connect(folder.join("socket")));
    stub.tries("udp", UdpSocket::bind("127.0.0.1:0"));
    stub.tries("udp 6", UdpSocket::bind("[::1]:0"));
    stub.tries("serve", TcpListener::bind("127.0.0.1:0"));
    let packets = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Packet,
        nix::sys::socket::SockType::Raw,
        nix::sys::socket::SockFlag::empty(),
        None,
    );
    stub.tries("packets", packets.map_err(io::Error::from));
}

const PORTS: [&str; 2] = ["one", "other"];

/// What a stub may read to find the servers.
fn needs(folder: &Path) -> Needs {
    Needs { reading: sandbox::Reading::Below(vec![folder.to_owned()]), ..Needs::default() }
}

pub(crate) fn offline(folder: &Path) {
    tries(&Stub::enter(&needs(folder)), folder);
}

pub(crate) fn engine(folder: &Path) {
    tries(&Stub::enter(&Needs { sockets: true, ..needs(folder) }), folder);
}

pub(crate) fn port(folder: &Path) {
    let port = fs::read_to_string(folder.join("one")).unwrap().parse().unwrap();
    tries(&Stub::enter(&Needs { connect: Connect::Port(port), ..needs(folder) }), folder);
}

pub(crate) fn online(folder: &Path) {
    tries(&Stub::enter(&Needs { connect: Connect::Anybody, ..needs(folder) }), folder);
}

/// Runs a stub while two TCP servers and a socket of this machine listen.
fn tried(stub: &str) -> super::Tried {
    let folder = tempfile::tempdir().unwrap();
    let servers = PORTS.map(|name| {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port().to_string();
        fs::write(folder.path().join(name), port).unwrap();
        server
    });
    let socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    let tried = in_process(stub, folder.path());
    drop((servers, socket));
    tried
}

#[test]
fn offline_connects_to_nobody_by_any_protocol() {
    let tried = tried("offline");
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    let kinds = ["one", "other", "unix", "udp", "udp 6", "serve", "packets"];
    all(&tried, &["EPERM", "EACCES"], &kinds);
}

#[test]
fn an_engine_is_asked_and_no_server() {
    let tried = tried("engine");
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    all(&tried, &["ok"], &["unix"]);
    all(&tried, &["EPERM", "EACCES"], &["one", "other", "udp", "udp 6", "serve", "packets"]);
}

#[test]
fn an_engine_on_a_port_is_the_only_server() {
    let tried = tried("port");
    if lacks(&tried, "tcp") {
        return testkit::skip("this kernel has no Landlock for TCP");
    }
    all(&tried, &["ok"], &["one"]);
    all(&tried, &["EPERM", "EACCES"], &["other", "serve", "packets"]);
}

#[test]
fn online_connects_and_serves_nobody() {
    let tried = tried("online");
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    all(&tried, &["ok"], &["one", "other", "udp"]);
    // An engine's socket is no part of the network.
    all(&tried, &["EPERM", "EACCES"], &["serve", "packets", "unix"]);
}
