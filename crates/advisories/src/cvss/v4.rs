//! CVSS version 4.0: MacroVector table and interpolation.
//!
//! Source: "Common Vulnerability Scoring System version 4.0: Specification Document", FIRST,
//! section 8 (equivalence classes in 8.1, interpolation in 8.2). Metrics are counted in steps from
//! the worst value, so that a distance between vectors is a difference of whole numbers.

use super::v4_table::SCORES;
use super::{Metrics, tenths};

/// A metric's value in steps from the worst.
type Steps = u8;

/// The effective values of a vector.
struct Vector {
    av: Steps,
    pr: Steps,
    ui: Steps,
    ac: Steps,
    at: Steps,
    /// Confidentiality, integrity, availability of the vulnerable system.
    vulnerable: [Steps; 3],
    /// Of subsequent systems; 0 is `S` (safety).
    subsequent: [Steps; 3],
    /// How much each is required.
    required: [Steps; 3],
    exploit: Steps,
}

/// The metrics that do not enter the score, and their values (section 4).
const SUPPLEMENTAL: [(&str, &[&str]); 6] = [
    ("S", &["N", "P"]),
    ("AU", &["N", "Y"]),
    ("R", &["A", "U", "I"]),
    ("V", &["D", "C"]),
    ("RE", &["L", "M", "H"]),
    ("U", &["Clear", "Green", "Amber", "Red"]),
];

impl Vector {
    fn read(metrics: &Metrics<'_>) -> Option<Self> {
        for (name, values) in SUPPLEMENTAL {
            if metrics.get(name).is_some_and(|value| !values.contains(&value)) {
                return None;
            }
        }
        let steps = |modified, name, values: &[&str]| -> Option<Steps> {
            position(metrics.get(name)?, values)?;
            position(metrics.effective(modified, name)?, values)
        };
        let impact = |modified, name| steps(modified, name, &["H", "L", "N"]);
        let later = |modified, name, safety: bool| -> Option<Steps> {
            let base = position(metrics.get(name)?, &["", "H", "L", "N"])?;
            match metrics.get(modified) {
                None => Some(base),
                Some("S") if safety => Some(0),
                Some(value) => position(value, &["", "H", "L", "N"]),
            }
        };
        let need =
            |name| metrics.get(name).map_or(Some(0), |value| position(value, &["H", "M", "L"]));
        Some(Self {
            av: steps("MAV", "AV", &["N", "A", "L", "P"])?,
            pr: steps("MPR", "PR", &["N", "L", "H"])?,
            ui: steps("MUI", "UI", &["N", "P", "A"])?,
            ac: steps("MAC", "AC", &["L", "H"])?,
            at: steps("MAT", "AT", &["N", "P"])?,
            vulnerable: [impact("MVC", "VC")?, impact("MVI", "VI")?, impact("MVA", "VA")?],
            subsequent: [
                later("MSC", "SC", false)?,
                later("MSI", "SI", true)?,
                later("MSA", "SA", true)?,
            ],
            required: [need("CR")?, need("IR")?, need("AR")?],
            exploit: metrics.get("E").map_or(Some(0), |value| position(value, &["A", "P", "U"]))?,
        })
    }

    /// The equivalence classes EQ1 to EQ6 (tables 24 to 29).
    fn classes(&self) -> [usize; 6] {
        let [confidentiality, integrity, availability] = self.vulnerable.map(|steps| steps == 0);
        let none = [self.av == 0, self.pr == 0, self.ui == 0];
        let eq1 = match none {
            [true, true, true] => 0,
            _ if self.av != 3 && none.contains(&true) => 1,
            _ => 2,
        };
        let eq3 = match (confidentiality && integrity, confidentiality || integrity || availability)
        {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let [_, later_integrity, later_availability] = self.subsequent;
        let eq4 = if later_integrity == 0 || later_availability == 0 {
            0
        } else if self.subsequent.contains(&1) {
            1
        } else {
            2
        };
        let wanted = self.vulnerable.iter().zip(self.required).any(|pair| pair == (&0, 0));
        [
            eq1,
            usize::from(self.ac != 0 || self.at != 0),
            eq3,
            eq4,
            usize::from(self.exploit),
            usize::from(!wanted),
        ]
    }

    fn has_no_impact(&self) -> bool {
        self.vulnerable == [2, 2, 2] && self.subsequent == [3, 3, 3]
    }
}

fn position(value: &str, values: &[&str]) -> Option<Steps> {
    values
        .iter()
        .position(|known| *known == value && !known.is_empty())
        .and_then(|index| Steps::try_from(index).ok())
}

/// The score of a MacroVector in tenths; none where there is no such one.
fn table([eq1, eq2, eq3, eq4, eq5, eq6]: [usize; 6]) -> Option<f64> {
    if eq1 > 2 || eq2 > 1 || eq3 > 2 || eq4 > 2 || eq5 > 2 || eq6 > 1 {
        return None;
    }
    let row = SCORES.get(((eq1 * 2 + eq2) * 3 + eq3) * 3 + eq4)?;
    row.get(eq5 * 2 + eq6).filter(|score| **score != 255).map(|score| f64::from(*score) / 10.0)
}

/// The score of a vector, in tenths.
pub(super) fn score(metrics: &Metrics<'_>) -> Option<u8> {
    let vector = Vector::read(metrics)?;
    if vector.has_no_impact() {
        return Some(0);
    }
    let classes = vector.classes();
    let top = table(classes)?;
    let [eq1, eq2, eq3, eq4, eq5, eq6] = classes;
    let lower = |change: fn(&mut [usize; 6])| {
        let mut next = classes;
        change(&mut next);
        table(next)
    };
    let lower_3_and_6 = match (eq3, eq6) {
        (0, 0) => {
            let left = table([eq1, eq2, eq3, eq4, eq5, 1]);
            let right = table([eq1, eq2, 1, eq4, eq5, eq6]);
            left.into_iter().chain(right).reduce(f64::max)
        }
        (1, 0) => table([eq1, eq2, eq3, eq4, eq5, 1]),
        _ => table([eq1, eq2, eq3 + 1, eq4, eq5, eq6]),
    };
    // Distance from the worst vector of the class, depth of the class, score of the next lower one.
    let parts = [
        (distance_1(&vector, eq1), depth(&[1, 4, 5], eq1), lower(|[eq1, ..]| *eq1 += 1)),
        (distance_2(&vector, eq2), depth(&[1, 2], eq2), lower(|[_, eq2, ..]| *eq2 += 1)),
        (
            distance_3_and_6(&vector, eq3, eq6)?,
            depth(&[7, 6, 8, 8, 10, 10], eq3 * 2 + eq6),
            lower_3_and_6,
        ),
        (distance_4(&vector, eq4), depth(&[6, 5, 4], eq4), lower(|[_, _, _, eq4, ..]| *eq4 += 1)),
        (0, 1.0, lower(|[_, _, _, _, eq5, _]| *eq5 += 1)),
    ];
    let (mut sum, mut count) = (0.0, 0.0);
    for (distance, depth, lower) in parts {
        if let Some(lower) = lower {
            sum += (top - lower) * f64::from(distance) / depth;
            count += 1.0;
        }
    }
    let mean = if count == 0.0 { 0.0 } else { sum / count };
    Some(tenths((top - mean).clamp(0.0, 10.0)))
}

/// How many steps a class is deep (table 30).
fn depth(depths: &[u8], class: usize) -> f64 {
    depths.get(class).copied().map_or(1.0, f64::from)
}

/// Steps from the first of the worst vectors of a class that no metric of `vector` is worse than.
fn distance<const N: usize>(vector: [Steps; N], worst: &[[Steps; N]]) -> u8 {
    worst
        .iter()
        .find_map(|worst| {
            vector.iter().zip(worst).map(|(ours, worst)| ours.checked_sub(*worst)).sum()
        })
        .unwrap_or(0)
}

fn distance_1(vector: &Vector, eq1: usize) -> u8 {
    let worst: &[[Steps; 3]] = match eq1 {
        0 => &[[0, 0, 0]],
        1 => &[[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        _ => &[[3, 0, 0], [1, 1, 1]],
    };
    distance([vector.av, vector.pr, vector.ui], worst)
}

fn distance_2(vector: &Vector, eq2: usize) -> u8 {
    let worst: &[[Steps; 2]] = if eq2 == 0 { &[[0, 0]] } else { &[[1, 0], [0, 1]] };
    distance([vector.ac, vector.at], worst)
}

/// Impact on the vulnerable system, then requirements.
fn distance_3_and_6(vector: &Vector, eq3: usize, eq6: usize) -> Option<u8> {
    let worst: &[[Steps; 6]] = match (eq3, eq6) {
        (0, 0) => &[[0, 0, 0, 0, 0, 0]],
        (0, 1) => &[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]],
        (1, 0) => &[[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]],
        (1, 1) => &[
            [1, 0, 1, 0, 1, 0],
            [1, 0, 0, 0, 1, 1],
            [0, 1, 0, 1, 0, 1],
            [0, 1, 1, 1, 0, 0],
            [1, 1, 0, 0, 0, 1],
        ],
        (2, 1) => &[[1, 1, 1, 0, 0, 0]],
        _ => return None,
    };
    let [c, i, a] = vector.vulnerable;
    let [cr, ir, ar] = vector.required;
    Some(distance([c, i, a, cr, ir, ar], worst))
}

fn distance_4(vector: &Vector, eq4: usize) -> u8 {
    let worst: &[[Steps; 3]] = match eq4 {
        0 => &[[1, 0, 0]],
        1 => &[[1, 1, 1]],
        _ => &[[2, 2, 2]],
    };
    distance(vector.subsequent, worst)
}

#[cfg(test)]
mod tests {
    use crate::cvss::score;

    /// "CVSS v4.0: Examples" of FIRST, and vectors at the ends of the scale.
    #[test]
    fn the_examples_have_the_scores_that_first_gives() {
        for (vector, tenths) in [
            // CVE-2022-41741, CVE-2020-3549, CVE-2023-3089, CVE-2021-44714, CVE-2022-21830
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73),
            ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 77),
            (
                "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N/CR:H/IR:L/AR:L/MAV:N/MAC:H/MVC:H/MVI:L/MVA:L",
                81,
            ),
            ("CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 46),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 51),
            // CVE-2021-44228, CVE-2014-0160
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", 87),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0),
            (
                "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N/E:U/CR:L/IR:L/AR:L",
                1,
            ),
        ] {
            assert_eq!(score(vector), Some(tenths), "{vector}");
        }
    }

    #[test]
    fn safety_may_only_be_stated_as_a_modified_metric() {
        let base = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H";
        assert_eq!(score(&format!("{base}/SI:S/SA:H")), None);
        assert_eq!(score(&format!("{base}/SI:H/SA:H/MSI:S")), Some(100));
    }
}
