//! Feature maps: values of every form, plain or as lists of intervals.

mod number;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use timeweft_graph::{DType, ValueRef};

use self::number::{Coordinates, push_float, push_integer};
use super::head::{Key, set};
use crate::interval_format::draft::{Draft, GivenTimes};
use crate::interval_format::form::Form;

/// The parts of the value that is read.
#[derive(Default)]
pub(super) struct Scratch {
    /// Elements of numbers, or the bytes of a text.
    elements: Vec<u8>,
    coordinates: Vec<i64>,
    shape: Shape,
}

/// How coordinates were written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Shape {
    /// `[5, 13]`, or `[]`.
    #[default]
    Flat,
    /// `[[5, 13], [7, 25]]`.
    Points { count: usize, rank: usize },
}

/// A map from numbers of features to values, or null.
pub(super) struct FeatureMap<'a> {
    pub(super) form: Form,
    pub(super) draft: &'a mut Draft,
    pub(super) scratch: &'a mut Scratch,
}

impl<'de> DeserializeSeed<'de> for FeatureMap<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FeatureMap<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of features")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(number) = map.next_key_seed(Number)? {
            self.draft.begin();
            map.next_value_seed(Item {
                place: Place::Feature,
                feature: number,
                form: self.form,
                draft: self.draft,
                scratch: self.scratch,
            })?;
        }
        Ok(())
    }
}

/// The number of a feature, which is a key and so a text.
struct Number;

impl<'de> DeserializeSeed<'de> for Number {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Number {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a feature")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u32, E> {
        text.parse().map_err(|_| E::custom("no number"))
    }
}

/// Where an item stands: what it may be depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Behind the number of a feature: a value, or a list of intervals.
    Feature,
    /// In such a list: an interval, or an element of the value.
    List,
    /// Behind `values`: a value that gets its time from the interval around it.
    Values,
    /// In the list of the values.
    Elements,
}

/// What an item was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// A value, or an element of one, in the scratch space.
    Value,
    /// An empty value.
    Gap,
    /// An interval, which is added already.
    Interval,
}

/// A part of a feature.
struct Item<'a> {
    place: Place,
    feature: u32,
    form: Form,
    draft: &'a mut Draft,
    scratch: &'a mut Scratch,
}

impl Item<'_> {
    fn at(&mut self, place: Place) -> Item<'_> {
        Item { place, feature: self.feature, form: self.form, draft: self.draft, scratch: self.scratch }
    }

    /// Whether an element of numbers may stand here, and of which type.
    fn element<E: Error>(&self) -> Result<DType, E> {
        let inside = matches!(self.place, Place::List | Place::Elements);
        match self.form {
            Form::Dense(dtype) if inside => Ok(dtype),
            Form::Sparse(dtype) if self.place == Place::Elements => Ok(dtype),
            _ => Err(E::custom("a number that is no element")),
        }
    }

    /// Adds what the scratch space holds.
    fn add<E: Error>(&mut self, times: GivenTimes, found: Found) -> Result<(), E> {
        let Scratch { elements, coordinates, shape } = &*self.scratch;
        let value = match self.form {
            _ if found == Found::Gap => None,
            Form::Dense(dtype) => Some(ValueRef::Dense { dtype, elements }),
            Form::Bytes => Some(ValueRef::Bytes(elements)),
            Form::Sparse(dtype) => {
                let rank = rank(*shape, coordinates.len(), elements.len() / dtype.size());
                let rank = rank.ok_or_else(|| E::custom("coordinates that do not fit the values"))?;
                (!elements.is_empty()).then_some(ValueRef::Sparse { dtype, rank, coordinates, elements })
            }
        };
        self.draft.add(self.feature, times, value);
        Ok(())
    }
}

/// The rank of a tensor; `None` if its coordinates do not fit the number of values.
fn rank(shape: Shape, n_coordinates: usize, n_values: usize) -> Option<u32> {
    let rank = match shape {
        _ if n_coordinates == 0 => 1,
        Shape::Flat if n_values == 1 => n_coordinates,
        Shape::Flat => 1,
        Shape::Points { rank, .. } => rank,
    };
    let points_fit = !matches!(shape, Shape::Points { count, .. } if count != n_values);
    (points_fit && n_coordinates == n_values * rank).then_some(())?;
    u32::try_from(rank).ok()
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Found, E> {
        let dtype = self.element()?;
        push_integer(dtype, number.into(), &mut self.scratch.elements).map(|()| Found::Value)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Found, E> {
        let dtype = self.element()?;
        push_integer(dtype, number.into(), &mut self.scratch.elements).map(|()| Found::Value)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Found, E> {
        let dtype = self.element()?;
        push_float(dtype, number, &mut self.scratch.elements).map(|()| Found::Value)
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<Found, E> {
        if self.form != Form::Bytes {
            return Err(E::custom("a text that is no value"));
        }
        self.scratch.elements.clear();
        self.scratch.elements.extend_from_slice(text.as_bytes());
        if self.place == Place::Feature {
            self.add(GivenTimes::default(), Found::Value)?;
        }
        Ok(Found::Value)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Found, A::Error> {
        let inner = match self.place {
            Place::Feature => Place::List,
            Place::Values => Place::Elements,
            Place::List | Place::Elements => return Err(A::Error::custom("a list in a list")),
        };
        // A list behind the number of a sparse feature holds intervals only.
        self.scratch.elements.clear();
        let (mut first, mut count) = (None, 0);
        while let Some(found) = list.next_element_seed(self.at(inner))? {
            count += 1;
            if *first.get_or_insert(found) != found || (self.form == Form::Bytes && found == Found::Value && count > 1)
            {
                return Err(A::Error::custom("elements that do not belong together"));
            }
        }
        let found = first.unwrap_or(Found::Gap);
        if self.place == Place::Feature && found != Found::Interval {
            if matches!(self.form, Form::Sparse(_)) {
                return Err(A::Error::custom("a sparse value without coordinates"));
            }
            self.add(GivenTimes::default(), found)?;
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Found, A::Error> {
        let is_sparse = matches!(self.form, Form::Sparse(_));
        let has_times = self.place == Place::List;
        if !(has_times || is_sparse && self.place == Place::Feature) {
            return Err(A::Error::custom("an object that is no interval"));
        }
        let (mut times, mut values, mut points) = (GivenTimes::default(), None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Values => set(&mut values, map.next_value_seed(self.at(Place::Values))?)?,
                Key::Coordinates if is_sparse => {
                    let Scratch { coordinates, .. } = &mut *self.scratch;
                    set(&mut points, map.next_value_seed(Coordinates(coordinates))?)?;
                }
                Key::CreatedAt if has_times => set(&mut times.created, map.next_value()?)?,
                Key::RemovedAt if has_times => set(&mut times.removed, map.next_value()?)?,
                _ => return Err(A::Error::custom("a member that values do not have")),
            }
        }
        let found = values.ok_or_else(|| A::Error::custom("no values"))?;
        if is_sparse {
            self.scratch.shape = points.ok_or_else(|| A::Error::custom("no coordinates"))?;
            // Coordinates without values are looked at, too.
            self.add(times, Found::Value)?;
        } else {
            self.add(times, found)?;
        }
        Ok(Found::Interval)
    }
}
