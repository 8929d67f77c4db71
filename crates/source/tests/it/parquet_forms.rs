//! Forms of Parquet that Arrow's writer does not write: those of Hive, Spark, Impala and DuckDB, and damaged ones.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type, Int96,
    Int96Type,
};
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use timeweft_graph::{Schema, TimeUnit as Unit};
use timeweft_oracle::Version;
use timeweft_source::{TablesOptions, tables};

use crate::columnar::{features, rejects};

/// A column of a row group: its values, and where they are defined and repeated.
type Column = Box<dyn Fn(&mut parquet::file::writer::SerializedRowGroupWriter<'_, std::fs::File>)>;

fn column<T: DataType>(values: Vec<T::T>, defined: Option<&[i16]>, repeated: Option<&[i16]>) -> Column {
    let (defined, repeated) = (defined.map(<[i16]>::to_vec), repeated.map(<[i16]>::to_vec));
    Box::new(move |group| {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(&values, defined.as_deref(), repeated.as_deref()).unwrap();
        column.close().unwrap();
    })
}

/// One row group; the ids come first.
fn write(path: &Path, fields: &str, n: i64, columns: Vec<Column>) {
    let schema = Arc::new(parse_message_type(&format!("message m {{ required int64 id; {fields} }}")).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    column::<Int64Type>((1..=n).collect(), None, None)(&mut group);
    columns.into_iter().for_each(|column| column(&mut group));
    group.close().unwrap();
    writer.close().unwrap();
}

fn read_as(path: &Path, features: &str, unit: Unit) -> Result<Version, String> {
    let mapping = path.with_extension("toml");
    let text = format!("[[nodes]]\nfile = \"a.parquet\"\ntype = \"n\"\nid = \"id\"\nfeatures = {features}\n");
    std::fs::write(&mapping, text).unwrap();
    let mut version = Version::new(Schema::new(unit));
    let read = tables::read(&mapping, &TablesOptions::default(), &mut version);
    read.map(|()| version).map_err(|error| error.to_string().rsplit('/').next().unwrap().to_owned())
}

/// A Julian day and the nanoseconds of it.
fn int96(day: u32, nanos: u64) -> Int96 {
    let mut value = Int96::new();
    value.set_data(nanos as u32, (nanos >> 32) as u32, day);
    value
}

/// 1970-01-01.
const EPOCH: u32 = 2_440_588;

#[test]
fn int96_is_exact_and_does_not_wrap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    // 1970-01-02 and a nanosecond; 9998-12-31 with all digits, and 0001-01-01, which 64 bits of nanoseconds do not hold.
    let (one, last, first) =
        (int96(EPOCH + 1, 1), int96(EPOCH + 2_932_531, 86_399_999_999_999), int96(EPOCH - 719_162, 1));
    let fields = "optional int96 at; optional group l (LIST) { repeated group list { optional int96 element; } }";
    let columns = vec![
        column::<Int96Type>(vec![one, last, first], Some(&[1, 1, 0, 1]), None),
        column::<Int96Type>(vec![first, one, last], Some(&[3, 2, 3, 1, 3]), Some(&[0, 1, 0, 0, 0])),
    ];
    // The second list has one element, the third is empty, and the fourth has one.
    write(&path, fields, 4, columns);
    let found = features(&read_as(&path, "\"*\"", Unit::Micro).unwrap());
    let (one, last, first) = ("86400000000", "253370764799999999", "-62135596800000000");
    assert_eq!(found[0], [format!("at: i64 = {one}"), format!("l: json = [{first},null]")]);
    assert_eq!(found[1], [format!("at: i64 = {last}"), format!("l: json = [{one}]")]);
    assert_eq!(found[2], ["l: json = []"]);
    assert_eq!(found[3], [format!("at: i64 = {first}"), format!("l: json = [{last}]")]);
    let steps = features(&read_as(&path, "\"*\"", Unit::Step).unwrap());
    assert_eq!(steps[0][0], "at: text = 1970-01-02T00:00:00.000000001Z");
    assert_eq!(steps[1][0], "at: text = 9998-12-31T23:59:59.999999999Z", "to the last digit of a nanosecond");
    assert_eq!(steps[3][0], "at: text = 0001-01-01T00:00:00.000000001Z");
    let nanos = read_as(&path, "{ at = \"time\" }", Unit::Nano).unwrap();
    assert_eq!(nanos.nodes[0].features[0].1.to_string(), "86400000000001");
    let problem = "column `at`: the time does not fit 64-bit ticks";
    assert_eq!(rejects(&nanos), [problem, problem], "and no other time in place of it");
}

#[test]
fn intervals_keep_months_days_and_milliseconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let bytes = |months: i32, days: i32, millis: i32| {
        let parts = [months, days, millis].map(i32::to_le_bytes).concat();
        FixedLenByteArray::from(parts)
    };
    let fields = "optional fixed_len_byte_array(12) i (INTERVAL); \
        optional group s { optional fixed_len_byte_array(12) i (INTERVAL); }";
    let values = || vec![bytes(14, 3, 4_500), bytes(0, 0, 0)];
    let columns = vec![
        column::<FixedLenByteArrayType>(values(), Some(&[1, 1]), None),
        column::<FixedLenByteArrayType>(values(), Some(&[2, 2]), None),
    ];
    write(&path, fields, 2, columns);
    let found = features(&read_as(&path, "\"*\"", Unit::Second).unwrap());
    assert_eq!(found[0], ["i: text = P14M3DT4.5S", "s: json = {\"i\":\"P14M3DT4.5S\"}"]);
    assert_eq!(found[1], ["i: text = PT0S", "s: json = {\"i\":\"PT0S\"}"]);
}

#[test]
fn old_and_rare_forms_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let text = |text: &str| vec![ByteArray::from(text)];
    let fixed = |bytes: &[u8]| vec![FixedLenByteArray::from(bytes.to_vec())];
    let fields = "required binary e (ENUM); required binary j (JSON); required binary b (BSON); required binary raw;
        required fixed_len_byte_array(16) u (UUID);
        required int32 d4 (DECIMAL(9,2)); required int64 d8 (DECIMAL(18,18)); required binary db (DECIMAL(20,1));
        required fixed_len_byte_array(5) df (DECIMAL(10,3)); required fixed_len_byte_array(2) h (FLOAT16);
        required int32 t (TIME(MILLIS,true)); required int64 tn (TIME(NANOS,false)); required int32 u8 (UINT_8);
        optional group two (LIST) { repeated int32 array; }
        optional group three (LIST) { repeated group bag { optional int64 array_element (TIMESTAMP_MILLIS); } }
        repeated int32 bare;
        optional group m (MAP) { repeated group key_value { required binary key (UTF8); optional int32 value (DATE); } }
        optional group inside { optional group deep { required fixed_len_byte_array(16) u (UUID);
            required binary j (JSON); required binary e (ENUM); required int64 d (DECIMAL(10,2)); } }";
    let (uuid, twice) = ([0xau8; 16], Some(&[0i16, 1][..]));
    let columns = vec![
        column::<ByteArrayType>(text("red"), None, None),
        column::<ByteArrayType>(text("{\"a\": [1, {}]}"), None, None),
        column::<ByteArrayType>(vec![ByteArray::from(vec![5, 0, 0, 0, 0xff])], None, None),
        column::<ByteArrayType>(text("raw"), None, None),
        column::<FixedLenByteArrayType>(fixed(&uuid), None, None),
        column::<Int32Type>(vec![-150], None, None),
        column::<Int64Type>(vec![1], None, None),
        column::<ByteArrayType>(vec![ByteArray::from(vec![0xff, 0x38])], None, None),
        column::<FixedLenByteArrayType>(fixed(&[0, 0, 0, 0, 7]), None, None),
        column::<FixedLenByteArrayType>(fixed(&[0, 0x3c]), None, None),
        column::<Int32Type>(vec![1], None, None),
        column::<Int64Type>(vec![86_399_999_999_999], None, None),
        column::<Int32Type>(vec![200], None, None),
        column::<Int32Type>(vec![1, 2], Some(&[2, 2]), twice),
        column::<Int64Type>(vec![1_000], Some(&[3, 2]), twice),
        column::<Int32Type>(vec![3, 4], Some(&[1, 1]), twice),
        column::<ByteArrayType>(text("k"), Some(&[2]), Some(&[0])),
        column::<Int32Type>(vec![1], Some(&[3]), Some(&[0])),
        column::<FixedLenByteArrayType>(fixed(&uuid), Some(&[2]), None),
        column::<ByteArrayType>(text("[true]"), Some(&[2]), None),
        column::<ByteArrayType>(text("blue"), Some(&[2]), None),
        column::<Int64Type>(vec![250], Some(&[2]), None),
    ];
    write(&path, fields, 1, columns);
    let uuid = "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a";
    let expected = [
        "e: text = red",
        "j: json = {\"a\":[1,{}]}",
        "b: bytes = \u{5}\0\0\0\u{fffd}",
        "raw: bytes = raw",
        &format!("u: text = {uuid}"),
        "d4: text = -1.50",
        "d8: text = 0.000000000000000001",
        "db: text = -20.0",
        "df: text = 0.007",
        "h: f16 = 1.0",
        "t: text = 00:00:00.001",
        "tn: text = 23:59:59.999999999",
        "u8: u8 = 200",
        "two: i32[] = [1,2]",
        "three: json = [1,null]",
        "bare: i32[] = [3,4]",
        "m: json = [[\"k\",86400]]",
        &format!("inside: json = {{\"deep\":{{\"d\":\"2.50\",\"e\":\"blue\",\"j\":[true],\"u\":\"{uuid}\"}}}}"),
    ];
    assert_eq!(features(&read_as(&path, "\"*\"", Unit::Second).unwrap()), [expected]);
}

/// The description of a file, after it was changed.
fn rewrite(path: &Path, change: impl Fn(&parquet::file::metadata::ColumnChunkMetaData) -> Option<Compression>) {
    let bytes = std::fs::read(path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).unwrap();
    let length = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
    let mut builder = metadata.into_builder();
    let groups = builder.take_row_groups().into_iter().map(|group| {
        let mut group = group.into_builder();
        let columns = group.take_columns().into_iter().map(|column| match change(&column) {
            Some(codec) => column.into_builder().set_compression(codec).build().unwrap(),
            None => column,
        });
        let columns = columns.collect();
        group.set_column_metadata(columns).build().unwrap()
    });
    let groups = groups.collect();
    let metadata = builder.set_row_groups(groups).build();
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&bytes[..bytes.len() - 8 - length]).unwrap();
    ParquetMetaDataWriter::new(&mut file, &metadata).finish().unwrap();
}

#[test]
fn a_column_that_cannot_be_read_costs_that_column_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let numbers = || column::<Int32Type>(vec![7, 8], None, None);
    write(&path, "required int32 a; required int32 b; required int32 c;", 2, vec![numbers(), numbers(), numbers()]);
    rewrite(&path, |column| (column.column_path().string() == "b").then_some(Compression::LZO));
    let check = |problem: &str| {
        let version = read_as(&path, "\"*\"", Unit::Second).unwrap();
        assert_eq!(features(&version), [["a: i32 = 7", "c: i32 = 7"], ["a: i32 = 8", "c: i32 = 8"]]);
        let warned: Vec<&str> = version.warnings.iter().map(|(_, warning)| warning.as_str()).collect();
        assert!(
            warned.len() == 1 && warned[0].starts_with("column `b` is left out: it cannot be read: "),
            "{warned:?}"
        );
        assert!(warned[0].contains(problem), "{warned:?}");
        let error = read_as(&path, "{ b = \"int\" }", Unit::Second).unwrap_err();
        assert!(error.contains("asks for column `b`, which cannot be read: ") && error.contains(problem), "{error}");
        let without = read_as(&path, "\"*\"\nexcept = [\"b\"]", Unit::Second).unwrap();
        assert_eq!((features(&without).len(), without.warnings.len()), (2, 0));
    };
    check("LZO");
    // A page without a head.
    write(&path, "required int32 a; required int32 b; required int32 c;", 2, vec![numbers(), numbers(), numbers()]);
    let mut bytes = std::fs::read(&path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).unwrap();
    let (start, length) = metadata.row_group(0).column(2).byte_range();
    bytes[start as usize..(start + length) as usize].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    check("");
}

#[test]
fn structs_whose_members_cannot_be_told_apart_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let numbers = || column::<Int32Type>(vec![7], None, None);
    let fields = "required group s { required int32 x; required int32 x; } required group t { required int32 $json; }";
    write(&path, &fields.replace('$', "_"), 1, vec![numbers(), numbers(), numbers()]);
    let version = read_as(&path, "\"*\"", Unit::Second).unwrap();
    assert_eq!(features(&version), [["t: json = {\"_json\":7}"]]);
    assert_eq!(
        version.warnings[0].1,
        "column `s` is left out: it has a struct with two members `x`: give one another name"
    );
}
