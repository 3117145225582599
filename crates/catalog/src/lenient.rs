//! Lists and objects of texts beside what a format is read for: what has another shape is no text, and
//! makes no file unreadable.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A text; none where there is something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'text>(pub(crate) Option<Cow<'text, str>>);

/// The texts of a list; none of what is no list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts<'text>(pub(crate) Vec<Cow<'text, str>>);

/// The keys of an object with their texts; of a list, its texts as keys; none of anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs<'text>(pub(crate) Vec<(Cow<'text, str>, Text<'text>)>);

impl<'text> Pairs<'text> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value.0.as_deref()))
    }
}

/// Takes any value; scalars that are no text are nothing.
macro_rules! anything {
    ($value:ty) => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("anything")
        }

        fn visit_bool<E>(self, _: bool) -> Result<$value, E> {
            Ok(<$value>::default())
        }

        fn visit_i64<E>(self, _: i64) -> Result<$value, E> {
            Ok(<$value>::default())
        }

        fn visit_u64<E>(self, _: u64) -> Result<$value, E> {
            Ok(<$value>::default())
        }

        fn visit_f64<E>(self, _: f64) -> Result<$value, E> {
            Ok(<$value>::default())
        }

        fn visit_unit<E>(self) -> Result<$value, E> {
            Ok(<$value>::default())
        }

        fn visit_none<E>(self) -> Result<$value, E> {
            Ok(<$value>::default())
        }
    };
}

struct OfText;

impl<'de> Visitor<'de> for OfText {
    type Value = Text<'de>;

    anything!(Text<'de>);

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

impl<'de: 'text, 'text> Deserialize<'de> for Text<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfText)
    }
}

struct OfTexts;

impl<'de> Visitor<'de> for OfTexts {
    type Value = Texts<'de>;

    anything!(Texts<'de>);

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Texts::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element::<Text<'de>>()? {
            texts.extend(text.0);
        }
        Ok(Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}

impl<'de: 'text, 'text> Deserialize<'de> for Texts<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfTexts)
    }
}

struct OfPairs;

impl<'de> Visitor<'de> for OfPairs {
    type Value = Pairs<'de>;

    anything!(Pairs<'de>);

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        let Texts(texts) = OfTexts.visit_seq(list)?;
        Ok(Pairs(texts.into_iter().map(|text| (text, Text(None))).collect()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((key, value)) = object.next_entry::<Text<'de>, Text<'de>>()? {
            pairs.extend(key.0.map(|key| (key, value)));
        }
        Ok(Pairs(pairs))
    }
}

impl<'de: 'text, 'text> Deserialize<'de> for Pairs<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfPairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_left_out_and_makes_nothing_unreadable() {
        let pairs = |text| serde_json::from_str::<Pairs<'_>>(text).unwrap().0.len();
        assert_eq!(pairs(r#"{"a":"1","b":{"c":[1]},"d":null}"#), 3);
        assert_eq!(pairs(r#"["a",1,{"b":2}]"#), 1);
        for other in ["true", "1", "-1", "1.5", "null", "\"a\"", "{}", "[]", "[[[]]]"] {
            assert_eq!(pairs(other), 0, "{other}");
            assert_eq!(serde_json::from_str::<Texts<'_>>(other).unwrap(), Texts::default());
            assert!(serde_json::from_str::<Text<'_>>(other).is_ok());
        }
        let texts: Texts<'_> = serde_json::from_str(r#"["a\n", {"b":1}, "c"]"#).unwrap();
        assert_eq!(texts.0, ["a\n", "c"]);
    }
}
