//! Images of registries that serve, lie, break off and ask for logins, on the loopback interface.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod common;

use common::{HASHER, Spy};
use image::{
    Credentials, Dispatch, Image, ImageError, OpenOptions, Opened, Progress, Reader, RecordLevel,
    RegistryError, RegistryOptions, Secret, WalkJob, Walked, Walker, open,
};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::image::Built;
use testkit::registry::answer;
use testkit::{Breakage, Compression, ImageBuilder, Layer, Received, Reply, Server};
use vocabulary::{Algorithm, Digest};

/// A layer of some size that does not pack well, so that it can break off in its middle.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..300_000).map(step).collect()
}

fn sample() -> ImageBuilder {
    ImageBuilder::new()
        .layer(Layer::new().file("wanted", "1"))
        .history("ADD file:abc in /")
        .layer(Layer::new().file("noise", noise()).file("etc/wanted", "2"))
        .history("RUN make")
}

fn options() -> OpenOptions {
    let fetch = fetch::Options {
        retries: 1,
        backoff: Duration::from_millis(1),
        read_timeout: Duration::from_secs(2),
        ..fetch::Options::default()
    };
    OpenOptions {
        registry: RegistryOptions { fetch, ..RegistryOptions::default() },
        ..OpenOptions::default()
    }
}

fn login() -> Credentials {
    Credentials {
        username: Some("me".to_owned()),
        password: Some(Secret::new("hunter2".to_owned())),
        ..Credentials::default()
    }
}

fn with_login() -> OpenOptions {
    let mut options = options();
    options.registry.credentials = login();
    options
}

/// `Authorization` of [`login`].
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

fn host(server: &Server) -> &str {
    server.url().trim_start_matches("http://")
}

/// Opens by a login that is for this server.
fn open_with(server: &Server, name: &str, options: &OpenOptions) -> Result<Image, ImageError> {
    let mut options = options.clone();
    options.registry.credentials.registries.push(host(server).to_owned());
    match open(&format!("registry:{}/{name}", host(server)), &options)? {
        Opened::Image(image) => Ok(*image),
        Opened::Directory(_) => panic!("no directory"),
    }
}

fn walk(image: &Image, layer: usize) -> Walked {
    let spy: [&dyn Reader; 1] = [&Spy];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::None, &progress);
    let blob = image.layers[layer].blob.as_ref().unwrap();
    walker.walk(&WalkJob { blob, algorithm: Algorithm::Sha256, number: 0, only: None })
}

/// Every layer is read to its end and is what it should be.
fn holds(image: &Image) {
    assert_eq!(image.mismatches, []);
    for (index, layer) in image.layers.iter().enumerate() {
        let walked = walk(image, index);
        assert_eq!(walked.failure, None);
        assert_eq!(walked.packed_digest, layer.digest);
        assert_eq!(walked.facts.diff_id, layer.diff_id);
    }
}

fn is_layer(built: &Built, layer: usize, request: &Received) -> bool {
    request.path.ends_with(&built.layers[layer].digest.to_string())
}

#[test]
fn an_image_is_read_from_the_connection() {
    let built = sample().build();
    let serving = built.clone();
    let server = Server::start(move |request| answer(&serving, request)).unwrap();
    for name in ["team/app:1".to_owned(), format!("team/app:x@{}", built.manifest_digest)] {
        let before = server.received().len();
        let image = open_with(&server, &name, &options()).unwrap();
        assert_eq!(image.subject.manifest_digest, Some(built.manifest_digest.clone()));
        assert_eq!(image.subject.config_digest, Some(built.config_digest.clone()));
        assert_eq!(image.layers[1].command.as_deref(), Some("RUN make"));
        let seen = server.received().len();
        assert_eq!(seen - before, 2, "manifest, configuration: layers wait");
        holds(&image);
        assert_eq!(server.received().len(), seen + 2);
    }
    let first = &server.received()[0];
    assert_eq!(first.path, "/v2/team/app/manifests/1");
    let accept = first.header("accept").unwrap();
    for kind in ["oci.image.index.v1", "oci.image.manifest.v1", "manifest.list.v2", "manifest.v2"] {
        assert!(accept.contains(kind), "{accept}");
    }
}

#[test]
fn a_token_is_asked_for_with_the_login_and_renewed_when_it_ends() {
    let built = sample().build();
    let tokens = AtomicUsize::new(0);
    let uses = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let at = request.header("host").unwrap();
        if request.path.starts_with("/token") {
            if request.header("authorization") != Some(BASIC) {
                return Reply::status(401);
            }
            let token = tokens.fetch_add(1, Ordering::SeqCst);
            uses.store(0, Ordering::SeqCst);
            return Reply::ok(format!(r#"{{"token":"t0ken{token}","expires_in":60}}"#));
        }
        let latest = tokens.load(Ordering::SeqCst).checked_sub(1);
        let good = latest.map(|number| format!("Bearer t0ken{number}"));
        let known = good.is_some() && request.header("authorization") == good.as_deref();
        if request.path != "/v2/" && (!known || uses.fetch_add(1, Ordering::SeqCst) >= 2) {
            let scope = "repository:app:pull,push";
            let challenge =
                format!(r#"Bearer realm="http://{at}/token?x=1",service="a&b",scope="{scope}""#);
            return Reply::status(401).header("www-authenticate", &challenge);
        }
        answer(&built, request)
    })
    .unwrap();
    holds(&open_with(&server, "app:1", &with_login()).unwrap());
    let seen = server.received();
    let tokens: Vec<_> = seen.iter().filter(|one| one.path.starts_with("/token")).collect();
    assert_eq!(tokens.len(), 2, "two requests a token");
    assert_eq!(tokens[0].path, "/token?x=1&scope=repository%3Aapp%3Apull&service=a%26b");
    for one in seen.iter().filter(|one| !one.path.starts_with("/token")) {
        assert_ne!(
            one.header("authorization"),
            Some(BASIC),
            "the password goes to the service only"
        );
    }
    let error = open_with(&server, "app:1", &options()).unwrap_err();
    assert!(error.to_string().contains("log in with `docker login 127.0.0.1"), "{error}");
}

#[test]
fn a_refresh_token_is_exchanged_by_post() {
    let built = sample().build();
    let server = Server::start(move |request| {
        let at = request.header("host").unwrap();
        match (request.path.as_str(), request.header("authorization")) {
            ("/token", None) => Reply::ok(r#"{"access_token":"t0ken"}"#),
            (_, Some("Bearer t0ken")) | ("/v2/", _) => answer(&built, request),
            _ => Reply::status(401)
                .header("www-authenticate", &format!(r#"Bearer realm="http://{at}/token""#)),
        }
    })
    .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let config = format!(r#"{{"auths":{{"{}":{{"identitytoken":"hunter2"}}}}}}"#, host(&server));
    std::fs::write(file.path(), config).unwrap();
    let mut options = options();
    options.registry.credentials.docker_config = Some(file.path().to_owned());
    holds(&open_with(&server, "app:1", &options).unwrap());
    let seen = server.received();
    let token = seen.iter().find(|one| one.path == "/token").unwrap();
    let form = String::from_utf8(token.body.clone()).unwrap();
    assert_eq!(token.method, "POST");
    assert_eq!(
        form,
        "scope=repository%3Aapp%3Apull&grant_type=refresh_token&client_id=lazaret&refresh_token=hunter2"
    );
}

#[test]
fn a_given_token_is_sent_to_the_registry() {
    let built = sample().build();
    let server = Server::start(move |request| match request.header("authorization") {
        Some("Bearer given") => answer(&built, request),
        _ if request.path == "/v2/" => Reply::status(401),
        _ => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
    })
    .unwrap();
    let given = |token: &str| {
        let mut options = options();
        options.registry.credentials.token = Some(Secret::new(token.to_owned()));
        open_with(&server, "app:1", &options)
    };
    holds(&given("given").unwrap());
    let error = given("hunter2").unwrap_err();
    assert!(matches!(error, ImageError::Registry(RegistryError::Denied { .. })), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn credentials_go_to_no_other_host() {
    // Blobs of most registries lie elsewhere.
    let built = sample().build();
    let away = built.clone();
    let store = Server::start(move |request| answer(&away, request)).unwrap();
    let location = store.url().to_owned();
    let server = Server::start(move |request| match request.header("authorization") {
        _ if request.path == "/v2/" => Reply::ok("{}"),
        Some(BASIC) if request.path.contains("/blobs/") => {
            Reply::redirect(307, &format!("{location}{}", request.path))
        }
        Some(BASIC) => answer(&built, request),
        _ => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
    })
    .unwrap();
    holds(&open_with(&server, "app:1", &with_login()).unwrap());
    assert_eq!(store.received().len(), 3);
    assert!(store.received().iter().all(|one| one.header("authorization").is_none()));
    assert!(server.received()[0].header("authorization").is_none());
}

#[test]
fn a_token_service_without_tls_is_not_asked() {
    for realm in ["http://auth.test/token", "ftp://127.0.0.1/", "https://u:p@auth.test/t", "x"] {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let server = Server::start(move |request| match request.path.as_str() {
            "/v2/" => Reply::ok("{}"),
            _ => Reply::status(401).header("www-authenticate", &challenge),
        })
        .unwrap();
        let error = open_with(&server, "app:1", &with_login()).unwrap_err();
        assert!(matches!(error, ImageError::Registry(RegistryError::Login { .. })), "{error}");
        assert!(server.received().iter().all(|one| one.header("authorization").is_none()));
    }
}

#[test]
fn over_plain_http_no_credentials_leave_the_machine() {
    let built = sample().build();
    let server = Server::start(move |request| match request.path.contains("/private/") {
        true => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
        false if request.path.contains("/forbidden/") => Reply::status(403),
        false => answer(&built, request),
    })
    .unwrap();
    let (proxy, asked) = tunnel(host(&server));
    let mut options = with_login();
    options.registry.credentials.registries.push("registry.test".to_owned());
    options.registry.fetch.proxy.all = Some(proxy);
    options.registry.plain_http = true;
    let open = |name: &str, options: &OpenOptions| open(&format!("registry:{name}"), options);
    assert!(open("registry.test/app:1", &options).is_ok());
    for name in ["registry.test/private/app:1", "registry.test/forbidden/app:1"] {
        let error = open(name, &options).unwrap_err();
        assert!(matches!(error, ImageError::Registry(RegistryError::NotPrivate { .. })), "{error}");
    }
    options.registry.credentials.token = Some(Secret::new("t0ken".to_owned()));
    assert!(open("registry.test/private/app:1", &options).is_err());
    assert!(server.received().len() >= 4);
    assert!(server.received().iter().all(|one| one.header("authorization").is_none()));
    assert!(asked.lock().unwrap().iter().all(|line| line.contains("registry.test:80 ")));
    let before = server.received().len();
    options.registry.plain_http = false;
    assert!(open("registry.test/app:1", &options).is_err());
    assert_eq!(server.received().len(), before, "no question but by TLS");
    assert!(asked.lock().unwrap().last().unwrap().contains("registry.test:443 "));
}

/// A proxy that leads every connection to one server, and the first lines of what it was asked.
fn tunnel(to: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (to, asked) = (to.to_owned(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            kept.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
            if head.contains(":443 ") {
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
    (url, asked)
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    for knows_ranges in [true, false] {
        let built = sample().build();
        let (serving, tries) = (built.clone(), AtomicUsize::new(0));
        let server = Server::start(move |request| {
            if !is_layer(&serving, 1, request) {
                return answer(&serving, request);
            }
            let mut request = request.clone();
            if !knows_ranges {
                request.headers.retain(|(name, _)| name != "range");
            }
            let reply = answer(&serving, &request);
            // Each time a little further.
            match tries.fetch_add(1, Ordering::SeqCst) {
                count @ 0..3 if knows_ranges => reply.cut_after(70_000 + count),
                count @ 0..3 => reply.cut_after(70_000 * (count + 1)),
                _ => reply,
            }
        })
        .unwrap();
        holds(&open_with(&server, "app:1", &options()).unwrap());
        let seen = server.received();
        let ranges: Vec<_> = seen.iter().filter_map(|one| one.header("range")).collect();
        assert_eq!(ranges.len(), 3, "{ranges:?}");
        let from = |range: &str| {
            range.trim_start_matches("bytes=").trim_end_matches('-').parse::<usize>().unwrap()
        };
        assert!(from(ranges[0]) <= 70_000 && from(ranges[0]) > 0, "{ranges:?}");
        assert!(ranges.windows(2).all(|pair| from(pair[0]) < from(pair[1])), "{ranges:?}");
    }
}

#[test]
fn a_connection_that_breaks_for_ever_is_given_up_and_is_no_tampering() {
    let built = sample().build();
    let serving = built.clone();
    let server = Server::start(move |request| match is_layer(&serving, 1, request) {
        true => answer(&serving, request).cut_after(1000),
        false => answer(&serving, request),
    })
    .unwrap();
    let walked = walk(&open_with(&server, "app:1", &options()).unwrap(), 1);
    let failure = walked.failure.unwrap();
    assert!(failure.starts_with("cannot read: ") && failure.contains("gave up"), "{failure}");
    assert_eq!((walked.packed_digest, walked.facts.diff_id), (None, None));
    let asked = server.received().iter().filter(|one| is_layer(&built, 1, one)).count();
    assert_eq!(asked, 11);
}

#[test]
fn other_content_than_the_digest_names_is_found() {
    let found = |builder: ImageBuilder| {
        let built = builder.build();
        let server = Server::start(move |request| answer(&built, request)).unwrap();
        let image = open_with(&server, "app:1", &options()).unwrap();
        let wrong = image
            .layers
            .iter()
            .enumerate()
            .filter(|(index, layer)| walk(&image, *index).packed_digest != layer.digest);
        let layers: Vec<usize> = wrong.map(|(index, _)| index).collect();
        let documents: Vec<String> =
            image.mismatches.iter().map(|mismatch| mismatch.what.clone()).collect();
        (documents, layers)
    };
    assert_eq!(found(sample()), (vec![], vec![]));
    assert_eq!(found(sample().breaking(Breakage::Manifest)).0, ["manifest"]);
    assert_eq!(found(sample().breaking(Breakage::Config)).0, ["configuration"]);
    assert_eq!(found(sample().breaking(Breakage::LayerBytes(1))), (vec![], vec![1]));

    let built = sample().build();
    let asked = Digest::of(b"another manifest");
    let server = Server::start(move |request| {
        let tagged = request.path.replace(&asked.to_string(), "1");
        answer(&built, &Received { path: tagged, ..request.clone() })
    })
    .unwrap();
    let asked = Digest::of(b"another manifest");
    let image = open_with(&server, &format!("app@{asked}"), &options()).unwrap();
    assert_eq!(image.mismatches.len(), 1);
    let image::Claim::Digest { expected, .. } = &image.mismatches[0].claim else { panic!() };
    assert_eq!(*expected, asked);
}

/// A layer that is read twice, because a hard link names a file that told the check nothing.
fn linked() -> ImageBuilder {
    ImageBuilder::new().layer(Layer::new().file("store/1", "w").hard_link("app/wanted", "store/1"))
}

#[test]
fn a_second_reading_is_believed_only_where_it_gives_the_same_bytes() {
    let honest = {
        let built = linked().build();
        Server::start(move |request| answer(&built, request)).unwrap()
    };
    let image = open_with(&honest, "app:1", &options()).unwrap();
    let walked = walk(&image, 0);
    assert_eq!(common::facts(&walked), ["app/wanted=w"]);
    assert_eq!(walked.failure, None);

    let other = ImageBuilder::new().layer(Layer::new().file("store/1", "-")).build();
    let other = other.layers[0].packed.clone().unwrap();
    for other in [None, Some(other)] {
        let built = linked().build();
        let layer = built.layers[0].digest.clone();
        let asked = AtomicUsize::new(0);
        let gone = other.is_none();
        let server = Server::start(move |request| {
            let again = is_layer(&built, 0, request) && asked.fetch_add(1, Ordering::SeqCst) > 0;
            match &other {
                _ if !again => answer(&built, request),
                None => Reply::status(404),
                Some(bytes) => Reply::ok(bytes.clone()),
            }
        })
        .unwrap();
        let image = open_with(&server, "app:1", &options()).unwrap();
        let walked = walk(&image, 0);
        let failure = walked.failure.clone().unwrap();
        if gone {
            assert!(failure.contains("could not be read a second time"), "{failure}");
        } else {
            assert_ne!(walked.packed_digest, Some(layer), "the digest is that of the last bytes");
            assert_ne!(walked.facts.diff_id, image.layers[0].diff_id);
        }
        let said = common::problems(&walked);
        assert!(said.iter().any(|text| text.starts_with("spy app/wanted: the layer")), "{said:?}");
    }
}

#[test]
fn endless_answers_end() {
    // Announced or not, no more is read than the manifest says.
    for chunked in [true, false] {
        let built = sample().build();
        let server = Server::start(move |request| {
            let long = Reply::ok(vec![0; 4 << 20]);
            match is_layer(&built, 0, request) {
                true if chunked => long.chunked(),
                true => long,
                false => answer(&built, request),
            }
        })
        .unwrap();
        let image = open_with(&server, "app:1", &options()).unwrap();
        let failure = walk(&image, 0).failure.unwrap();
        assert!(failure.contains("bytes"), "{failure}");
    }
    for path in ["/manifests/", "/blobs/"] {
        let built = sample().build();
        let server = Server::start(move |request| match request.path.contains(path) {
            true => Reply::ok(vec![b' '; 20 << 20]).chunked(),
            false => answer(&built, request),
        })
        .unwrap();
        let error = open_with(&server, "app:1", &options()).unwrap_err().to_string();
        assert!(error.contains("bytes"), "{error}");
    }
}

#[test]
fn errors_name_the_image_and_say_what_to_do() {
    let failing = |reply: Reply| {
        let server = Server::start(move |request| match request.path.as_str() {
            "/v2/" => Reply::ok("{}"),
            _ => reply.clone(),
        })
        .unwrap();
        let text = open_with(&server, "app:1", &options()).unwrap_err().to_string();
        assert!(text.contains("`registry:127.0.0.1:") && text.contains("/app:1`"), "{text}");
        text
    };
    let basic = Reply::status(401).header("www-authenticate", "Basic realm=\"x\"");
    for (reply, words) in [
        (basic, "log in with `docker login 127.0.0.1:"),
        (Reply::status(401), "a login of a kind that is not known"),
        (Reply::status(403), "does not let this user read it"),
        (Reply::status(404), "has no manifest `1`; check its name and tag"),
        (Reply::status(429).header("retry-after", "3600"), "in 3600 seconds"),
        (Reply::status(418), "answers 418"),
        (Reply::ok("{"), "is not a valid image manifest"),
        (Reply::ok("{}"), "it names no configuration"),
    ] {
        let text = failing(reply);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn the_platform_is_chosen_of_an_index_and_checked_of_an_image() {
    let builds: Vec<Built> = ["linux/amd64", "linux/arm64"]
        .iter()
        .map(|platform| {
            sample().platform(platform).layer(Layer::new().file("p", *platform)).build()
        })
        .collect();
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": builds.iter().zip(["amd64", "arm64"]).map(|(built, architecture)| {
            serde_json::json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": built.manifest_digest, "size": built.manifest.len(),
                "platform": {"os": "linux", "architecture": architecture},
            })
        }).collect::<Vec<_>>(),
    });
    let serving = builds.clone();
    let server = Server::start(move |request| {
        if request.path.ends_with("/manifests/1") {
            return Reply::ok(index.to_string());
        }
        let path = request.path.replace("/manifests/amd64", "/manifests/1");
        let request = Received { path, ..request.clone() };
        let first = answer(&serving[0], &request);
        let found = serving.iter().find(|built| {
            request.path.contains(&built.manifest_digest.to_string())
                || request.path.contains(&built.config_digest.to_string())
                || built.layers.iter().any(|one| request.path.contains(&one.digest.to_string()))
        });
        found.map_or(first, |built| answer(built, &request))
    })
    .unwrap();
    for (index, platform) in ["linux/amd64", "linux/arm64"].iter().enumerate() {
        let mut options = options();
        options.platform = Some(platform.parse().unwrap());
        let image = open_with(&server, "app:1", &options).unwrap();
        assert_eq!(image.subject.config_digest, Some(builds[index].config_digest.clone()));
        holds(&image);
        let other = &builds[1 - index].manifest_digest;
        let error = open_with(&server, &format!("app@{other}"), &options).unwrap_err();
        assert!(matches!(error, ImageError::NoMatch { .. }), "{error}");
    }
}

#[test]
fn offline_asks_nothing() {
    let server = Server::replies([Reply::ok("{}")]).unwrap();
    let mut options = with_login();
    options.registry.fetch.offline = true;
    let error = open_with(&server, "app:1", &options).unwrap_err().to_string();
    assert!(error.contains("--offline"), "{error}");
    assert!(server.received().is_empty());
}

#[test]
fn layers_side_by_side_ask_for_one_token() {
    let built = (0..6)
        .fold(ImageBuilder::new(), |image, index| {
            image.layer(
                Layer::new().file(format!("f{index}"), noise()).compression(Compression::None),
            )
        })
        .build();
    let asked = Mutex::new(0);
    let server = Server::start(move |request| {
        let at = request.header("host").unwrap();
        if request.path.starts_with("/token") {
            *asked.lock().unwrap() += 1;
            return Reply::ok(r#"{"token":"anonymous"}"#).after(Duration::from_millis(50));
        }
        match request.header("authorization") {
            Some("Bearer anonymous") => answer(&built, request),
            _ if request.path == "/v2/" => Reply::ok("{}"),
            _ => Reply::status(401)
                .header("www-authenticate", &format!(r#"Bearer realm="http://{at}/token""#)),
        }
    })
    .unwrap();
    let image = open_with(&server, "app:1", &options()).unwrap();
    std::thread::scope(|scope| {
        for index in 0..6 {
            let image = &image;
            scope.spawn(move || assert_eq!(walk(image, index).failure, None));
        }
    });
    let seen = server.received();
    assert_eq!(seen.iter().filter(|one| one.path.starts_with("/token")).count(), 1);
}
