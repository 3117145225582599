//! Every order is one: reflexive, antisymmetric and transitive, and no text makes it panic.

mod support;

use proptest::prelude::*;
use std::cmp::Ordering;
use version::Scheme;

fn scheme() -> impl Strategy<Value = Scheme> {
    proptest::sample::select(&Scheme::ALL[..])
}

/// Maven versions as people write them; of others Maven's own order is not transitive.
const MAVEN: &str =
    "[0-2](\\.[0-9]{1,2}){0,3}(-(alpha|beta|M|RC|SNAPSHOT|Final|sp|jre)(-?[0-9])?)?";

/// A version-like text: a number, then pieces that mean something to the scheme.
fn version_of(scheme: Scheme) -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(proptest::sample::select(support::pieces(scheme)), 0..6);
    (proptest::sample::select(&["0", "1", "1.0", "1.2", "1.0.0"][..]), pieces)
        .prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
}

/// A scheme and three of its versions, which share a start more often than not.
fn three() -> impl Strategy<Value = (Scheme, [String; 3])> {
    scheme().prop_flat_map(|scheme| {
        let version = || match scheme {
            Scheme::Maven => MAVEN.boxed(),
            _ => version_of(scheme).boxed(),
        };
        (Just(scheme), [version(), version(), version()])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_order_is_antisymmetric((scheme, [left, right, _]) in three()) {
        let forth = scheme.compare(&left, &right);
        let back = scheme.compare(&right, &left);
        prop_assert_eq!(forth.is_ok(), back.is_ok());
        if let (Ok(forth), Ok(back)) = (forth, back) {
            prop_assert_eq!(forth, back.reverse());
        }
    }

    #[test]
    fn an_order_is_transitive((scheme, mut versions) in three()) {
        versions.sort_by(|l, r| scheme.compare(l, r).unwrap_or(Ordering::Equal));
        let [low, middle, high] = &versions;
        if let (Ok(first), Ok(second), Ok(both)) =
            (scheme.compare(low, middle), scheme.compare(middle, high), scheme.compare(low, high))
        {
            prop_assert!(first.is_le() && second.is_le(), "{:?} cannot be sorted", versions);
            prop_assert_eq!(first.then(second), both, "{:?}", versions);
        }
    }

    #[test]
    fn a_version_equals_itself((scheme, [version, ..]) in three()) {
        if let Ok(order) = scheme.compare(&version, &version) {
            prop_assert_eq!(order, Ordering::Equal);
        }
    }

    #[test]
    fn no_text_panics(scheme in scheme(), left in any::<String>(), right in "[0-9a-z~^.:_+-]{0,40}") {
        let both = (scheme.check(&left), scheme.check(&right));
        let order = scheme.compare(&left, &right);
        prop_assert_eq!(order.is_ok(), both.0.is_ok() && both.1.is_ok());
        let number_first = format!("1{left}");
        let _ = scheme.compare(&number_first, &right);
        let _ = scheme.compare(&number_first, &left);
    }
}
