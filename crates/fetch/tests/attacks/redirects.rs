//! Where servers lead those who ask them

use fetch::{Client, FetchError, Options, ProxySettings, Request, Response};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::Duration;
use testkit::{Reply, Server};

/// A proxy that leads every connection to one server: how a server elsewhere is had in a test.
fn tunnel(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = to.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            if String::from_utf8_lossy(&head).contains(":443 ") {
                continue;
            }
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let mut server = TcpStream::connect(&to).unwrap();
            let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut up, &mut server));
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut down, &mut client);
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    url
}

/// A client to which `elsewhere.test` is this server, and other names but `direct` too.
fn client(server: &Server, direct: &str) -> Client {
    let proxy = ProxySettings {
        all: Some(tunnel(server.url())),
        none_for: Some(direct.to_owned()),
        ..ProxySettings::default()
    };
    let (connect_timeout, read_timeout) = (Duration::from_secs(5), Duration::from_secs(5));
    let options =
        Options { retries: 0, connect_timeout, read_timeout, proxy, ..Options::default() };
    Client::new(options).unwrap()
}

/// What comes of a redirect that a server elsewhere gives.
fn led_to(target: &str, direct: &str) -> Result<Response, FetchError> {
    let server = Server::replies([Reply::redirect(302, target)]).unwrap();
    client(&server, direct).get("http://elsewhere.test/", &Request::default())
}

fn is_refused(answer: &Result<Response, FetchError>, words: &str) -> bool {
    matches!(answer, Err(FetchError::Redirect { reason, .. }) if reason.contains(words))
}

#[test]
fn no_redirect_from_elsewhere_leads_to_this_machine_or_to_the_link() {
    let secret = Server::replies([Reply::ok("secret")]).unwrap();
    let port = secret.url().rsplit(':').next().unwrap().to_owned();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "0",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
    ] {
        for scheme in ["http", "https"] {
            let answer = led_to(&format!("{scheme}://{host}:{port}/"), "*");
            let answer_by_proxy = led_to(&format!("{scheme}://{host}:{port}/"), "");
            for answer in [answer, answer_by_proxy] {
                assert!(answer.is_err(), "{scheme} {host}");
            }
        }
        let answer = led_to(&format!("https://{host}:{port}/"), "");
        assert!(is_refused(&answer, "from elsewhere"), "{host}: {answer:?}");
    }
    assert!(secret.received().is_empty());
}

/// A name of this machine that is no address and not `localhost`, if it has one.
fn own_name() -> Option<String> {
    let named = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let names = named.lines().flat_map(|line| line.split_whitespace().skip(1));
    let local = |name: &&str| {
        let mut found = (*name, 80).to_socket_addrs().into_iter().flatten().peekable();
        !name.contains("localhost")
            && found.peek().is_some()
            && found.all(|at| at.ip().is_loopback())
    };
    names.into_iter().find(local).map(str::to_owned)
}

#[test]
fn a_name_that_leads_to_this_machine_is_known_when_it_is_resolved() {
    let Some(name) = own_name() else {
        return testkit::skip("this machine has no name that leads to itself");
    };
    let secret = Server::replies([Reply::ok("secret")]).unwrap();
    let port = secret.url().rsplit(':').next().unwrap();
    let answer = led_to(&format!("https://{name}:{port}/"), &name);
    assert!(is_refused(&answer, "from elsewhere"), "{answer:?}");
    // Nor where a server elsewhere names it otherwise, as registries name token services.
    let request = Request { named_by: Some("elsewhere.test".to_owned()), ..Request::default() };
    let url = format!("http://{name}:{port}/");
    assert!(Client::new(Options::default()).unwrap().get(&url, &request).is_err());
    assert!(secret.received().is_empty());
    // Who is named is asked; and who is on this machine may lead to it.
    let client = Client::new(Options::default()).unwrap();
    assert_eq!(client.get(&url, &Request::default()).unwrap().status, 200);
    let here = Server::replies([Reply::redirect(307, &format!("{}/x", secret.url()))]).unwrap();
    let url = here.url().replace("127.0.0.1", &name);
    assert_eq!(client.get(&url, &Request::default()).unwrap().status, 200);
}

#[test]
fn what_a_server_elsewhere_names_is_held_to_the_same() {
    let secret = Server::replies([Reply::ok("secret")]).unwrap();
    let client = Client::new(Options::default()).unwrap();
    let ask = |by: &str, url: &str| {
        let request = Request { named_by: Some(by.to_owned()), ..Request::default() };
        let form = client.post_form(url, "token=hunter2", &request);
        let answer = client.get(url, &request);
        assert_eq!(form.is_ok(), answer.is_ok());
        answer
    };
    for by in ["elsewhere.test", "10.0.0.1", "169.254.1.1"] {
        assert!(matches!(ask(by, secret.url()), Err(FetchError::Url { .. })), "{by}");
    }
    assert!(secret.received().is_empty());
    for by in ["127.0.0.1", "localhost", "::1"] {
        assert_eq!(ask(by, secret.url()).unwrap().status, 200, "{by}");
    }
}

#[test]
fn a_redirect_stays_on_its_host_or_goes_to_another_by_tls() {
    let answer = led_to("http://other.test/", "");
    assert!(is_refused(&answer, "not by https"), "{answer:?}");
    // By TLS it is followed; the proxy of this test does not connect it.
    let answer = led_to("https://other.test/", "");
    assert!(answer.is_err() && !matches!(answer, Err(FetchError::Redirect { .. })), "{answer:?}");
    let server = Server::start(|request| match request.path.as_str() {
        "/there" => Reply::ok("there"),
        _ => Reply::redirect(302, "http://elsewhere.test:8080/there"),
    })
    .unwrap();
    let answer = client(&server, "").get("http://elsewhere.test/", &Request::default()).unwrap();
    assert_eq!(answer.body.into_vec().unwrap(), b"there");
    // Loopback to loopback leaves nobody to listen.
    let target = Server::replies([Reply::ok("there")]).unwrap();
    let here = Server::replies([Reply::redirect(302, target.url())]).unwrap();
    let answer = client(&here, "").get(here.url(), &Request::default()).unwrap();
    assert_eq!(answer.body.into_vec().unwrap(), b"there");
    for far in [
        "http://169.254.169.254/",
        "https://169.254.169.254/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
    ] {
        let here = Server::replies([Reply::redirect(302, far)]).unwrap();
        let answer = client(&here, "").get(here.url(), &Request::default());
        assert!(matches!(answer, Err(FetchError::Redirect { .. })), "{far}: {answer:?}");
    }
}
