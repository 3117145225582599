use super::*;
use std::process::{Command, Stdio};
use testkit::SigningKey;

const MADE: u32 = 1_700_000_000;
const NOW: i64 = 1_790_000_000;
const TEXT: &str = "Origin: Test\n- dashed\n\ntrailing  \n";

fn key() -> SigningKey {
    SigningKey::new([7; 32], MADE)
}

fn ring(file: &[u8]) -> Keyring {
    let mut keyring = Keyring::default();
    keyring.add(file).unwrap();
    keyring
}

fn verified(signed: &str, keyring: &Keyring) -> Result<Verified, String> {
    verify(signed.as_bytes(), keyring, |_| true, NOW).map_err(|error| error.to_string())
}

fn at(now: i64) -> u32 {
    u32::try_from(now).unwrap()
}

#[test]
fn a_good_signature_yields_what_was_signed_from_a_keyring_of_either_form() {
    let signed = key().clear_sign(TEXT, at(NOW));
    for file in [key().keyring(), key().armored().into_bytes()] {
        let good = verified(&signed, &ring(&file)).unwrap();
        assert_eq!(good.text, "Origin: Test\n- dashed\n\ntrailing\n");
        assert_eq!(good.signer.to_string(), key().fingerprint());
    }
    let windows = signed.replace('\n', "\r\n");
    assert!(verified(&windows, &ring(&key().keyring())).is_ok());
}

#[test]
fn a_changed_text_or_signature_is_refused() {
    let signed = key().clear_sign(TEXT, at(NOW));
    let keyring = ring(&key().keyring());
    for (from, to) in [
        ("Origin: Test", "Origin: Best"),
        ("- - dashed", "- -dashed"),
        ("\n\ntrailing", "\n\n\ntrailing"),
        ("-----BEGIN PGP SIGNATURE-----\n\n", "-----BEGIN PGP SIGNATURE-----\n\nAAAA"),
        ("Hash: SHA512", "Hash: SHA512\nComment: x"),
        ("- - dashed", "- dashed\n-----BEGIN PGP SIGNED MESSAGE-----"),
        ("-----BEGIN PGP SIGNED", "x\n-----BEGIN PGP SIGNED"),
        ("-----END PGP SIGNATURE-----", "-----END PGP SIGNATURE-----\nmore"),
        ("-----END PGP SIGNATURE-----", ""),
    ] {
        let changed = signed.replacen(from, to, 1);
        assert_ne!(changed, signed, "{from}");
        assert!(verified(&changed, &keyring).is_err(), "{from}");
    }
}

#[test]
fn keys_that_are_not_trusted_or_not_there_sign_nothing() {
    let signed = key().clear_sign(TEXT, at(NOW));
    let keyring = ring(&key().keyring());
    let error = verify(signed.as_bytes(), &keyring, |_| false, NOW).unwrap_err().to_string();
    assert!(error.contains(&key().fingerprint()) && error.contains("--keyring"), "{error}");
    let other = SigningKey::new([8; 32], MADE);
    assert!(verified(&signed, &ring(&other.keyring())).unwrap_err().contains("no key that is"));
}

#[test]
fn expired_revoked_and_unfit_keys_sign_nothing() {
    let signed = key().clear_sign(TEXT, at(NOW));
    let refused = |change: fn(&mut SigningKey), reason: &str| {
        let mut key = key();
        change(&mut key);
        let error = verified(&signed, &ring(&key.keyring())).unwrap_err();
        assert!(error.contains(reason), "{error}");
    };
    refused(|key| key.lifetime = 1000, "it has expired");
    refused(|key| key.revoked = true, "it is revoked");
    refused(|key| key.flags = 1, "not meant for signing");
    assert!(verified(&key().clear_sign(TEXT, at(NOW) + 200_000), &ring(&key().keyring())).is_err());
    assert!(verified(&key().clear_sign(TEXT, MADE - 5), &ring(&key().keyring())).is_err());
}

#[test]
fn a_revocation_in_one_copy_of_a_key_counts_for_all() {
    let signed = key().clear_sign(TEXT, at(NOW));
    let mut keyring = ring(&key().keyring());
    let mut revoked = key();
    revoked.revoked = true;
    keyring.add(&revoked.keyring()).unwrap();
    assert!(verified(&signed, &keyring).unwrap_err().contains("revoked"));
}

#[test]
fn a_key_without_a_word_of_its_own_signs_nothing() {
    let whole = key().keyring();
    let bare = &whole[..6 + usize::from(whole[5])];
    let error = verified(&key().clear_sign(TEXT, at(NOW)), &ring(bare)).unwrap_err();
    assert!(error.contains("does not vouch for itself"), "{error}");
}

/// Runs GnuPG in a folder of its own; none where there is no GnuPG, which is said.
fn gpg(home: &std::path::Path, arguments: &[&str], input: &str) -> Option<Vec<u8>> {
    use std::io::Write as _;
    let mut child = Command::new("gpg")
        .args(["--homedir", home.to_str()?, "--batch", "--quiet", "--pinentry-mode", "loopback"])
        .args(["--passphrase", ""])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = child.as_mut() else {
        eprintln!("skipped: gpg is not here");
        return None;
    };
    child.stdin.take()?.write_all(input.as_bytes()).ok()?;
    let mut output = Vec::new();
    std::io::Read::read_to_end(&mut child.stdout.take()?, &mut output).ok()?;
    assert!(child.wait().unwrap().success(), "gpg {arguments:?}");
    Some(output)
}

#[test]
fn what_gnupg_signs_with_subkeys_of_rsa_and_ed25519_is_good_until_it_revokes_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (user, primary, subkey) in
        [("a@a.test", "rsa2048", "rsa3072"), ("b@a.test", "ed25519", "ed25519")]
    {
        if gpg(home, &["--quick-generate-key", user, primary, "cert", "0"], "").is_none() {
            return;
        }
        let listed = gpg(home, &["--with-colons", "--list-keys", user], "").unwrap();
        let listed = String::from_utf8(listed).unwrap();
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        let fingerprint = line.split(':').nth(9).unwrap().to_owned();
        gpg(home, &["--quick-add-key", &fingerprint, subkey, "sign", "1y"], "").unwrap();
        let signed = gpg(home, &["--local-user", user, "--clear-sign"], TEXT).unwrap();
        let signed = String::from_utf8(signed).unwrap();
        let keys = gpg(home, &["--export", user], "").unwrap();
        let now = jiff::Timestamp::now().as_second();
        let of = |file: &[u8], now| {
            verify(signed.as_bytes(), &ring(file), |_| true, now).map_err(|error| error.to_string())
        };
        let good = of(&keys, now).unwrap();
        assert_eq!(good.signer.to_string(), fingerprint);
        assert!(of(&keys, now + 400 * 86_400).unwrap_err().contains("it has expired"));
        let forged = signed.replace("Origin: Test", "Origin: Best");
        assert!(verify(forged.as_bytes(), &ring(&keys), |_| true, now).is_err());

        let revocation = home.join("openpgp-revocs.d").join(format!("{fingerprint}.rev"));
        let revocation = std::fs::read_to_string(revocation).unwrap().replace(":-----", "-----");
        gpg(home, &["--import"], &revocation).unwrap();
        let keys = gpg(home, &["--export", user], "").unwrap();
        assert!(of(&keys, now).unwrap_err().contains("it is revoked"));
    }
}

#[test]
fn a_subkey_that_is_claimed_without_its_consent_signs_nothing() {
    let (trusted, victim) = (key(), SigningKey::new([9; 32], MADE));
    let file = [trusted.keyring(), trusted.claim(&victim)].concat();
    let signed = victim.clear_sign(TEXT, at(NOW));
    let error = verified(&signed, &ring(&file)).unwrap_err();
    assert!(error.contains("does not acknowledge its primary key"), "{error}");
}

#[test]
fn the_keys_of_debian_may_sign_where_their_package_is_installed() {
    let Ok(file) = std::fs::read("/usr/share/keyrings/debian-archive-keyring.gpg") else {
        eprintln!("skipped: debian-archive-keyring is not installed");
        return;
    };
    let keyring = ring(&file);
    // Keys live eight years and more; this is in 2025.
    let may_sign = |primary: Fingerprint| keyring.usable(&primary, &primary, 1_750_000_000).is_ok();
    assert!(keyring.fingerprints().any(may_sign));
}
