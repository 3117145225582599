//! How urgent a vulnerability is: a rank, by which findings are put in order.
//!
//! In go facts from CISA's KEV, FIRST's EPSS, the agent and the image's configuration; out comes a
//! number. Only what is known to be harmless ranks lower for it: what is not known is none, never "no".
//! The formula is documented in `docs/risk.md`.

use vocabulary::{Epss, Exploited, Risk, Severity, Used, VulnerableCode};

/// The lowest rank of a vulnerability that is known to be exploited. All others stay below it.
const EXPLOITED_RANK: u32 = 800;

/// Ranks what is known.
#[must_use]
pub fn rank(
    severity: Severity,
    exploited: Option<Exploited>,
    epss: Option<Epss>,
    used: Option<Used>,
    exposed: Option<String>,
    code: Option<VulnerableCode>,
) -> Risk {
    let absent = code == Some(VulnerableCode::Absent);
    let likely = epss.as_ref().map_or(0, |epss| points_of(epss.probability));
    // What is not in the program is neither used nor reached.
    let used_points = match used {
        _ if absent => 0,
        Some(Used::Loaded) => 100,
        Some(Used::NotLoaded) => 0,
        Some(Used::Unknown) | None => 50,
    };
    let reach = if exposed.is_some() && !absent { 100 } else { 0 };
    let points = severity_points(severity) + likely + used_points + reach;
    let rank = match exploited {
        Some(_) => EXPLOITED_RANK + points / 4,
        None => points.min(EXPLOITED_RANK - 1),
    };
    Risk { rank, exploited, epss, used, exposed, code }
}

/// 0 to 400. An unknown severity ranks as if it were nearly medium: it is not known to be low.
const fn severity_points(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 400,
        Severity::High => 300,
        Severity::Medium => 200,
        Severity::Unknown => 190,
        Severity::Low => 80,
        Severity::Negligible => 20,
    }
}

/// 0 to 200, in proportion to the probability.
fn points_of(probability: f64) -> u32 {
    const MOST: u32 = 200;
    (0..MOST)
        .rev()
        .find(|points| f64::from(*points) < probability * f64::from(MOST))
        .map_or(0, |below| below + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(
        severity: Severity,
        exploited: bool,
        epss: Option<f64>,
        used: Option<Used>,
        exposed: bool,
        code: Option<VulnerableCode>,
    ) -> u32 {
        let exploited = exploited.then(|| Exploited {
            added: "2099-01-01".to_owned(),
            due: None,
            ransomware: false,
        });
        let epss = epss.map(|probability| Epss {
            probability,
            percentile: 0.5,
            date: "2099-01-01".to_owned(),
        });
        super::rank(severity, exploited, epss, used, exposed.then(|| "x".to_owned()), code).rank
    }

    const USES: [Option<Used>; 4] =
        [Some(Used::NotLoaded), Some(Used::Unknown), None, Some(Used::Loaded)];
    const CODES: [Option<VulnerableCode>; 3] =
        [Some(VulnerableCode::Absent), None, Some(VulnerableCode::Present)];
    const SCORES: [Option<f64>; 6] =
        [None, Some(0.0), Some(0.001), Some(0.3), Some(0.97), Some(1.0)];

    /// Every combination of what can be known.
    fn each(mut check: impl FnMut(bool, Option<f64>, Option<Used>, bool, Option<VulnerableCode>)) {
        for exploited in [false, true] {
            for epss in SCORES {
                for used in USES {
                    for exposed in [false, true] {
                        for code in CODES {
                            check(exploited, epss, used, exposed, code);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_exploited_ranks_above_all_that_is_not() {
        let (mut least, mut most) = (u32::MAX, 0);
        each(|exploited, epss, used, exposed, code| {
            for severity in Severity::WORST_FIRST {
                let rank = risk(severity, exploited, epss, used, exposed, code);
                assert!(rank <= 1000);
                if exploited { least = least.min(rank) } else { most = most.max(rank) }
            }
        });
        assert!(least > most, "{least} {most}");
    }

    #[test]
    fn more_of_anything_never_ranks_lower() {
        let worse = [
            Severity::Negligible,
            Severity::Low,
            Severity::Unknown,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        each(|exploited, epss, used, exposed, code| {
            let ranks: Vec<_> = worse
                .iter()
                .map(|level| risk(*level, exploited, epss, used, exposed, code))
                .collect();
            assert!(ranks.is_sorted(), "{ranks:?}");
            let of_uses: Vec<_> = USES
                .iter()
                .map(|used| risk(Severity::High, exploited, epss, *used, exposed, code))
                .collect();
            assert!(of_uses.is_sorted(), "{of_uses:?}");
            let of_scores: Vec<_> = SCORES
                .iter()
                .map(|epss| risk(Severity::Low, exploited, *epss, used, exposed, code))
                .collect();
            assert!(of_scores.is_sorted(), "{of_scores:?}");
            assert!(
                risk(Severity::Low, exploited, epss, used, true, code)
                    >= risk(Severity::Low, exploited, epss, used, false, code)
            );
            let of_codes: Vec<_> = CODES
                .iter()
                .map(|code| risk(Severity::Low, exploited, epss, used, exposed, *code))
                .collect();
            assert!(of_codes.is_sorted(), "{of_codes:?}");
        });
    }
}
