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
fn a_signature_counts_for_as_long_as_it_says() {
    let mut key = key();
    key.signatures_last = 1000;
    let signed = key.clear_sign(TEXT, at(NOW));
    let keyring = ring(&key.keyring());
    let of = |now| verify(signed.as_bytes(), &keyring, |_| true, now);
    assert!(of(NOW + 999).is_ok());
    for later in [1000, 1001, 10_000_000] {
        let error = of(NOW + later).unwrap_err().to_string();
        assert!(error.contains("it has expired"), "{later}: {error}");
    }
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
fn a_revocation_counts_wherever_it_stands_and_by_any_hash() {
    let signed = key().clear_sign(TEXT, at(NOW));
    let other = SigningKey::new([8; 32], MADE);
    let armored = |packets: &[u8]| {
        use base64::Engine as _;
        let text = base64::prelude::BASE64_STANDARD.encode(packets);
        let kind = "PGP PUBLIC KEY BLOCK";
        format!("-----BEGIN {kind}-----\nComment: a revocation\n\n{text}\n-----END {kind}-----\n")
    };
    for hash in [10, 9, 2] {
        let mut revoking = key();
        revoking.hash = hash;
        let revocation = revoking.revocation();
        let files: [Vec<Vec<u8>>; 5] = [
            vec![[key().keyring(), revocation.clone()].concat()],
            vec![[key().keyring(), other.keyring(), revocation.clone()].concat()],
            vec![[revocation.clone(), key().keyring()].concat()],
            vec![key().keyring(), armored(&revocation).into_bytes()],
            vec![revocation.clone(), key().keyring()],
        ];
        for (number, files) in files.iter().enumerate() {
            let mut keyring = Keyring::default();
            for file in files {
                keyring.add(file).unwrap();
            }
            let error = verified(&signed, &keyring).unwrap_err();
            assert!(error.contains("it is revoked"), "{hash}, {number}: {error}");
            // Of another key it says nothing.
            keyring.add(&other.keyring()).unwrap();
            assert!(verified(&other.clear_sign(TEXT, at(NOW)), &keyring).is_ok());
        }
        let mut damaged = revocation;
        *damaged.last_mut().unwrap() ^= 1;
        let keyring = ring(&[key().keyring(), damaged].concat());
        assert!(verified(&signed, &keyring).is_ok(), "who cannot sign cannot revoke");
    }
}

#[test]
fn a_hash_that_is_believed_in_revocations_vouches_for_nothing() {
    for hash in [9, 2] {
        let mut weak = key();
        weak.hash = hash;
        let error = verified(&key().clear_sign(TEXT, at(NOW)), &ring(&weak.keyring())).unwrap_err();
        assert!(error.contains("does not vouch for itself"), "{error}");
        let by_weak = weak.clear_sign(TEXT, at(NOW));
        let error = verified(&by_weak, &ring(&key().keyring())).unwrap_err();
        assert!(error.contains("no key that is trusted"), "{error}");
    }
}

#[test]
fn a_keyring_is_one_only_if_a_key_of_it_is_taken() {
    let add = |file: &[u8]| Keyring::default().add(file).map_err(|error| error.to_string());
    let whole = key().keyring();
    assert!(add(&whole).is_ok() && add(&key().revocation()).is_ok());
    // The same packet as a secret key, as one of version 3, and its user id and signature alone.
    let first = 6 + usize::from(whole[5]);
    let mut secret = whole.clone();
    secret[0] = 0xc0 | 5;
    let mut old = whole.clone();
    old[6] = 3;
    for file in [&secret, &old, &whole[first..].to_vec()] {
        assert!(add(file).unwrap_err().contains("no key that is taken"));
    }
    // What follows a secret key is not said of the key before it.
    let mut keyring = ring(&whole[..first]);
    keyring.add(&[&whole[..first], &secret].concat()).unwrap();
    let error = verified(&key().clear_sign(TEXT, at(NOW)), &keyring).unwrap_err();
    assert!(error.contains("does not vouch for itself"), "{error}");
}

#[test]
fn lengths_are_read_in_every_form() {
    let of = |bytes: &'static [u8]| {
        (packet::Cursor(bytes).length(), packet::Cursor(bytes).subpacket_length())
    };
    assert_eq!(of(&[191]), (Some(191), Some(191)));
    assert_eq!(of(&[192, 0]), (Some(192), Some(192)));
    assert_eq!(of(&[223, 255]), (Some(8383), Some(8383)));
    // The length of a packet that comes in parts; of a subpacket there is no such thing.
    assert_eq!(of(&[224, 0]), (None, Some(8384)));
    assert_eq!(of(&[254, 255]), (None, Some(16_319)));
    assert_eq!(of(&[255, 0, 1, 0, 0]), (Some(65_536), Some(65_536)));
    for cut in [&[][..], &[192], &[255, 0, 0, 0]] {
        assert_eq!(packet::Cursor(cut).subpacket_length(), None);
    }
}

#[test]
fn what_anybody_may_add_to_a_signature_does_not_change_whose_it_is() {
    let packet = key().revocation();
    let body = &packet[6..];
    // Kind, algorithm and hash, then the hashed part with its length; the unhashed one is empty.
    let end = 6 + usize::from(u16::from_be_bytes([body[4], body[5]]));
    let mut added = body[..end].to_vec();
    added.extend([0, 23, 22, 33, 4]);
    added.extend([0xee; 20]);
    added.extend(&body[end + 2..]);
    let own = ring(&key().keyring()).fingerprints().next().unwrap();
    for body in [body, &added] {
        let signature = Signature::parse(body).unwrap();
        assert!(signature.names(&own));
        assert_eq!(signature.named(), key().fingerprint());
    }
}

#[test]
fn a_flood_of_parts_and_revocations_is_refused() {
    let users: Vec<u8> = (0_u16..600)
        .flat_map(|user| {
            let text = user.to_be_bytes();
            [vec![0xc0 | 13, 2], text.to_vec()].concat()
        })
        .collect();
    let first = 6 + usize::from(key().keyring()[5]);
    let flood = [&key().keyring()[..first], users.as_slice()].concat();
    assert!(Keyring::default().add(&flood).unwrap_err().to_string().contains("too many parts"));
    let revocations: Vec<u8> =
        (0..300_u32).flat_map(|made| SigningKey::new([8; 32], MADE + made).revocation()).collect();
    let error = Keyring::default().add(&revocations).unwrap_err().to_string();
    assert!(error.contains("too many revocations"), "{error}");
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
        return testkit::skip("`gpg` is not installed");
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
        return testkit::skip("debian-archive-keyring is not installed");
    };
    let keyring = ring(&file);
    // Keys live eight years and more; this is in 2025.
    let may_sign = |primary: Fingerprint| keyring.usable(&primary, &primary, 1_750_000_000).is_ok();
    assert!(keyring.fingerprints().any(may_sign));
}
