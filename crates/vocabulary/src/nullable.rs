//! Reads documents in which `null` stands for what is not there.
//!
//! In goes any deserializer, out comes one for which `null` is the empty list, the empty object or the
//! empty text where the type asks for one of these. Programs in Go write `null` for a list without
//! elements, and a document must not be refused, nor a part of it missed, for that. The one design
//! decision: it is done below the types, so that no field can forget it.
//!
//! What a document takes when it is read is bounded too: an element of three bytes can be a value of
//! hundreds. [`within`] counts what the types ask for, and refuses the document when it is too much,
//! before it is there.
//!
//! Values that serde keeps aside before it knows their type (untagged enums) are the exception: their
//! lists are `Option`s.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;

thread_local! {
    /// Bytes that the document which is read by this thread may still take.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Reads a document whose elements take up to so many bytes, as far as their types tell.
pub fn within<T>(bytes: usize, read: impl FnOnce() -> T) -> T {
    let before = LEFT.replace(bytes);
    let read = read();
    LEFT.set(before);
    read
}

/// Takes what an element needs; an error where there is no room for it.
fn take<T, E: Error>() -> Result<(), E> {
    let left = LEFT.get();
    match left {
        usize::MAX => Ok(()),
        _ => match left.checked_sub(size_of::<T>() + ELEMENT) {
            Some(left) => {
                LEFT.set(left);
                Ok(())
            }
            None => Err(E::custom(
                "its elements take more memory than is given to one document; divide it",
            )),
        },
    }
}

/// Bytes of an element beside its value: what a list or map keeps for it.
const ELEMENT: usize = 16;

/// A deserializer for which `null` is what is empty.
#[derive(Debug)]
pub struct Nullable<D>(pub D);

/// What stands in for `null`.
#[derive(Clone, Copy)]
enum Empty {
    List,
    Object(Option<(&'static str, &'static [&'static str])>),
    Text,
}

macro_rules! as_it_is {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Inside(visitor))
        })*
    };
}

macro_rules! or_empty {
    ($($method:ident: $empty:expr,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_option(OrEmpty { empty: $empty, visitor })
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Nullable<D> {
    type Error = D::Error;

    as_it_is! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32
        deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit
    }

    or_empty! {
        deserialize_str: Empty::Text,
        deserialize_string: Empty::Text,
        deserialize_seq: Empty::List,
        deserialize_map: Empty::Object(None),
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let empty = Empty::Object(Some((name, fields)));
        self.0.deserialize_option(OrEmpty { empty, visitor })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Inside(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Inside(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, Inside(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Asks whether a value is there, and makes the empty one where it is not.
struct OrEmpty<V> {
    empty: Empty,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OrEmpty<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        match self.empty {
            Empty::List => self.visitor.visit_seq(Nothing(std::marker::PhantomData)),
            Empty::Object(_) => self.visitor.visit_map(Nothing(std::marker::PhantomData)),
            Empty::Text => self.visitor.visit_str(""),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let visitor = Inside(self.visitor);
        match self.empty {
            Empty::List => value.deserialize_seq(visitor),
            Empty::Object(None) => value.deserialize_map(visitor),
            Empty::Object(Some((name, fields))) => value.deserialize_struct(name, fields, visitor),
            Empty::Text => value.deserialize_string(visitor),
        }
    }
}

/// A list or an object without elements.
struct Nothing<E>(std::marker::PhantomData<E>);

impl<'de, E: Error> SeqAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        _seed: T,
    ) -> Result<Option<T::Value>, E> {
        Ok(None)
    }
}

impl<'de, E: Error> MapAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _seed: K) -> Result<Option<K::Value>, E> {
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, _seed: T) -> Result<T::Value, E> {
        Err(E::custom("there is no value where there is no key"))
    }
}

macro_rules! visits {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

/// Hands on what is inside a value, so that the same holds there.
struct Inside<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(formatter)
    }

    visits! {
        visit_bool: bool,
        visit_i64: i64,
        visit_i128: i128,
        visit_u64: u64,
        visit_u128: u128,
        visit_f64: f64,
        visit_char: char,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
        visit_bytes: &[u8],
        visit_borrowed_bytes: &'de [u8],
        visit_byte_buf: Vec<u8>,
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Nullable(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Nullable(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Elements(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Elements(object))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(data)
    }
}

/// The elements of a list, or the values of an object.
struct Elements<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        take::<T::Value, A::Error>()?;
        self.0.next_element_seed(Element(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        take::<T::Value, A::Error>()?;
        self.0.next_value_seed(Element(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

struct Element<T>(T);

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Element<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<T::Value, D::Error> {
        self.0.deserialize(Nullable(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Document {
        name: String,
        list: Vec<Part>,
        map: BTreeMap<String, Vec<String>>,
        part: Part,
        maybe: Option<Part>,
        number: Option<u32>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Part {
        list: Vec<String>,
    }

    fn read(text: &str) -> serde_json::Result<Document> {
        Document::deserialize(Nullable(&mut serde_json::Deserializer::from_str(text)))
    }

    #[test]
    fn elements_take_no_more_than_a_document_is_given() {
        let text = format!(r#"{{"list":[{}{{}}]}}"#, "{},".repeat(999));
        let of = |bytes| within(bytes, || read(&text));
        assert_eq!(of(1 << 20).unwrap().list.len(), 1000);
        assert!(of(1 << 12).unwrap_err().to_string().contains("take more memory"));
        // What comes after is not held by it.
        assert_eq!(read(&text).unwrap().list.len(), 1000);
    }

    #[test]
    fn null_is_the_empty_list_object_and_text_at_every_depth() {
        let all = r#"{"name":null,"list":null,"map":null,"part":null,"maybe":null,"number":null}"#;
        assert_eq!(read(all).unwrap(), Document::default());
        let inner = r#"{"list":[{"list":null},null],"map":{"a":null},"part":{"list":[null,"b"]}}"#;
        let expected = Document {
            list: vec![Part::default(), Part::default()],
            map: BTreeMap::from([("a".to_owned(), Vec::new())]),
            part: Part { list: vec![String::new(), "b".to_owned()] },
            ..Document::default()
        };
        assert_eq!(read(inner).unwrap(), expected);
        assert_eq!(read("null").unwrap(), Document::default());
    }

    #[test]
    fn what_is_neither_null_nor_of_the_type_stays_an_error() {
        for text in [r#"{"list":7}"#, r#"{"part":[1,2]}"#, r#"{"name":{}}"#, "7", ""] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read(r#"{"name":"a","number":3}"#).unwrap().number, Some(3));
    }
}
