//! What the signature of an artefact says: an in-toto Statement v1 about its manifest, with the time
//! and every database in it.
//!
//! The digest of the manifest says all of it already. That it is said again is for people who read the
//! statement, and so that a statement about another kind of thing, signed with the same key, is never
//! taken for one about a database.

use super::{Artefact, Packed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocabulary::Digest;

/// The type of every statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of what it says.
pub const PREDICATE_TYPE: &str = "urn:lazaret:database:v1";

#[derive(Serialize, Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Resource {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Predicate {
    created: String,
    /// Digests of the layers, by ecosystem.
    databases: BTreeMap<String, Digest>,
}

/// The bytes to sign.
#[must_use]
pub fn of(packed: &Packed) -> Vec<u8> {
    let layers = packed.layers.iter();
    let databases = layers.map(|one| (one.ecosystem.to_string(), Digest::of(&one.bytes))).collect();
    let digest = &packed.digest;
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: vec![Resource {
            name: "lazaret-database".to_owned(),
            digest: BTreeMap::from([(digest.algorithm().name().to_owned(), digest.hex())]),
        }],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate { created: packed.created.clone(), databases },
    };
    serde_json::to_vec(&statement).unwrap_or_default()
}

/// Whether signed bytes speak of this artefact.
///
/// # Errors
/// With what they speak of instead.
pub fn holds(payload: &[u8], artefact: &Artefact) -> Result<(), &'static str> {
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|_| "what is signed is no statement of a database")?;
    if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
        return Err("what is signed is no statement of a database");
    }
    let digest = &artefact.digest;
    let [Resource { digest: named, .. }] = statement.subject.as_slice() else {
        return Err("what is signed speaks of several things");
    };
    if named.get(digest.algorithm().name()) != Some(&digest.hex()) {
        return Err("what is signed is another database");
    }
    let layers = artefact.layers.iter();
    let databases: BTreeMap<String, Digest> =
        layers.map(|(ecosystem, blob)| (ecosystem.to_string(), blob.digest.clone())).collect();
    let time = statement.predicate.created.parse::<jiff::Timestamp>();
    let same_time = time.is_ok_and(|time| time == artefact.created);
    match same_time && statement.predicate.databases == databases {
        true => Ok(()),
        false => Err("what is signed has another time or other databases"),
    }
}
