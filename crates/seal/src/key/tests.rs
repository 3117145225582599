use super::*;
use proptest::prelude::*;
use std::process::{Command, Stdio};

/// Whether a tool is here; the test is skipped where it is not.
fn has(tool: &str, arguments: &[&str]) -> bool {
    let here = Command::new(tool).args(arguments).stdin(Stdio::null()).output().is_ok();
    here || testkit::skip(&format!("`{tool}` is not installed"))
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn ssh_key(folder: &Path, pass: &str) -> PathBuf {
    let file = folder.join("id");
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-C", "a b", "-N", pass, "-f"])
        .arg(&file));
    file
}

fn private(file: &Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file.to_owned()
}

fn reason<T: fmt::Debug>(result: Result<T, KeyError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_new_key_signs_what_its_public_half_verifies() {
    let (secret, public) = generate().unwrap();
    let key = SigningKey::from_private(&secret).unwrap();
    let publics = VerifyingKey::parse(public.as_bytes()).unwrap();
    assert_eq!(publics, [key.public().clone()]);
    let signature = key.sign(b"message").unwrap();
    assert!(publics[0].verifies(b"message", &signature.bytes));
    assert!(!publics[0].verifies(b"another", &signature.bytes));
    let (_, other) = generate().unwrap();
    assert!(
        !VerifyingKey::parse(other.as_bytes()).unwrap()[0].verifies(b"message", &signature.bytes)
    );
    // The same key in OpenSSH's form asks for another form of signature.
    let ssh = VerifyingKey { kind: KeyKind::Ssh, ..publics[0].clone() };
    assert!(!ssh.verifies(b"message", &signature.bytes));
}

#[test]
fn secrets_show_in_no_output() {
    let (secret, _) = generate().unwrap();
    let key = SigningKey::from_private(&secret).unwrap();
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().fingerprint()));
    let folder = tempfile::tempdir().unwrap();
    let damaged = private(&folder.path().join("k"), &secret.replace("MC4", "AAA"));
    let body: String = secret.lines().filter(|line| !line.starts_with('-')).collect();
    let error = format!("{:?}", SigningKey::load(&damaged, None).unwrap_err());
    assert!(!error.contains(body.get(8..20).unwrap()), "{error}");
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (secret, public) = generate().unwrap();
    let file = private(&folder.path().join("k"), &secret);
    SigningKey::load(&file, None).unwrap();
    for mode in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(reason(SigningKey::load(&file, None)).contains("chmod 600"));
    }
    let file = folder.path().join("k.pub");
    std::fs::write(&file, public).unwrap();
    assert!(reason(SigningKey::load(&file, None)).contains("give the private one"));
    assert!(reason(SigningKey::load(&folder.path().join("none"), None)).contains("cannot read"));
}

#[test]
fn keys_and_signatures_of_openssl_are_taken() {
    if !has("openssl", &["version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (file, public) = (folder.path().join("k"), folder.path().join("k.pub"));
    run(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&file));
    let key =
        SigningKey::load(&private(&file, &std::fs::read_to_string(&file).unwrap()), None).unwrap();
    let text = run(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&file));
    assert_eq!(text, key.public().to_text());
    // And the other way round: it takes a key of ours, and our signature.
    let (secret, ours) = generate().unwrap();
    private(&file, &secret);
    assert_eq!(run(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&file)), ours);
    std::fs::write(&public, &ours).unwrap();
    let signature = SigningKey::load(&file, None).unwrap().sign(b"message").unwrap();
    let (message, sig) = (folder.path().join("m"), folder.path().join("s"));
    std::fs::write(&message, b"message").unwrap();
    std::fs::write(&sig, &signature.bytes).unwrap();
    run(Command::new("openssl")
        .args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"])
        .arg(&public)
        .arg("-in")
        .arg(&message)
        .arg("-sigfile")
        .arg(&sig));
    // Other algorithms are named, not guessed at.
    run(Command::new("openssl").args(["genpkey", "-algorithm", "x25519", "-out"]).arg(&file));
    assert!(reason(SigningKey::load(&file, None)).contains("not an Ed25519 key"));
    run(Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:not-a-secret", "-out"])
        .arg(&file));
    assert!(reason(SigningKey::load(&file, None)).contains("encrypted"));
}

#[test]
fn keys_and_signatures_of_openssh_are_taken() {
    if !has("ssh-keygen", &["-?"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = ssh_key(folder.path(), "");
    let key = SigningKey::load(&file, None).unwrap();
    let public = folder.path().join("id.pub");
    assert_eq!(VerifyingKey::load(&public).unwrap(), [key.public().clone()]);
    let listed = run(Command::new("ssh-keygen").arg("-lf").arg(&public));
    assert!(listed.contains(&key.public().fingerprint()), "{listed}");
    let signature = key.sign(b"message").unwrap();
    let (message, sig) = (folder.path().join("m"), folder.path().join("s"));
    let signers = folder.path().join("allowed");
    std::fs::write(&message, b"message").unwrap();
    std::fs::write(&sig, armored(&signature.bytes)).unwrap();
    std::fs::write(&signers, key.public().allowed_signer().unwrap()).unwrap();
    assert_eq!(VerifyingKey::load(&signers).unwrap(), [key.public().clone()]);
    let verify = |namespace: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-I", SIGNER, "-n", namespace, "-f"]).arg(&signers);
        command.arg("-s").arg(&sig).stdin(std::fs::File::open(&message).unwrap());
        command.output().unwrap().status.success()
    };
    assert!(verify(NAMESPACE));
    assert!(!verify("file"));
    // A signature that ssh-keygen makes is the same one; in another namespace it is none of ours.
    for (namespace, holds) in [(NAMESPACE, true), ("git", false)] {
        let _ = std::fs::remove_file(folder.path().join("m.sig"));
        run(Command::new("ssh-keygen")
            .args(["-Y", "sign", "-n", namespace, "-f"])
            .arg(&file)
            .arg(&message));
        let made = std::fs::read_to_string(folder.path().join("m.sig")).unwrap();
        let made = pem::block(&made, "SSH SIGNATURE").unwrap();
        assert_eq!(key.public().verifies(b"message", &made), holds);
        assert_eq!(made == signature.bytes, holds);
    }
    let folder = tempfile::tempdir().unwrap();
    let encrypted = ssh_key(folder.path(), "not a secret");
    let error = reason(SigningKey::load(&encrypted, None));
    assert!(error.contains("ssh-add") && error.contains(".pub"), "{error}");
}

#[test]
fn the_ssh_agent_signs_for_a_public_key() {
    if !has("ssh-keygen", &["-?"]) || !has("ssh-agent", &["-?"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (file, socket) = (ssh_key(folder.path(), ""), folder.path().join("agent"));
    let public = folder.path().join("id.pub");
    assert!(reason(SigningKey::load(&public, None)).contains("SSH_AUTH_SOCK"));
    let mut agent = Command::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..100 {
        if socket.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let key = SigningKey::load(&public, Some(&socket)).unwrap();
    let without = key.sign(b"message");
    let added = Command::new("ssh-add").arg(&file).env("SSH_AUTH_SOCK", &socket).output();
    let signed = key.sign(b"message");
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(added.unwrap().status.success());
    assert!(reason(without).contains("ssh-add"));
    assert!(key.public().verifies(b"message", &signed.unwrap().bytes));
    assert!(reason(key.sign(b"message")).contains("is the agent running?"));
}

#[test]
fn limits_of_an_allowed_signer_are_kept() {
    let line = ssh::public_line(&[7; 32]);
    let of = |text: String| VerifyingKey::parse(text.as_bytes());
    assert_eq!(of(format!("# who\n\nme {line} comment\nyou {line}\n")).unwrap().len(), 2);
    assert_eq!(of(format!("me namespaces=\"git,seal@lazaret\" {line}")).unwrap().len(), 1);
    assert!(of(format!("me namespaces=\"git\" {line}")).unwrap_err().contains("namespace"));
    assert!(of(format!("me cert-authority {line}")).unwrap_err().contains("options"));
    assert!(of(format!("me valid-before=\"2020\" {line}")).unwrap_err().contains("options"));
    assert!(of("ssh-rsa AAAA".to_owned()).unwrap_err().contains("not Ed25519"));
    assert!(of(String::new()).unwrap_err().contains("no key"));
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "(-----BEGIN (OPENSSH PRIVATE|PUBLIC|PRIVATE) KEY-----)?[a-zA-Z0-9+/ \"=\n]{0,99}(-----END PUBLIC KEY-----)?") {
        let _ = VerifyingKey::parse(text.as_bytes());
        let _ = SigningKey::from_private(&text);
    }

    #[test]
    fn a_changed_signature_does_not_hold(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (secret, _) = generate().unwrap();
        for kind in [KeyKind::Ed25519, KeyKind::Ssh] {
            let mut key = SigningKey::from_private(&secret).unwrap();
            key.public.kind = kind;
            let mut signature = key.sign(b"message").unwrap().bytes;
            let at = at.index(signature.len());
            signature[at] ^= 1 << bit;
            // The reserved field of an SSHSIG is the one thing that is to be passed over.
            prop_assert!(!key.public.verifies(b"message", &signature));
        }
    }
}
