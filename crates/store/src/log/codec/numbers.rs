//! Element types of features as Arrow primitive types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use timeweft_graph::{DType, Numbers};

macro_rules! element_types {
    ($($dtype:ident $arrow:ident $data:ident;)*) => {
        pub(super) fn data_type(dtype: DType) -> DataType {
            match dtype { $(DType::$dtype => DataType::$data),* }
        }

        /// Little-endian elements one after the other; `None` if one of them is cut off.
        pub(super) fn concatenated<'a>(dtype: DType, parts: impl Iterator<Item = &'a [u8]>) -> Option<ArrayRef> {
            match dtype {
                $(DType::$dtype => {
                    type Native = <$arrow as ArrowPrimitiveType>::Native;
                    let mut all = Vec::new();
                    for part in parts {
                        let (elements, []) = part.as_chunks::<{ size_of::<Native>() }>() else { return None };
                        all.extend(elements.iter().map(|element| Native::from_le_bytes(*element)));
                    }
                    Some(Arc::new(PrimitiveArray::<$arrow>::new(all.into(), None)))
                }),*
            }
        }

        /// One element a row, from little-endian bytes. `None` if some have another length.
        pub(super) fn scalars<'a>(
            dtype: DType,
            n_rows: usize,
            rows: impl Iterator<Item = (usize, &'a [u8])>,
        ) -> Option<ArrayRef> {
            match dtype {
                $(DType::$dtype => {
                    let mut all = vec![Default::default(); n_rows];
                    let mut valid = vec![false; n_rows];
                    for (row, bytes) in rows {
                        *all.get_mut(row)? = <$arrow as ArrowPrimitiveType>::Native::from_le_bytes(bytes.try_into().ok()?);
                        *valid.get_mut(row)? = true;
                    }
                    Some(Arc::new(PrimitiveArray::<$arrow>::new(all.into(), Some(valid.into()))))
                }),*
            }
        }

        /// The elements of an array; `None` if it holds another type.
        pub(super) fn read(dtype: DType, array: &dyn Array) -> Option<Numbers> {
            Some(match dtype {
                $(DType::$dtype => Numbers::$dtype(array.as_primitive_opt::<$arrow>()?.values().to_vec())),*
            })
        }

        /// The element at a row that is valid; `None` if the array holds another type.
        pub(super) fn read_one(dtype: DType, array: &dyn Array, row: usize) -> Option<Numbers> {
            Some(match dtype {
                $(DType::$dtype => Numbers::$dtype(vec![array.as_primitive_opt::<$arrow>()?.value(row)])),*
            })
        }
    };
}

element_types! {
    F64 Float64Type Float64; F32 Float32Type Float32; F16 Float16Type Float16;
    I64 Int64Type Int64; I32 Int32Type Int32; I16 Int16Type Int16; I8 Int8Type Int8;
    U64 UInt64Type UInt64; U32 UInt32Type UInt32; U16 UInt16Type UInt16; U8 UInt8Type UInt8;
}
