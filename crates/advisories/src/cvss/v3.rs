//! CVSS versions 3.0 and 3.1. Sources: the specification documents of FIRST, section 7 and, for
//! rounding, appendix A of 3.1 (3.0 leaves it to floating point; the same rounding is used here).

use super::{Metrics, weigh, whole};

/// The minor version: environmental scores differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Minor {
    /// 3.0
    Zero,
    /// 3.1
    One,
}

const IMPACT: [(&str, f64); 3] = [("H", 0.56), ("L", 0.22), ("N", 0.0)];
const REQUIREMENT: [(&str, f64); 3] = [("H", 1.5), ("M", 1.0), ("L", 0.5)];

/// The environmental score where its metrics are stated, else the temporal, else the base score.
pub(super) fn score(metrics: &Metrics<'_>, minor: Minor) -> Option<u8> {
    let environmental =
        metrics.any(&["CR", "IR", "AR", "MAV", "MAC", "MPR", "MUI", "MS", "MC", "MI", "MA"]);
    // The base metrics are mandatory, also where all of them are modified.
    let all = ["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
    if !all.iter().all(|name| metrics.get(name).is_some()) {
        return None;
    }
    let part = |modified: &str, name: &str| {
        if environmental { metrics.effective(modified, name) } else { metrics.get(name) }
    };
    let changed = match part("MS", "S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let loss = |modified, name, requirement| -> Option<f64> {
        let needed = metrics.get(requirement).filter(|_| environmental);
        let factor = needed.map_or(Some(1.0), |value| weigh(value, &REQUIREMENT))?;
        Some(1.0 - weigh(part(modified, name)?, &IMPACT)? * factor)
    };
    let mut base = 1.0 - loss("MC", "C", "CR")? * loss("MI", "I", "IR")? * loss("MA", "A", "AR")?;
    if environmental {
        base = base.min(0.915);
    }
    let impact = match (changed, environmental && minor == Minor::One) {
        (false, _) => 6.42 * base,
        (true, false) => 7.52 * (base - 0.029) - 3.25 * (base - 0.02).powi(15),
        (true, true) => 7.52 * (base - 0.029) - 3.25 * (base * 0.9731 - 0.02).powi(13),
    };
    let ease = exploitability(&part, changed)?;
    let factor = temporal(metrics)?;
    if impact <= 0.0 {
        return Some(0);
    }
    let sum = if changed { 1.08 * (impact + ease) } else { impact + ease };
    Some(round_up(f64::from(round_up(sum.min(10.0))) / 10.0 * factor))
}

fn exploitability<'text>(
    part: &impl Fn(&str, &str) -> Option<&'text str>,
    changed: bool,
) -> Option<f64> {
    let vector = weigh(part("MAV", "AV")?, &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = weigh(part("MAC", "AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let (low, high) = if changed { (0.68, 0.5) } else { (0.62, 0.27) };
    let privileges = weigh(part("MPR", "PR")?, &[("N", 0.85), ("L", low), ("H", high)])?;
    let interaction = weigh(part("MUI", "UI")?, &[("N", 0.85), ("R", 0.62)])?;
    Some(8.22 * vector * complexity * privileges * interaction)
}

fn temporal(metrics: &Metrics<'_>) -> Option<f64> {
    let optional = |name, table: &[(&str, f64)]| {
        metrics.get(name).map_or(Some(1.0), |value| weigh(value, table))
    };
    let exploit = optional("E", &[("H", 1.0), ("F", 0.97), ("P", 0.94), ("U", 0.91)])?;
    let remedy = optional("RL", &[("U", 1.0), ("W", 0.97), ("T", 0.96), ("O", 0.95)])?;
    let confidence = optional("RC", &[("C", 1.0), ("R", 0.96), ("U", 0.92)])?;
    Some(exploit * remedy * confidence)
}

/// `Roundup` of 3.1, appendix A, in tenths: up to the next tenth, by way of whole numbers, so that
/// 4.000000001 does not become 4.1.
fn round_up(score: f64) -> u8 {
    let scaled = (score * 100_000.0).round();
    let down = (scaled / 10_000.0).floor();
    whole(if scaled % 10_000.0 == 0.0 { down } else { down + 1.0 })
}

#[cfg(test)]
mod tests {
    use crate::cvss::score;

    /// "CVSS v3.1: Examples" of FIRST, base and temporal metrics.
    #[test]
    fn the_examples_have_the_scores_that_first_gives() {
        for (vector, tenths) in [
            // CVE-2013-1937, CVE-2013-0375, CVE-2014-3566, CVE-2012-1516, CVE-2012-0384
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 88),
            // CVE-2015-1098, CVE-2014-0160, CVE-2014-6271, CVE-2008-1447, CVE-2014-2005
            ("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 78),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 68),
            ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 68),
            // CVE-2010-0467, CVE-2012-1342, CVE-2013-6014, CVE-2009-0658
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", 43),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:L/A:N", 58),
            ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", 93),
            ("CVSS:3.0/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 78),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
        ] {
            assert_eq!(score(vector), Some(tenths), "{vector}");
        }
    }
}
