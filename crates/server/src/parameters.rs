//! The parameters of a query as a struct. Names may repeat where the struct has a list; what it does not name is an error.

use std::fmt::Display;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Reads pairs of names and values. The struct says `deny_unknown_fields`.
pub(crate) fn read<Q: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<Q, String> {
    let mut named: Vec<(String, Values)> = Vec::new();
    for (name, value) in pairs {
        match named.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.texts.push(value),
            None => named.push((name.clone(), Values { name, texts: vec![value] })),
        }
    }
    Q::deserialize(MapDeserializer::new(named.into_iter())).map_err(|error: Wrong| error.0)
}

/// What is wrong, in words.
#[derive(Debug)]
struct Wrong(String);

impl Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(problem: T) -> Wrong {
        Wrong(problem.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Wrong {
        let known = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
        Wrong(format!("unknown parameter `{field}`: known are {known}"))
    }
}

/// All values of one name.
struct Values {
    name: String,
    texts: Vec<String>,
}

impl Values {
    fn one(mut self) -> Result<(String, String), Wrong> {
        match (self.texts.pop(), self.texts.is_empty()) {
            (Some(text), true) => Ok((self.name, text)),
            _ => Err(Wrong(format!("{}: it is given twice", self.name))),
        }
    }

    fn parsed<T: std::str::FromStr>(self, what: &str) -> Result<T, Wrong> {
        let (name, text) = self.one()?;
        text.parse().map_err(|_| Wrong(format!("{name}: expected {what}, got `{text}`")))
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Values {
    type Deserializer = Values;

    fn into_deserializer(self) -> Values {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $what:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(self.parsed($what)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Values {
    type Error = Wrong;

    numbers! {
        deserialize_bool visit_bool "true or false",
        deserialize_i64 visit_i64 "a whole number",
        deserialize_i32 visit_i32 "a whole number",
        deserialize_u64 visit_u64 "a whole number from 0",
        deserialize_u32 visit_u32 "a whole number from 0",
        deserialize_u16 visit_u16 "a whole number from 0 to 65535",
        deserialize_u8 visit_u8 "a whole number from 0 to 255",
        deserialize_f64 visit_f64 "a number",
        deserialize_f32 visit_f32 "a number",
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_string(self.one()?.1)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Values { name, texts } = self;
        let each = texts.into_iter().map(|text| Values { name: name.clone(), texts: vec![text] });
        visitor.visit_seq(SeqDeserializer::new(each))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let (name, text) = self.one()?;
        if !variants.contains(&text.as_str()) {
            return Err(Wrong(format!("{name}: expected one of {}, got `{text}`", variants.join(", "))));
        }
        visitor.visit_enum(text.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, PartialEq, Debug, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Question {
        root: Vec<String>,
        k: Option<u32>,
        side: Option<Side>,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Out,
        In,
    }

    fn ask(pairs: &[(&str, &str)]) -> Result<Question, String> {
        read(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn names_repeat_where_there_is_a_list() {
        let question = ask(&[("root", "a:1"), ("k", "3"), ("root", "b:2"), ("side", "in")]);
        let expected = Question { root: vec!["a:1".into(), "b:2".into()], k: Some(3), side: Some(Side::In) };
        assert_eq!(question, Ok(expected));
        assert_eq!(ask(&[]), Ok(Question::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(ask(&[("k", "3"), ("k", "4")]), Err("k: it is given twice".into()));
        assert_eq!(ask(&[("k", "-3")]), Err("k: expected a whole number from 0, got `-3`".into()));
        assert_eq!(ask(&[("side", "up")]), Err("side: expected one of out, in, got `up`".into()));
        assert_eq!(ask(&[("depth", "2")]), Err("unknown parameter `depth`: known are root, k, side".into()));
    }
}
