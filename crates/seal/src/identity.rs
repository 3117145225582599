//! Holds an image's digests against the seals of its name.
//!
//! In go configuration digest and diffIDs, out comes which seal the image stands under, and findings
//! where that is not the newest one. The digests of a rebuilt image agree with each other: only the
//! seal tells that it is another one.

use crate::finding::{about_subject, seen};
use crate::log::Seal;
use crate::name::Name;
use crate::rules::{ROLLED_BACK_IMAGE, SEAL_MISMATCH};
use crate::store::Store;
use vocabulary::{Aspect, Digest, Evidence, Finding, Layer, Location};

/// Under which seal an image stands.
#[derive(Clone, Debug)]
pub struct Standing<'store> {
    /// The newest seal of the name.
    pub newest: &'store Seal,
    /// The seal that its files are to be held against: that of the same image, else the newest.
    pub baseline: &'store Seal,
    /// How it differs: `seal-mismatch`, `rolled-back-image`.
    pub findings: Vec<Finding>,
}

/// Where the image stands; none where its name was never sealed. Without `layers` it is not known which
/// there are, and nothing is said of them.
///
/// A tag that was never sealed stands for the newest seal of its repository if the image was ever
/// sealed there, or if that seal is for any tag.
#[must_use]
pub fn standing<'store>(
    store: &'store Store,
    name: &Name,
    config_digest: Option<&Digest>,
    layers: Option<&[Layer]>,
) -> Option<Standing<'store>> {
    let same = |seal: &&Seal| Some(&seal.statement.predicate.config_digest) == config_digest;
    let any_tag = || {
        let newest = store.newest(&name.repository)?;
        let stands = newest.statement.predicate.tag.is_none()
            || store.of(&name.repository).any(|seal| same(&seal));
        stands.then_some(newest)
    };
    let newest = store.newest_under(name).or_else(any_tag)?;
    let mut findings = Vec::new();
    let baseline = if same(&newest) {
        newest
    } else if let Some(other) = store.of(&name.repository).filter(same).last() {
        let replaced = other.statement.predicate.counter < newest.statement.predicate.counter;
        findings.push(match replaced {
            true => rolled_back(newest, other),
            // Sealed since, but under another tag.
            false => other_configuration(newest, config_digest),
        });
        other
    } else {
        findings.push(other_configuration(newest, config_digest));
        newest
    };
    findings.extend(layers.map(|layers| other_layers(baseline, layers)).unwrap_or_default());
    Some(Standing { newest, baseline, findings })
}

fn difference(aspect: Aspect, expected: &impl ToString, found: Option<&impl ToString>) -> Evidence {
    let (expected, found) = (Some(expected.to_string()), found.map(ToString::to_string));
    Evidence::Difference { aspect, expected, found }
}

fn rolled_back(newest: &Seal, older: &Seal) -> Finding {
    let (new, old) = (&newest.statement.predicate, &older.statement.predicate);
    let title = format!(
        "`{}` is the image of seal {}, which seal {} has replaced on {}",
        new.name(),
        old.counter,
        new.counter,
        new.time
    );
    let evidence = vec![
        difference(Aspect::Counter, &new.counter, Some(&old.counter)),
        difference(Aspect::Digest, &new.config_digest, Some(&old.config_digest)),
    ];
    about_subject(&ROLLED_BACK_IMAGE, &new.name().to_string(), title, evidence)
}

fn other_configuration(newest: &Seal, found: Option<&Digest>) -> Finding {
    let predicate = &newest.statement.predicate;
    let title = format!(
        "The image is not the one that was sealed as `{}` (seal {})",
        predicate.name(),
        predicate.counter
    );
    let evidence = vec![difference(Aspect::Digest, &predicate.config_digest, found)];
    about_subject(&SEAL_MISMATCH, &predicate.name().to_string(), title, evidence)
}

fn other_layers(seal: &Seal, layers: &[Layer]) -> Vec<Finding> {
    let sealed = &seal.statement.predicate.layers;
    let mut findings = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let expected = sealed.get(index).map(|sealed| &sealed.diff_id);
        if expected == Some(&layer.diff_id) {
            continue;
        }
        let title = match expected {
            Some(_) => format!("Layer {index} is not the sealed one"),
            None => format!("Layer {index} was put on top of the {} sealed ones", sealed.len()),
        };
        findings.push(other_layer(layer, title, expected));
    }
    for (index, missing) in sealed.iter().enumerate().skip(layers.len()) {
        let title = format!("Layer {index} of the sealed image is not there");
        let evidence = vec![difference(Aspect::Digest, &missing.diff_id, None::<&Digest>)];
        let identity = missing.diff_id.to_string();
        findings.push(about_subject(&SEAL_MISMATCH, &identity, title, evidence));
    }
    findings
}

fn other_layer(layer: &Layer, title: String, expected: Option<&Digest>) -> Finding {
    let location = Location::Layer { index: layer.index, diff_id: layer.diff_id.clone() };
    let evidence = Evidence::Difference {
        aspect: Aspect::Digest,
        expected: expected.map(ToString::to_string),
        found: Some(layer.diff_id.to_string()),
    };
    seen(Finding::of(&SEAL_MISMATCH, None, title, location, vec![evidence]))
}
