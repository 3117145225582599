//! CSAF 2.0: products are named in a tree, and statements refer to them by id.

use super::{VexError, VexProduct, VexStatement, VexStatus, json, kept};
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::Purl;

/// Deepest nesting of branches that is followed.
const DEPTH: usize = 32;

#[derive(Deserialize)]
struct Csaf {
    document: Document,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    tracking: Tracking,
}

#[derive(Default, Deserialize)]
struct Tracking {
    #[serde(default)]
    current_release_date: String,
}

#[derive(Default, Deserialize)]
struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    full_product_names: Vec<Product>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    product: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    product_id: String,
    #[serde(default)]
    product_identification_helper: Helper,
}

#[derive(Default, Deserialize)]
struct Helper {
    #[serde(default)]
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    full_product_name: Product,
    product_reference: String,
    #[serde(default)]
    relates_to_product_reference: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    ids: Vec<Id>,
    #[serde(default)]
    product_status: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    flags: Vec<Flag>,
    #[serde(default)]
    threats: Vec<Threat>,
}

#[derive(Deserialize)]
struct Id {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Flag {
    label: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Threat {
    #[serde(default)]
    category: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<VexStatement>, VexError> {
    let csaf: Csaf = json("CSAF", bytes)?;
    let mut purls = BTreeMap::new();
    branches(&csaf.product_tree.branches, &mut purls, 0);
    for product in &csaf.product_tree.full_product_names {
        put(product, &mut purls);
    }
    let mut products: BTreeMap<String, VexProduct> =
        purls.iter().map(|(id, purl)| (id.clone(), product_of(purl))).collect();
    // A part of a larger product is known by the part's package URL, unless it has one of its own. Where
    // the larger one has a package URL, too, the part is meant in that alone.
    for relationship in &csaf.product_tree.relationships {
        let id = &relationship.full_product_name.product_id;
        if let Some(purl) = purl_of(&relationship.full_product_name) {
            products.insert(id.clone(), product_of(&purl));
            continue;
        }
        let Some(part) = purls.get(&relationship.product_reference) else { continue };
        let product = match purls.get(&relationship.relates_to_product_reference) {
            Some(whole) => VexProduct { purl: whole.clone(), parts: vec![part.clone()] },
            None => product_of(part),
        };
        products.entry(id.clone()).or_insert(product);
    }
    let time = kept(&csaf.document.tracking.current_release_date);
    let mut statements = Vec::new();
    for vulnerability in &csaf.vulnerabilities {
        for (status, ids) in &vulnerability.product_status {
            let Some(status) = status_of(status) else { continue };
            for id in ids {
                // One whose product has no package URL is kept: it meets nothing, and is counted.
                let product = products.get(id);
                statements.push(statement(name, vulnerability, status, id, product, &time));
            }
        }
    }
    Ok(statements)
}

fn status_of(text: &str) -> Option<VexStatus> {
    Some(match text {
        "known_not_affected" => VexStatus::NotAffected,
        "fixed" | "first_fixed" => VexStatus::Fixed,
        "known_affected" | "first_affected" | "last_affected" => VexStatus::Affected,
        "under_investigation" => VexStatus::UnderInvestigation,
        _ => return None,
    })
}

fn statement(
    name: &str,
    vulnerability: &Vulnerability,
    status: VexStatus,
    id: &String,
    product: Option<&VexProduct>,
    time: &str,
) -> VexStatement {
    let ids = vulnerability.cve.iter().chain(vulnerability.ids.iter().map(|id| &id.text));
    let flag = vulnerability.flags.iter().find(|flag| flag.product_ids.contains(id));
    let threat = vulnerability
        .threats
        .iter()
        .find(|threat| threat.category == "impact" && threat.product_ids.contains(id));
    VexStatement {
        ids: ids.map(|id| kept(id)).collect(),
        status,
        unread: if product.is_none() { vec![kept(id)] } else { Vec::new() },
        products: product.cloned().into_iter().collect(),
        justification: flag.map(|flag| kept(&flag.label)),
        impact: threat.map(|threat| kept(&threat.details)),
        time: time.to_owned(),
        by: name.to_owned(),
    }
}

fn product_of(purl: &Purl) -> VexProduct {
    VexProduct { purl: purl.clone(), parts: Vec::new() }
}

fn branches(list: &[Branch], purls: &mut BTreeMap<String, Purl>, depth: usize) {
    for branch in list {
        if let Some(product) = &branch.product {
            put(product, purls);
        }
        if depth < DEPTH {
            branches(&branch.branches, purls, depth + 1);
        }
    }
}

fn put(product: &Product, purls: &mut BTreeMap<String, Purl>) {
    if let Some(purl) = purl_of(product) {
        purls.insert(product.product_id.clone(), purl);
    }
}

fn purl_of(product: &Product) -> Option<Purl> {
    product.product_identification_helper.purl.as_ref()?.parse().ok()
}
