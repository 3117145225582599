//! CycloneDX as XML: what the plugins for Maven and Gradle write unless they are told otherwise.
//!
//! Elements are those of the JSON form, but for lists, which have an element of their own around them.
//! The version stands in the namespace.

use super::{
    Bom, Choice, Composition, Dependency, Entry, Evidence, Identities, Identity, Licence, Method,
    Occurrence, Property, Service, document,
};
use crate::document::Document;
use crate::error::SbomError;
use crate::limits::{COMPONENTS, DEPTH};
use crate::xml::{Element, Xml};

const FORM: &str = "CycloneDX XML";

pub(crate) fn read(text: &str) -> Result<Document, SbomError> {
    let (mut xml, root) = Xml::open(FORM, text)?;
    let version = root.namespace().rsplit('/').next().unwrap_or_default().to_owned();
    let mut bom = Bom { version, ..Bom::default() };
    xml.children(|xml, element| match element.name.as_str() {
        "metadata" => metadata(xml, &mut bom),
        "components" => components(xml, &mut bom.components, 0),
        "services" => services(xml, &mut bom.services, 0),
        "dependencies" => xml.children(|xml, element| {
            bom.dependencies.push(dependency(xml, &element)?);
            Ok(())
        }),
        "compositions" => xml.children(|xml, _| {
            let composition = composition(xml)?;
            bom.compositions.push(composition);
            Ok(())
        }),
        _ => xml.skip(),
    })?;
    document(bom)
}

fn composition(xml: &mut Xml<'_>) -> Result<Composition, SbomError> {
    let mut one = Composition::default();
    xml.children(|xml, element| {
        let named = match element.name.as_str() {
            "aggregate" => {
                one.aggregate = xml.text()?;
                return Ok(());
            }
            "assemblies" => &mut one.assemblies,
            "dependencies" => &mut one.dependencies,
            _ => return xml.skip(),
        };
        xml.children(|xml, element| {
            named.push(element.attribute("ref").to_owned());
            xml.skip()
        })
    })?;
    Ok(one)
}

fn metadata(xml: &mut Xml<'_>, bom: &mut Bom) -> Result<(), SbomError> {
    xml.children(|xml, element| match element.name.as_str() {
        "component" => {
            bom.metadata.component = Some(component(xml, &element, 0)?);
            Ok(())
        }
        "properties" => properties(xml, &mut bom.metadata.properties),
        _ => xml.skip(),
    })
}

fn components(xml: &mut Xml<'_>, list: &mut Vec<Entry>, depth: usize) -> Result<(), SbomError> {
    if depth > DEPTH {
        return Err(xml.fault(&format!("components lie more than {DEPTH} deep in each other")));
    }
    xml.children(|xml, element| {
        if element.name != "component" {
            return xml.skip();
        }
        if list.len() >= COMPONENTS {
            return Err(SbomError::TooMany);
        }
        list.push(component(xml, &element, depth)?);
        Ok(())
    })
}

fn component(xml: &mut Xml<'_>, own: &Element, depth: usize) -> Result<Entry, SbomError> {
    let mut entry = Entry {
        kind: own.attribute("type").to_owned(),
        reference: own.attribute("bom-ref").to_owned(),
        ..Entry::default()
    };
    xml.children(|xml, element| {
        match element.name.as_str() {
            "group" => entry.group = Some(xml.text()?),
            "name" => entry.name = xml.text()?,
            "version" => entry.version = Some(xml.text()?),
            "description" => entry.description = Some(xml.text()?),
            "cpe" => entry.cpe = Some(xml.text()?),
            "purl" => entry.purl = Some(xml.text()?),
            "scope" => entry.scope = xml.text()?,
            "licenses" => licences(xml, &mut entry.licenses)?,
            "properties" => properties(xml, &mut entry.properties)?,
            "evidence" => entry.evidence = Some(evidence(xml)?),
            "components" => components(xml, &mut entry.components, depth + 1)?,
            _ => xml.skip()?,
        }
        Ok(())
    })?;
    Ok(entry)
}

fn licences(xml: &mut Xml<'_>, list: &mut Vec<Choice>) -> Result<(), SbomError> {
    xml.children(|xml, element| {
        let choice = match element.name.as_str() {
            "expression" => Choice { expression: Some(xml.text()?), license: None },
            "license" => {
                let mut licence = Licence::default();
                xml.children(|xml, element| {
                    match element.name.as_str() {
                        "id" => licence.id = Some(xml.text()?),
                        "name" => licence.name = Some(xml.text()?),
                        _ => xml.skip()?,
                    }
                    Ok(())
                })?;
                Choice { expression: None, license: Some(licence) }
            }
            _ => return xml.skip(),
        };
        list.push(choice);
        Ok(())
    })
}

fn properties(xml: &mut Xml<'_>, list: &mut Vec<Property>) -> Result<(), SbomError> {
    xml.children(|xml, element| {
        let name = element.attribute("name").to_owned();
        list.push(Property { name, value: Some(xml.text()?) });
        Ok(())
    })
}

fn evidence(xml: &mut Xml<'_>) -> Result<Evidence, SbomError> {
    let mut evidence = Evidence::default();
    let mut identities = Vec::new();
    xml.children(|xml, element| match element.name.as_str() {
        "identity" => {
            identities.push(identity(xml)?);
            Ok(())
        }
        "occurrences" => xml.children(|xml, _| {
            let mut occurrence = Occurrence::default();
            xml.children(|xml, element| {
                match element.name.as_str() {
                    "location" => occurrence.location = xml.text()?,
                    "line" => occurrence.line = xml.text()?.parse().ok(),
                    _ => xml.skip()?,
                }
                Ok(())
            })?;
            evidence.occurrences.push(occurrence);
            Ok(())
        }),
        _ => xml.skip(),
    })?;
    evidence.identity = (!identities.is_empty()).then_some(Identities::Several(identities));
    Ok(evidence)
}

fn identity(xml: &mut Xml<'_>) -> Result<Identity, SbomError> {
    let mut identity = Identity::default();
    let mut methods = Vec::new();
    xml.children(|xml, element| {
        match element.name.as_str() {
            "field" => identity.field = xml.text()?,
            "confidence" => identity.confidence = xml.text()?.parse().ok(),
            "methods" => xml.children(|xml, _| {
                let mut method = Method::default();
                xml.children(|xml, element| {
                    match element.name.as_str() {
                        "technique" => method.technique = xml.text()?,
                        "value" => method.value = Some(xml.text()?),
                        _ => xml.skip()?,
                    }
                    Ok(())
                })?;
                methods.push(method);
                Ok(())
            })?,
            _ => xml.skip()?,
        }
        Ok(())
    })?;
    identity.methods = Some(methods);
    Ok(identity)
}

/// A dependency holds what it needs as dependencies of the same kind, which need nothing themselves.
fn dependency(xml: &mut Xml<'_>, own: &Element) -> Result<Dependency, SbomError> {
    let reference = own.attribute("ref").to_owned();
    let mut needs = Vec::new();
    xml.children(|xml, element| {
        needs.push(element.attribute("ref").to_owned());
        xml.skip()
    })?;
    Ok(Dependency { reference, needs })
}

fn services(xml: &mut Xml<'_>, list: &mut Vec<Service>, depth: usize) -> Result<(), SbomError> {
    if depth > DEPTH {
        return Err(xml.fault(&format!("services lie more than {DEPTH} deep in each other")));
    }
    xml.children(|xml, element| {
        let reference = element.attribute("bom-ref").to_owned();
        let mut inner = Vec::new();
        xml.children(|xml, element| match element.name.as_str() {
            "services" => services(xml, &mut inner, depth + 1),
            _ => xml.skip(),
        })?;
        list.push(Service { reference, services: inner });
        Ok(())
    })
}
