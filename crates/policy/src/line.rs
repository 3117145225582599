//! Which line a policy draws, in the words of the options that draw it.
//!
//! A reason that says "over the line" leaves its reader to look for the line. So each names the option,
//! and where a policy file gave it, the file and its line.

use crate::policy::{Matter, Policy};
use vocabulary::Severity;

/// What a verification draws where options draw none.
const OF_VERIFICATION: &str = "what a verification lets pass";

impl Policy {
    /// Every line that is drawn, in words such as `--fail-on high or --fail-on-exploited`; none where
    /// nobody drew one.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let lines: Vec<String> = [self.severity_line(), self.unknown_line(), self.exploited_line()]
            .into_iter()
            .flatten()
            .collect();
        (!lines.is_empty()).then(|| lines.join(" or "))
    }

    /// `--fail-on high`, where severities have a line.
    pub(crate) fn severity_line(&self) -> Option<String> {
        self.fail_on.map(|level| match self.matter {
            Matter::Differences => OF_VERIFICATION.to_owned(),
            Matter::Findings | Matter::NewFindings | Matter::Packages => {
                self.placed("fail-on", format!("--fail-on {level}"))
            }
        })
    }

    /// `--fail-on-unknown`, where it says more than the line for severities.
    pub(crate) fn unknown_line(&self) -> Option<String> {
        let asked = self.fail_on_unknown && self.fail_on != Some(Severity::Unknown);
        asked.then(|| self.placed("fail-on-unknown", "--fail-on-unknown".to_owned()))
    }

    pub(crate) fn exploited_line(&self) -> Option<String> {
        self.fail_on_exploited
            .then(|| self.placed("fail-on-exploited", "--fail-on-exploited".to_owned()))
    }

    /// An option, and the line of the file that gave it.
    fn placed(&self, key: &str, option: String) -> String {
        match self.places.get(key).filter(|place| !place.starts_with("--")) {
            Some(place) => format!("{option} ({place})"),
            None => option,
        }
    }
}
