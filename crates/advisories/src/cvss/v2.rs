//! CVSS version 2. Source: "A Complete Guide to the Common Vulnerability Scoring System Version
//! 2.0", FIRST, section 3.2.

use super::{Metrics, tenths, weigh};

const IMPACT: [(&str, f64); 3] = [("N", 0.0), ("P", 0.275), ("C", 0.660)];
const REQUIREMENT: [(&str, f64); 3] = [("L", 0.5), ("M", 1.0), ("H", 1.51)];

/// The environmental score where its metrics are stated, else the temporal, else the base score.
pub(super) fn score(metrics: &Metrics<'_>) -> Option<u8> {
    let environmental = metrics.any(&["CDP", "TD", "CR", "IR", "AR"]);
    let impact = |requirements: bool| -> Option<f64> {
        let part = |name, requirement| -> Option<f64> {
            let weight = weigh(metrics.get(name)?, &IMPACT)?;
            let needed = metrics.get(requirement).filter(|_| requirements);
            Some(1.0 - weight * needed.map_or(Some(1.0), |value| weigh(value, &REQUIREMENT))?)
        };
        Some(10.41 * (1.0 - part("C", "CR")? * part("I", "IR")? * part("A", "AR")?))
    };
    if !environmental {
        return Some(tenths(temporal(metrics, base(metrics, impact(false)?)?)?));
    }
    let adjusted = temporal(metrics, base(metrics, impact(true)?.min(10.0))?)?;
    let damage = optional(
        metrics,
        "CDP",
        0.0,
        &[("N", 0.0), ("L", 0.1), ("LM", 0.3), ("MH", 0.4), ("H", 0.5)],
    )?;
    let targets =
        optional(metrics, "TD", 1.0, &[("N", 0.0), ("L", 0.25), ("M", 0.75), ("H", 1.0)])?;
    Some(tenths((adjusted + (10.0 - adjusted) * damage) * targets))
}

fn base(metrics: &Metrics<'_>, impact: f64) -> Option<f64> {
    let vector = weigh(metrics.get("AV")?, &[("L", 0.395), ("A", 0.646), ("N", 1.0)])?;
    let complexity = weigh(metrics.get("AC")?, &[("H", 0.35), ("M", 0.61), ("L", 0.71)])?;
    let authentication = weigh(metrics.get("Au")?, &[("M", 0.45), ("S", 0.56), ("N", 0.704)])?;
    let exploitability = 20.0 * vector * complexity * authentication;
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = ((0.6 * impact) + (0.4 * exploitability) - 1.5) * factor;
    Some(f64::from(tenths(score)) / 10.0)
}

fn temporal(metrics: &Metrics<'_>, base: f64) -> Option<f64> {
    let exploit =
        optional(metrics, "E", 1.0, &[("U", 0.85), ("POC", 0.9), ("F", 0.95), ("H", 1.0)])?;
    let remedy =
        optional(metrics, "RL", 1.0, &[("OF", 0.87), ("TF", 0.90), ("W", 0.95), ("U", 1.0)])?;
    let confidence = optional(metrics, "RC", 1.0, &[("UC", 0.90), ("UR", 0.95), ("C", 1.0)])?;
    Some(f64::from(tenths(base * exploit * remedy * confidence)) / 10.0)
}

fn optional(metrics: &Metrics<'_>, name: &str, absent: f64, table: &[(&str, f64)]) -> Option<f64> {
    metrics.get(name).map_or(Some(absent), |value| weigh(value, table))
}

#[cfg(test)]
mod tests {
    use crate::cvss::score;

    /// Section 3.3 of the guide.
    #[test]
    fn the_guides_examples_have_the_guides_scores() {
        for (vector, tenths) in [
            // CVE-2002-0392
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 78),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C", 64),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", 92),
            // CVE-2003-0818
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 100),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", 83),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", 90),
            // CVE-2003-0062
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 62),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C", 49),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", 75),
        ] {
            assert_eq!(score(vector), Some(tenths), "{vector}");
        }
        assert_eq!(score("(AV:N/AC:L/Au:N/C:N/I:N/A:N)"), Some(0));
    }
}
