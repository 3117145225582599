//! The client against servers that serve, fail, redirect and lie, on the loopback interface.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use fetch::{Client, FetchError, Method, Options, ProxySettings, Request, Sent};
use std::io::Read as _;
use std::time::{Duration, Instant};
use testkit::{Reply, Server};

fn options() -> Options {
    Options {
        retries: 2,
        backoff: Duration::from_millis(2),
        backoff_limit: Duration::from_secs(2),
        read_timeout: Duration::from_millis(700),
        ..Options::default()
    }
}

fn client() -> Client {
    Client::new(options()).unwrap()
}

fn get(server: &Server, path: &str) -> Result<fetch::Response, FetchError> {
    client().get(&format!("{}{path}", server.url()), &Request::default())
}

#[test]
fn a_file_arrives_with_its_tag_and_length() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), vec![b'x'; 100_000]).unwrap();
    let server = Server::files(folder.path()).unwrap();
    let response = get(&server, "/a").unwrap();
    assert_eq!((response.status, response.content_length), (200, Some(100_000)));
    assert!(response.etag.is_some() && response.content_range_start.is_none());
    assert_eq!(response.body.into_vec().unwrap().len(), 100_000);
    let seen = &server.received()[0];
    assert!(seen.header("user-agent").unwrap().starts_with("lazaret/"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
}

#[test]
fn unchanged_missing_and_partial_are_ordinary_answers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "0123456789").unwrap();
    let server = Server::files(folder.path()).unwrap();
    let url = format!("{}/a", server.url());
    let etag = get(&server, "/a").unwrap().etag;
    let known = Request { if_none_match: etag.clone(), ..Request::default() };
    let unchanged = client().get(&url, &known).unwrap();
    assert_eq!(unchanged.status, 304);
    assert_eq!(unchanged.body.into_vec().unwrap(), b"");
    assert_eq!(get(&server, "/b").unwrap().status, 404);

    let rest = Request { range_from: Some(4), if_range: etag, ..Request::default() };
    let part = client().get(&url, &rest).unwrap();
    assert_eq!((part.status, part.content_range_start), (206, Some(4)));
    assert_eq!(part.content_range_total, Some(10));
    assert_eq!(part.body.into_vec().unwrap(), b"456789");
    let stale = Request { if_range: Some("\"old\"".to_owned()), ..rest };
    let whole = client().get(&url, &stale).unwrap();
    assert_eq!((whole.status, whole.content_range_start), (200, None));
}

#[test]
fn another_part_than_asked_for_is_refused() {
    let lies = [
        Reply::ok("x").with_status(206).header("content-range", "bytes 0-0/9"),
        Reply::ok("x").with_status(206),
    ];
    for lie in lies {
        let server = Server::replies([lie]).unwrap();
        let rest = Request { range_from: Some(4), ..Request::default() };
        let error = client().get(server.url(), &rest).unwrap_err();
        assert!(matches!(error, FetchError::Answer { .. }), "{error}");
    }
}

#[test]
fn offline_refuses_before_any_socket() {
    let server = Server::replies([Reply::ok("x")]).unwrap();
    let client = Client::new(Options { offline: true, ..options() }).unwrap();
    let url = format!("{}/feed?key=s3cret", server.url());
    let text = client.get(&url, &Request::default()).unwrap_err().to_string();
    assert!(text.contains("/feed") && text.contains("--offline"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    assert!(server.received().is_empty());
    let unknown = client.get("http://no-such-host.invalid/", &Request::default()).unwrap_err();
    assert!(matches!(unknown, FetchError::Offline { .. }));
}

#[test]
fn failing_servers_are_tried_again_and_no_more_than_allowed() {
    let busy = Server::replies([Reply::status(503), Reply::status(429), Reply::ok("x")]).unwrap();
    assert_eq!(get(&busy, "/").unwrap().status, 200);
    assert_eq!(busy.received().len(), 3);

    let down = Server::replies([Reply::status(500)]).unwrap();
    let error = get(&down, "/").unwrap_err();
    assert!(matches!(error, FetchError::Unavailable { status: 500, attempts: 3, .. }), "{error}");
    assert_eq!(down.received().len(), 3);

    let mute = Server::replies([Reply::hang_up()]).unwrap();
    let error = get(&mute, "/").unwrap_err();
    assert!(matches!(error, FetchError::Connect { attempts: 3, .. }), "{error}");
    assert_eq!(mute.received().len(), 3);

    let wrong = Server::replies([Reply::status(404)]).unwrap();
    assert_eq!(get(&wrong, "/").unwrap().status, 404);
    assert_eq!(wrong.received().len(), 1);
}

#[test]
fn retry_after_is_waited_for_unless_it_is_too_long() {
    let soon = Reply::status(503).header("retry-after", "1");
    let server = Server::replies([soon, Reply::ok("x")]).unwrap();
    let start = Instant::now();
    assert_eq!(get(&server, "/").unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_secs(1));

    let late = Server::replies([Reply::status(429).header("retry-after", "9999")]).unwrap();
    assert!(matches!(get(&late, "/"), Err(FetchError::Unavailable { attempts: 1, .. })));
}

#[test]
fn nothing_listening_is_an_error_that_names_the_url() {
    let url = Server::replies([]).map(|server| server.url().to_owned()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let error = client().get(&url, &Request::default()).unwrap_err();
    assert!(matches!(error, FetchError::Connect { attempts: 3, .. }), "{error}");
    assert!(error.to_string().contains(&url), "{error}");
}

#[test]
fn bodies_beyond_the_limit_are_errors() {
    let small = Request { max_bytes: 10, ..Request::default() };
    let announced = Server::replies([Reply::ok("0123456789x")]).unwrap();
    let error = client().get(announced.url(), &small).unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { bytes: 11, limit: 10, .. }), "{error}");

    let unannounced = Server::replies([Reply::ok("0123456789x").chunked()]).unwrap();
    let body = client().get(unannounced.url(), &small).unwrap().body;
    assert!(body.into_vec().unwrap_err().to_string().contains("10 bytes allowed"));

    let exact = Server::replies([Reply::ok("0123456789").chunked()]).unwrap();
    assert_eq!(client().get(exact.url(), &small).unwrap().body.into_vec().unwrap().len(), 10);
}

#[test]
fn bodies_that_end_early_are_errors() {
    for reply in [Reply::ok(vec![b'x'; 5000]), Reply::ok(vec![b'x'; 5000]).chunked()] {
        let server = Server::replies([reply.cut_after(1500)]).unwrap();
        let mut body = get(&server, "/f").unwrap().body;
        let mut content = Vec::new();
        let error = body.read_to_end(&mut content).unwrap_err();
        assert!(content.len() <= 1500);
        assert!(error.to_string().contains("/f"), "{error}");
    }
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::replies([Reply::ok("x").after(Duration::from_secs(5))]).unwrap();
    let start = Instant::now();
    let error = get(&server, "/").unwrap_err();
    assert!(matches!(error, FetchError::Answer { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn redirects_are_followed_within_bounds() {
    let target = Server::replies([Reply::ok("there")]).unwrap();
    let location = format!("{}/x", target.url());
    for status in [301, 302, 303, 307, 308] {
        let server = Server::replies([Reply::redirect(status, &location)]).unwrap();
        assert_eq!(get(&server, "/").unwrap().body.into_vec().unwrap(), b"there");
    }
    let ring = Server::replies([Reply::redirect(302, "/again")]).unwrap();
    assert!(matches!(get(&ring, "/"), Err(FetchError::Redirect { .. })));
    assert_eq!(ring.received().len(), 6);
    for target in ["file:///etc/passwd", "gopher://x/", ""] {
        let server = Server::replies([Reply::redirect(302, target)]).unwrap();
        let answer = get(&server, "/");
        assert!(matches!(answer, Err(FetchError::Redirect { .. })), "{target}: {answer:?}");
    }
}

#[test]
fn credentials_stay_with_their_host() {
    let other = Server::replies([Reply::ok("x")]).unwrap();
    let first = {
        let location = format!("{}/away", other.url());
        Server::start(move |request| match request.path.as_str() {
            "/a" => Reply::redirect(302, "/b"),
            _ => Reply::redirect(302, &location),
        })
        .unwrap()
    };
    let request = Request {
        headers: vec![("x-api-key".to_owned(), "hunter2".to_owned())],
        ..Request::default()
    };
    let url = format!("{}/a", first.url()).replace("//", "//user:hunter2@");
    client().get(&url, &request).unwrap();
    for seen in first.received() {
        assert_eq!(seen.header("x-api-key"), Some("hunter2"));
        assert_eq!(seen.header("authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    }
    assert_eq!(first.received().len(), 2);
    let away = &other.received()[0];
    assert_eq!((away.header("authorization"), away.header("x-api-key")), (None, None));
}

#[test]
fn error_texts_hold_no_secrets() {
    let down = Server::replies([Reply::status(500)]).unwrap();
    let host = down.url().trim_start_matches("http://").to_owned();
    let texts = [
        client().get(&format!("http://me:hunter2@{host}/?k=hunter2"), &Request::default()),
        client().get("http://me:hunter2@127.0.0.1:1/?k=hunter2", &Request::default()),
        client().get("http://me:hunter2@[/?k=hunter2", &Request::default()),
        client().get(
            &format!("http://{host}/"),
            &Request {
                headers: vec![("x".to_owned(), "hunter2\r\ny: z".to_owned())],
                ..Request::default()
            },
        ),
    ];
    for answer in texts {
        let error = answer.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_proxy_is_used_for_all_but_the_excepted() {
    let proxy = Server::replies([Reply::status(403)]).unwrap();
    let with_password = proxy.url().replace("//", "//me:hunter2@");
    let client = Client::new(Options {
        retries: 0,
        proxy: ProxySettings {
            all: Some(with_password),
            none_for: Some("direct.invalid".to_owned()),
            ..ProxySettings::default()
        },
        ..options()
    })
    .unwrap();
    let error = client.get("https://far.invalid/x", &Request::default()).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let seen = &proxy.received()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("CONNECT", "far.invalid:443"));
    assert_eq!(seen.header("proxy-authorization"), Some("Basic bWU6aHVudGVyMg=="));
    client.get("http://direct.invalid/", &Request::default()).unwrap_err();
    assert_eq!(proxy.received().len(), 1);
}

#[test]
fn the_environment_is_read_as_users_expect() {
    let environment = |set: &'static [(&'static str, &'static str)]| {
        Options::from_environment(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let options = environment(&[
        ("HTTPS_PROXY", "http://upper:1"),
        ("https_proxy", "http://lower:1"),
        ("HTTP_PROXY", "http://plain:1"),
        ("ALL_PROXY", " "),
        ("no_proxy", "a,b"),
        ("SSL_CERT_FILE", "/roots.pem"),
    ]);
    assert_eq!(options.proxy.https.as_deref(), Some("http://lower:1"));
    assert_eq!(options.proxy.http.as_deref(), Some("http://plain:1"));
    assert_eq!(options.proxy.all, None);
    assert_eq!(options.proxy.none_for.as_deref(), Some("a,b"));
    assert_eq!(options.roots.file.unwrap().to_str(), Some("/roots.pem"));
    let cgi = environment(&[("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")]);
    assert_eq!(cgi.proxy.http, None);
}

#[test]
fn plain_http_is_refused_where_it_is_not_wanted_but_on_loopback() {
    let request = Request { https_only: true, ..Request::default() };
    let error = client().get("http://registry.test/v2/", &request).unwrap_err();
    assert!(matches!(error, FetchError::Url { .. }), "{error}");
    let server = Server::replies([
        Reply::redirect(307, "/there"),
        Reply::ok("x"),
        Reply::redirect(307, "http://elsewhere.test/x"),
    ])
    .unwrap();
    assert_eq!(client().get(server.url(), &request).unwrap().status, 200);
    let error = client().get(server.url(), &request).unwrap_err().to_string();
    assert!(error.contains("elsewhere.test") && error.contains("not https"), "{error}");
}

#[test]
fn a_form_is_sent_to_its_host_and_nowhere_else() {
    let server = Server::replies([Reply::ok("x"), Reply::redirect(307, "/again")]).unwrap();
    let form = "grant_type=refresh_token&refresh_token=hunter2";
    let answer = client().post_form(server.url(), form, &Request::default()).unwrap();
    assert_eq!(answer.body.into_vec().unwrap(), b"x");
    let error = client().post_form(server.url(), form, &Request::default()).unwrap_err();
    assert!(matches!(error, FetchError::Redirect { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let seen = server.received();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].method.as_str(), seen[0].body.as_slice()), ("POST", form.as_bytes()));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn what_a_registry_needs_of_a_response_is_there() {
    let reply = Reply::status(401)
        .header("www-authenticate", "Basic realm=\"a\"")
        .header("www-authenticate", "Bearer realm=\"b\"")
        .header("docker-content-digest", "sha256:00");
    let server =
        Server::replies([reply, Reply::status(429).header("retry-after", "4000")]).unwrap();
    let response = get(&server, "/").unwrap();
    assert_eq!(response.authenticate.as_deref(), Some("Basic realm=\"a\", Bearer realm=\"b\""));
    assert_eq!(response.content_digest.as_deref(), Some("sha256:00"));
    let error = get(&server, "/").unwrap_err().to_string();
    assert!(error.contains("in 4000 seconds"), "{error}");
}

#[test]
fn only_hosts_that_may_be_asked_are_asked_also_by_redirect() {
    let server = Server::start(|request| match request.path.as_str() {
        "/away" => Reply::redirect(302, "http://localhost.test/secret"),
        _ => Reply::ok("x"),
    })
    .unwrap();
    let ask = |path: &str, host: &str| {
        let request = Request { hosts: vec![host.to_owned()], ..Request::default() };
        client().get(&format!("{}{path}", server.url()), &request)
    };
    assert_eq!(ask("/a", "127.0.0.1").unwrap().status, 200);
    assert!(matches!(ask("/a", "deb.test"), Err(FetchError::Url { .. })));
    assert!(matches!(ask("/away", "127.0.0.1"), Err(FetchError::Redirect { .. })));
    assert_eq!(server.received().len(), 2);
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_is_given_up() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    });
    let over = std::time::Duration::from_millis(300);
    let options =
        fetch::Options { pace: fetch::Pace { bytes: 10_000, over }, ..fetch::Options::default() };
    let client = fetch::Client::new(options).unwrap();
    let response = client.get(&url, &fetch::Request::default()).unwrap();
    let error = response.body.into_vec().unwrap_err();
    assert!(error.to_string().contains("is too slow"), "{error}");
}

#[test]
fn bytes_are_sent_whole_again_where_a_server_was_busy_and_to_no_other_place() {
    let created = Reply::status(201).header("location", "/at/1?state=a").header("oci-subject", "x");
    let server = Server::replies([Reply::status(503), created]).unwrap();
    let body = vec![b'x'; 300_000];
    let sent = Sent { method: Method::Put, media_type: Some("a/b"), body: &body };
    let url = format!("{}/a?b=c", server.url());
    let response = client().send_bytes(&url, sent, &Request::default()).unwrap();
    assert_eq!(response.status, 201);
    assert_eq!(response.location, Some(format!("{}/at/1?state=a", server.url())));
    assert_eq!(response.subject.as_deref(), Some("x"));
    let received = server.received();
    assert_eq!(received.len(), 2);
    for one in received {
        assert_eq!((one.method.as_str(), one.path.as_str()), ("PUT", "/a?b=c"));
        assert_eq!(one.header("content-type"), Some("a/b"));
        assert!(one.body == body);
    }
    let other = Server::replies([Reply::ok("taken")]).unwrap();
    let away = Server::replies([Reply::redirect(307, other.url())]).unwrap();
    let error = client().send_bytes(away.url(), sent, &Request::default()).unwrap_err();
    assert!(matches!(error, FetchError::Redirect { .. }), "{error}");
    assert!(other.received().is_empty());
    let offline = Client::new(Options { offline: true, ..options() }).unwrap();
    let refused = offline.send_bytes(other.url(), sent, &Request::default());
    assert!(matches!(refused, Err(FetchError::Offline { .. })) && other.received().is_empty());
    assert!(matches!(offline.speaks_tls("127.0.0.1:9"), Err(FetchError::Offline { .. })));
    assert!(matches!(client().speaks_tls("192.0.2.1"), Err(FetchError::Url { .. })));
}

#[test]
fn what_is_only_asked_for_has_a_length_and_no_content() {
    let announced = Reply::status(200).header("content-length", "99999999999");
    let server = Server::replies([announced]).unwrap();
    let response = client().head(server.url(), &Request::default()).unwrap();
    assert_eq!((response.status, response.content_length), (200, Some(99_999_999_999)));
    assert_eq!(response.body.into_vec().unwrap(), b"");
    assert_eq!(server.received()[0].method, "HEAD");
}
