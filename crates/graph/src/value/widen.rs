//! Kinds of numbers that hold others without loss.

use super::{DType, Dense, Numbers, Value, f16};
use crate::FeatureKind;

impl DType {
    /// How many bits a whole number has, and whether it has a sign; `None` for floats.
    fn whole(self) -> Option<(u32, bool)> {
        let bits = self.size() as u32 * 8;
        match self {
            DType::F64 | DType::F32 | DType::F16 => None,
            DType::I64 | DType::I32 | DType::I16 | DType::I8 => Some((bits, true)),
            DType::U64 | DType::U32 | DType::U16 | DType::U8 => Some((bits, false)),
        }
    }

    /// The narrowest type that holds every number of both. Numbers of 64 bits count as fit for `f64`: each is checked.
    pub(crate) fn wider(self, other: DType) -> Option<DType> {
        let float = |dtype: DType| match dtype.whole() {
            None => dtype,
            Some((8, _)) => DType::F16,
            Some((16, _)) => DType::F32,
            Some(_) => DType::F64,
        };
        match (self.whole(), other.whole()) {
            (Some((a, true)), Some((b, true))) => signed(a.max(b)),
            (Some((a, false)), Some((b, false))) => Some(if a >= b { self } else { other }),
            // One more bit for the sign.
            (Some((a, true)), Some((b, false))) | (Some((b, false)), Some((a, true))) => signed(a.max(2 * b)),
            _ => [float(self), float(other)].into_iter().max_by_key(|dtype| dtype.size()),
        }
    }
}

fn signed(bits: u32) -> Option<DType> {
    [DType::I8, DType::I16, DType::I32, DType::I64].into_iter().find(|dtype| dtype.size() as u32 * 8 == bits)
}

impl FeatureKind {
    /// The narrowest kind that holds the values of both: of single numbers, and of equal kinds. Whole numbers of 64 bits
    /// count as fit for `f64`, where [`Value::widened`] checks each.
    ///
    /// ```
    /// use timeweft_graph::{DType, FeatureKind};
    /// let number = |dtype| FeatureKind::Dense { dtype, scalar: true };
    /// assert_eq!(number(DType::I32).wider(number(DType::I64)), Some(number(DType::I64)));
    /// assert_eq!(number(DType::I64).wider(number(DType::F32)), Some(number(DType::F64)));
    /// assert_eq!(number(DType::U64).wider(number(DType::I8)), None);
    /// assert_eq!(number(DType::I64).wider(FeatureKind::Text), None);
    /// ```
    pub fn wider(self, other: FeatureKind) -> Option<FeatureKind> {
        match (self, other) {
            (FeatureKind::Dense { dtype: a, scalar: true }, FeatureKind::Dense { dtype: b, scalar: true }) => {
                Some(FeatureKind::Dense { dtype: a.wider(b)?, scalar: true })
            }
            _ => (self == other).then_some(self),
        }
    }
}

impl Value {
    /// The same number as a value of a kind that holds it exactly; `None` where there is none.
    pub fn widened(&self, kind: FeatureKind) -> Option<Value> {
        match (self, kind) {
            (Value::Dense(dense), FeatureKind::Dense { dtype, scalar: true }) if dense.scalar => {
                let numbers = if dense.numbers.dtype() == dtype {
                    dense.numbers.clone()
                } else {
                    dense.numbers.as_type(dtype)?
                };
                Some(Value::Dense(Dense { numbers, scalar: true }))
            }
            _ => (FeatureKind::of(self) == kind).then(|| self.clone()),
        }
    }
}

impl Numbers {
    /// The same numbers in another type; `None` if one of them has no exact form there.
    fn as_type(&self, dtype: DType) -> Option<Numbers> {
        match self {
            Numbers::F64(_) => None,
            Numbers::F32(v) => (dtype == DType::F64).then(|| Numbers::F64(v.iter().copied().map(f64::from).collect())),
            Numbers::F16(v) => match dtype {
                DType::F64 => Some(Numbers::F64(v.iter().copied().map(f64::from).collect())),
                DType::F32 => Some(Numbers::F32(v.iter().copied().map(f32::from).collect())),
                _ => None,
            },
            Numbers::I64(v) => of_whole(v, dtype),
            Numbers::I32(v) => of_whole(v, dtype),
            Numbers::I16(v) => of_whole(v, dtype),
            Numbers::I8(v) => of_whole(v, dtype),
            Numbers::U64(v) => of_whole(v, dtype),
            Numbers::U32(v) => of_whole(v, dtype),
            Numbers::U16(v) => of_whole(v, dtype),
            Numbers::U8(v) => of_whole(v, dtype),
        }
    }
}

fn of_whole<T: Copy + Into<i128>>(values: &[T], dtype: DType) -> Option<Numbers> {
    fn all<T: Copy + Into<i128>, U>(values: &[T], f: impl Fn(i128) -> Option<U>) -> Option<Vec<U>> {
        values.iter().map(|&value| f(value.into())).collect()
    }
    // Each float below comes back to the whole number, or it was rounded.
    let float = |value: i128| Some(value as f64).filter(|float| *float as i128 == value);
    Some(match dtype {
        DType::F64 => Numbers::F64(all(values, float)?),
        DType::F32 => Numbers::F32(all(values, |v| Some(v as f32).filter(|float| *float as i128 == v))?),
        DType::F16 => Numbers::F16(all(values, |v| {
            Some(f16::from_f64(float(v)?)).filter(|half| f64::from(*half) as i128 == v && half.is_finite())
        })?),
        DType::I64 => Numbers::I64(all(values, |v| v.try_into().ok())?),
        DType::I32 => Numbers::I32(all(values, |v| v.try_into().ok())?),
        DType::I16 => Numbers::I16(all(values, |v| v.try_into().ok())?),
        DType::I8 => Numbers::I8(all(values, |v| v.try_into().ok())?),
        DType::U64 => Numbers::U64(all(values, |v| v.try_into().ok())?),
        DType::U32 => Numbers::U32(all(values, |v| v.try_into().ok())?),
        DType::U16 => Numbers::U16(all(values, |v| v.try_into().ok())?),
        DType::U8 => Numbers::U8(all(values, |v| v.try_into().ok())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [DType; 11] = [
        DType::F64,
        DType::F32,
        DType::F16,
        DType::I64,
        DType::I32,
        DType::I16,
        DType::I8,
        DType::U64,
        DType::U32,
        DType::U16,
        DType::U8,
    ];

    fn whole(number: i128, dtype: DType) -> Option<Value> {
        let kind = FeatureKind::Dense { dtype, scalar: true };
        let numbers = of_whole(&[i64::try_from(number).ok()?], dtype)?;
        Some(Value::Dense(Dense { numbers, scalar: true })).filter(|value| FeatureKind::of(value) == kind)
    }

    /// The smallest and the largest whole numbers of each type, and those that floats begin to lose.
    #[test]
    fn the_wider_of_two_types_holds_the_numbers_of_both() {
        let powers = [0, 7, 8, 10, 11, 12, 15, 16, 23, 24, 25, 31, 32, 52].map(|power| 1i128 << power);
        let numbers: Vec<i128> = powers.iter().flat_map(|n| [-n - 1, -n, -n + 1, n - 1, *n, n + 1]).collect();
        for (a, b) in ALL.into_iter().flat_map(|a| ALL.map(|b| (a, b))) {
            assert_eq!(a.wider(b), b.wider(a));
            let Some(wider) = a.wider(b) else {
                assert!([a, b].contains(&DType::U64), "{a:?} {b:?}");
                continue;
            };
            assert_eq!(wider.wider(a), Some(wider), "{a:?} {b:?}");
            let kind = FeatureKind::Dense { dtype: wider, scalar: true };
            for &number in &numbers {
                for value in [whole(number, a), whole(number, b)].into_iter().flatten() {
                    let wide = value.widened(kind).unwrap_or_else(|| panic!("{value} of {a:?} {b:?} as {wider:?}"));
                    let Value::Dense(dense) = &wide else { panic!("{wide}") };
                    assert_eq!((FeatureKind::of(&wide), dense.numbers.to_f64()), (kind, vec![number as f64]));
                }
            }
        }
    }

    #[test]
    fn what_would_round_has_no_wider_form() {
        let float = FeatureKind::Dense { dtype: DType::F64, scalar: true };
        let of = |number| Value::Dense(Dense { numbers: Numbers::I64(vec![number]), scalar: true });
        assert_eq!(of((1 << 53) + 1).widened(float), None);
        assert_eq!(of(i64::MAX).widened(float), None);
        assert_eq!(of(i64::MIN).widened(float), Some(Value::number(i64::MIN as f64)));
        assert_eq!(Value::number(1.0).widened(FeatureKind::Dense { dtype: DType::I64, scalar: true }), None);
        assert_eq!(Value::floats(&[1.0]).widened(float), None);
        assert_eq!(Value::text("1").widened(float), None);
    }

    #[test]
    fn what_is_no_single_number_widens_to_nothing() {
        let list = FeatureKind::Dense { dtype: DType::F32, scalar: false };
        let number = |dtype| FeatureKind::Dense { dtype, scalar: true };
        let kinds = [FeatureKind::Text, FeatureKind::Category, FeatureKind::Bytes, FeatureKind::Json, list];
        for (a, b) in kinds.into_iter().flat_map(|a| kinds.map(|b| (a, b))) {
            assert_eq!(a.wider(b), (a == b).then_some(a));
            assert_eq!((a.wider(number(DType::F64)), number(DType::U8).wider(b)), (None, None));
        }
        assert_eq!(number(DType::U64).wider(number(DType::I64)), None);
        assert_eq!(Value::Category("a".into()).widened(FeatureKind::Text), None);
    }
}
