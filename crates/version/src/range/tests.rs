use super::*;

fn hold(scheme: Scheme, range: &str, allowed: &[&str], refused: &[&str]) {
    for version in allowed {
        assert_eq!(allows(scheme, range, version), Some(true), "{range} {version}");
    }
    for version in refused {
        assert_eq!(allows(scheme, range, version), Some(false), "{range} {version}");
    }
}

#[test]
fn ranges_of_npm_allow_what_node_semver_says() {
    let npm =
        |range, allowed: &[&str], refused: &[&str]| hold(Scheme::Npm, range, allowed, refused);
    npm("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0", "0.9.0"]);
    npm("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]);
    npm("^0.0.3", &["0.0.3"], &["0.0.4", "0.0.2"]);
    npm("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]);
    npm("^0", &["0.9.0"], &["1.0.0"]);
    npm("^1.x", &["1.0.0", "1.9.9"], &["2.0.0"]);
    npm("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]);
    npm("~1.2", &["1.2.0"], &["1.3.0"]);
    npm("~1", &["1.9.0"], &["2.0.0"]);
    npm("~> 1.2.3", &["1.2.4"], &["1.3.0"]);
    npm("", &["0.0.1", "9.9.9"], &[]);
    npm("*", &["9.9.9"], &[]);
    npm("1.2.x || >=2.5.0 || 5.0.0 - 7.2.3", &["1.2.3", "2.5.0", "6.0.0"], &["1.3.0", "2.4.9"]);
    npm("1.2 - 2.3", &["1.2.0", "2.3.9"], &["1.1.9", "2.4.0"]);
    npm(">= 1.2 <2", &["1.2.0", "1.9.9"], &["1.1.0", "2.0.0"]);
    npm(">1", &["2.0.0"], &["1.9.9"]);
    npm("<=1.2", &["1.2.9"], &["1.3.0"]);
    npm(">1.2.3-beta.1", &["1.2.3"], &["1.2.2"]);
    npm("<=1.2.3-beta.1", &["1.2.2"], &["1.2.3"]);
    npm("1.2.3", &["1.2.3"], &["1.2.4"]);
    npm("=v1.2.3", &["1.2.3"], &["1.2.4"]);
    npm("<*", &[], &["1.0.0"]);
    for unknown in ["latest", "1.2.3.4", "^", "1..2", "x.1.2", "^99999999999999999999999"] {
        assert_eq!(allows(Scheme::Npm, unknown, "1.0.0"), None, "{unknown}");
    }
    assert_eq!(allows(Scheme::Npm, "^1.0.0 || latest", "1.2.0"), None);
    assert_eq!(allows(Scheme::Npm, "^1.0.0", "1.2.0-beta"), None);
}

#[test]
fn specifiers_of_python_allow_what_the_standard_and_poetry_say() {
    let python =
        |range, allowed: &[&str], refused: &[&str]| hold(Scheme::Pep440, range, allowed, refused);
    python(">=1.21.1,<3", &["1.21.1", "2.9"], &["1.21", "3.0"]);
    python("~=1.4.2", &["1.4.2", "1.4.9"], &["1.5", "1.4.1"]);
    python("~=1.4", &["1.9"], &["2.0"]);
    python("==1.4.*", &["1.4", "1.4.7"], &["1.40", "1.5"]);
    python("!=1.4.*,>=1", &["1.5", "1.40"], &["1.4.1"]);
    python("==1.0", &["1.0.0"], &["1.0.1"]);
    python("1.0", &["1.0.0"], &["1.0.1"]);
    python("^1.2", &["1.2", "1.9"], &["2.0", "1.1"]);
    python("^0.2.3", &["0.2.9"], &["0.3"]);
    python("~1.2", &["1.2.9"], &["1.3"]);
    python("~1", &["1.9"], &["2"]);
    python("*", &["7"], &[]);
    python(">=1.0,<2.0 || >3.1", &["1.5", "3.2"], &["2.5", "3.1"]);
    python("(>=1.0)", &["1.0"], &["0.9"]);
    python(">= 1.0, < 2", &["1.0"], &["2"]);
    for unknown in ["~=1", "^1.0b1", "==1.0+local", "<1.*", "abc"] {
        assert_eq!(allows(Scheme::Pep440, unknown, "1.0"), None, "{unknown}");
    }
    assert_eq!(allows(Scheme::Pep440, ">1.0", "1.0.post1"), None);
    assert_eq!(allows(Scheme::Pep440, ">=1.0", "2.0rc1"), None);
}

#[test]
fn requirements_of_gems_and_of_composer_allow_what_their_tools_say() {
    let ruby =
        |range, allowed: &[&str], refused: &[&str]| hold(Scheme::RubyGems, range, allowed, refused);
    ruby("~> 2.1.5", &["2.1.5", "2.1.9"], &["2.2", "2.1.4"]);
    ruby("~> 2.1", &["2.9"], &["3.0"]);
    ruby("~> 2", &["2.9"], &["3"]);
    ruby(">= 1.0, < 3, != 2.0", &["1.0", "2.1"], &["2.0", "3.0"]);
    ruby("= 1.0", &["1.0.0"], &["1.0.1"]);
    assert_eq!(allows(Scheme::RubyGems, "~> 1.0.a", "1.0.1"), None);

    let php = |range, allowed: &[&str], refused: &[&str]| {
        hold(Scheme::Packagist, range, allowed, refused)
    };
    php("^1.2.3", &["1.2.3", "1.9.0"], &["2.0.0"]);
    php("^0.3", &["0.3.9"], &["0.4.0"]);
    php("~1.2", &["1.9.0"], &["2.0.0"]);
    php("~1.2.3", &["1.2.9"], &["1.3.0"]);
    php("1.2.*", &["1.2.9"], &["1.3.0"]);
    php(">=1.0 <1.1 || >=1.2", &["1.0.5", "1.3.0"], &["1.1.0"]);
    php("^6.4|^7.0", &["6.4.1", "v7.1.0"], &["8.0.0"]);
    php("1.0 - 2.0", &["2.0.9"], &["2.1.0"]);
    php("*", &["3.0.0"], &[]);
    for unknown in ["dev-main", "^1.0@dev", "self.version", "1.0-beta"] {
        assert_eq!(allows(Scheme::Packagist, unknown, "1.0.0"), None, "{unknown}");
    }
}

#[test]
fn a_range_leaves_room_where_it_allows_any_later_version() {
    let room = |scheme, range: &str, version: &str| leaves_room(scheme, range, version);
    let python = |range: &str, version: &str| room(Scheme::Pep440, range, version);
    assert_eq!(python(">=2.14.2,<2.18.0 || >2.18.0", "2.25.1"), Some(true));
    assert_eq!(python("!=2.18.0,>=2.14.2", "2.25.1"), Some(true));
    assert_eq!(python("==2.25.1", "2.25.1"), Some(false));
    assert_eq!(python("<=2.25.1", "2.25.1"), Some(false));
    assert_eq!(python(">=1.21.1,<1.27", "1.26.3"), Some(true));
    assert_eq!(python("227", "227"), Some(false));
    let npm = |range: &str, version: &str| room(Scheme::Npm, range, version);
    assert_eq!(npm("~2.0.0", "2.0.0"), Some(true));
    assert_eq!(npm("2.0.0", "2.0.0"), Some(false));
    assert_eq!(npm("2.0.0 || 3.1.4", "2.0.0"), Some(true));
    assert_eq!(npm("2.0.0 || 3.1.4", "3.1.4"), Some(false));
    assert_eq!(npm("latest", "2.0.0"), None);
    assert_eq!(npm("^2.0.0", "2.0.0-beta.1"), Some(true));
    assert_eq!(room(Scheme::RubyGems, "~> 4.2.1", "4.2.1"), Some(true));
    assert_eq!(room(Scheme::RubyGems, "= 4.2.1", "4.2.1"), Some(false));
    assert_eq!(room(Scheme::Semver, "^1", "1.0.0"), None);
}

proptest::proptest! {
    /// A second way to say the same, number by number.
    #[test]
    fn a_caret_allows_the_same_as_its_two_bounds(a in 0_u64..3, b in 0_u64..3, c in 0_u64..3, x in 0_u64..4, y in 0_u64..4, z in 0_u64..4) {
        let end = match (a, b) {
            (0, 0) => format!("0.0.{}", c + 1),
            (0, b) => format!("0.{}.0", b + 1),
            (a, _) => format!("{}.0.0", a + 1),
        };
        let (bounds, version) = (format!(">={a}.{b}.{c} <{end}"), format!("{x}.{y}.{z}"));
        for scheme in [Scheme::Npm, Scheme::Pep440, Scheme::Packagist] {
            let caret = allows(scheme, &format!("^{a}.{b}.{c}"), &version);
            proptest::prop_assert!(caret.is_some());
            proptest::prop_assert_eq!(caret, allows(scheme, &bounds, &version));
        }
    }

    #[test]
    fn no_range_makes_a_reader_fail_badly(range in "[<>=^~!|x*0-9., v@-]{0,40}", version in "[0-9.]{0,12}") {
        for scheme in Scheme::ALL {
            let _ = allows(scheme, &range, &version);
            let _ = leaves_room(scheme, &range, &version);
        }
    }
}
