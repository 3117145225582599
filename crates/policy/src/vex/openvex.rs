//! OpenVEX 0.0.x and 0.2.0.

use super::{VexError, VexProduct, VexStatement, VexStatus, json, kept};
use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    timestamp: String,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    vulnerability: Vulnerability,
    #[serde(default)]
    products: Vec<Product>,
    status: String,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    impact_statement: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
}

/// A text in version 0.0, an object since 0.2. Lists in it may be `null`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Named {
        #[serde(default)]
        name: String,
        #[serde(default)]
        aliases: Option<Vec<String>>,
    },
}

/// Likewise.
#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Name(String),
    Named {
        #[serde(rename = "@id", default)]
        id: String,
        #[serde(default)]
        identifiers: Option<Identifiers>,
        #[serde(default)]
        subcomponents: Option<Vec<Product>>,
    },
}

#[derive(Default, Deserialize)]
struct Identifiers {
    #[serde(default)]
    purl: Option<String>,
}

impl Product {
    fn purl(&self) -> Option<vocabulary::Purl> {
        match self {
            Self::Name(text) => text.parse().ok(),
            Self::Named { id, identifiers, .. } => {
                let purl = identifiers.as_ref().and_then(|identifiers| identifiers.purl.as_ref());
                purl.unwrap_or(id).parse().ok()
            }
        }
    }

    /// As it is written.
    fn text(&self) -> &str {
        match self {
            Self::Name(text) => text,
            Self::Named { id, identifiers, .. } => {
                let purl = identifiers.as_ref().and_then(|identifiers| identifiers.purl.as_deref());
                if id.is_empty() { purl.unwrap_or_default() } else { id }
            }
        }
    }

    fn parts(&self) -> &[Self] {
        match self {
            Self::Name(_) => &[],
            Self::Named { subcomponents, .. } => subcomponents.as_deref().unwrap_or_default(),
        }
    }
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<VexStatement>, VexError> {
    let document: Document = json("OpenVEX", bytes)?;
    let statements = document.statements.into_iter().map(|statement| {
        let status = match statement.status.as_str() {
            "not_affected" => VexStatus::NotAffected,
            "fixed" => VexStatus::Fixed,
            "affected" => VexStatus::Affected,
            _ => VexStatus::UnderInvestigation,
        };
        let ids = match statement.vulnerability {
            Vulnerability::Name(name) => vec![name],
            Vulnerability::Named { name, aliases } => {
                [vec![name], aliases.unwrap_or_default()].concat()
            }
        };
        let (mut products, mut unread) = (Vec::new(), Vec::new());
        for product in &statement.products {
            let named = product.parts();
            let parts: Vec<_> = named.iter().filter_map(Product::purl).collect();
            // Parts that cannot be read must not widen a statement to the whole product.
            let readable = named.is_empty() || !parts.is_empty();
            match product.purl().filter(|_| readable) {
                Some(purl) => products.push(VexProduct { purl, parts }),
                None => unread.push(kept(product.text())),
            }
        }
        // One whose products cannot be read is kept: it meets nothing, and is counted.
        VexStatement {
            ids: ids.iter().map(|id| kept(id)).collect(),
            status,
            products,
            unread,
            justification: statement.justification.as_deref().map(kept),
            impact: statement.impact_statement.as_deref().map(kept),
            time: kept(statement.timestamp.as_deref().unwrap_or(&document.timestamp)),
            by: name.to_owned(),
        }
    });
    Ok(statements.collect())
}
