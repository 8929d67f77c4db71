//! Parquet and Arrow files: every type, in every codec, means the same.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{OffsetBuffer, ScalarBuffer, i256};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::*;
use arrow_select::concat::concat_batches;
use half::f16;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use timeweft_graph::{FeatureDef, ListOrder, Owner, Schema, TimeUnit as Unit};
use timeweft_oracle::Version;
use timeweft_source::{SourceError, TablesOptions, tables};

pub(crate) fn write_parquet(path: &Path, batch: &RecordBatch, codec: Compression) {
    let properties = WriterProperties::builder().set_compression(codec).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn write_ipc(path: &Path, batch: &RecordBatch, codec: Option<CompressionType>, is_file: bool) {
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let out = std::fs::File::create(path).unwrap();
    if is_file {
        let mut writer = FileWriter::try_new_with_options(out, &batch.schema(), options).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
    } else {
        let mut writer = StreamWriter::try_new_with_options(out, &batch.schema(), options).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
    }
}

/// What a mapping of all columns makes of a file.
fn read_as(path: &Path, features: &str, schema: Schema) -> Result<Version, SourceError> {
    let file = path.file_name().unwrap().to_string_lossy();
    let mapping = path.with_extension("toml");
    let text = format!("[[nodes]]\nfile = \"{file}\"\ntype = \"n\"\nid = \"id\"\nfeatures = {features}\n");
    std::fs::write(&mapping, text).unwrap();
    let mut version = Version::new(schema);
    tables::read(&mapping, &TablesOptions::default(), &mut version).map(|()| version)
}

fn read(path: &Path, unit: Unit) -> Version {
    read_as(path, "\"*\"", Schema::new(unit)).unwrap()
}

/// The features of each node, as `name: kind = value`.
pub(crate) fn features(version: &Version) -> Vec<Vec<String>> {
    assert_eq!(version.rejects.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    let node = |node: &timeweft_oracle::Listed<timeweft_graph::NodeKey>| {
        let one = |(name, value): &(timeweft_graph::Name, timeweft_graph::Value)| {
            format!("{name}: {} = {value}", timeweft_graph::FeatureKind::of(value))
        };
        node.features.iter().map(one).collect()
    };
    version.nodes.iter().map(node).collect()
}

pub(crate) fn rejects(version: &Version) -> Vec<String> {
    version.rejects.iter().map(|reject| reject.reason.to_string()).collect()
}

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn ids(n: i64) -> (&'static str, ArrayRef) {
    ("id", Arc::new(Int64Array::from_iter_values(1..=n)))
}

/// A list for each of these lengths.
fn list(items: ArrayRef, lengths: &[usize]) -> ArrayRef {
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), items, None))
}

fn structs(members: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let members = members.into_iter();
    let (fields, arrays): (Vec<_>, Vec<_>) =
        members.map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip();
    Arc::new(StructArray::new(fields.into(), arrays, None))
}

fn map(keys: ArrayRef, values: ArrayRef, lengths: &[usize]) -> ArrayRef {
    let entries = StructArray::new(
        vec![Field::new("key", keys.data_type().clone(), false), Field::new("value", values.data_type().clone(), true)]
            .into(),
        vec![keys, values],
        None,
    );
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    Arc::new(MapArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), entries, None, false))
}

/// 2024-02-29 12:34:56.789123456.
const MOMENT: i64 = 1_709_210_096_789_123_456;

/// A column of each type, with one value, and what it is in a graph of nanoseconds.
fn all_types() -> Vec<(&'static str, ArrayRef, &'static str)> {
    let decimal = |digits: i128, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![digits]).with_precision_and_scale(precision, scale).unwrap())
    };
    let uuid = FixedSizeBinaryArray::try_from_iter([[0xabu8; 16]].into_iter()).unwrap();
    let nested = structs(vec![
        ("at", Arc::new(TimestampNanosecondArray::from(vec![MOMENT]))),
        ("bytes", Arc::new(BinaryArray::from_vec(vec![b"\xff"]))),
        ("dec", decimal(150, 38, 2)),
        ("none", Arc::new(Int8Array::from(vec![None]))),
        ("nan", Arc::new(Float32Array::from(vec![f32::NAN]))),
        ("list", list(Arc::new(Date32Array::from(vec![19782, 0])), &[2])),
    ]);
    vec![
        ("bool", Arc::new(BooleanArray::from(vec![true])), "json = true"),
        ("i8", Arc::new(Int8Array::from(vec![-1])), "i8 = -1"),
        ("i16", Arc::new(Int16Array::from(vec![-2])), "i16 = -2"),
        ("i32", Arc::new(Int32Array::from(vec![-3])), "i32 = -3"),
        ("i64", Arc::new(Int64Array::from(vec![i64::MIN])), "i64 = -9223372036854775808"),
        ("u8", Arc::new(UInt8Array::from(vec![255])), "u8 = 255"),
        ("u16", Arc::new(UInt16Array::from(vec![65535])), "u16 = 65535"),
        ("u32", Arc::new(UInt32Array::from(vec![u32::MAX])), "u32 = 4294967295"),
        ("u64", Arc::new(UInt64Array::from(vec![u64::MAX])), "u64 = 18446744073709551615"),
        ("f16", Arc::new(Float16Array::from(vec![f16::from_f32(0.1)])), "f16 = 0.099975586"),
        ("f32", Arc::new(Float32Array::from(vec![0.1])), "f32 = 0.1"),
        ("f64", Arc::new(Float64Array::from(vec![0.1])), "f64 = 0.1"),
        ("d9", decimal(-5, 9, 3), "text = -0.005"),
        ("d38", decimal(i128::from(i64::MAX) * 10_000_000_000 + 1, 38, 10), "text = 9223372036854775807.0000000001"),
        ("d0", decimal(7, 10, 0), "text = 7"),
        (
            "d256",
            Arc::new(Decimal256Array::from(vec![i256::MAX]).with_precision_and_scale(76, 1).unwrap()),
            "text = 5789604461865809771178549250434395392663499233282028201972879200395656481996.7",
        ),
        ("text", Arc::new(StringArray::from(vec!["a\"b"])), "text = a\"b"),
        ("large", Arc::new(LargeStringArray::from(vec!["l"])), "text = l"),
        ("view", Arc::new(StringViewArray::from(vec!["longer than twelve bytes"])), "text = longer than twelve bytes"),
        ("dict", Arc::new(DictionaryArray::<Int8Type>::from_iter(["a"])), "text = a"),
        ("bytes", Arc::new(BinaryArray::from_vec(vec![b"\xff\x00"])), "bytes = \u{fffd}\0"),
        ("fixed", Arc::new(FixedSizeBinaryArray::try_from_iter([b"abcd"].into_iter()).unwrap()), "bytes = abcd"),
        ("date32", Arc::new(Date32Array::from(vec![19782])), "i64 = 1709164800000000000"),
        ("date64", Arc::new(Date64Array::from(vec![86_400_000])), "i64 = 86400000000000"),
        ("t32", Arc::new(Time32MillisecondArray::from(vec![45_296_500])), "text = 12:34:56.5"),
        ("t64", Arc::new(Time64NanosecondArray::from(vec![1])), "text = 00:00:00.000000001"),
        ("s", Arc::new(TimestampSecondArray::from(vec![-1])), "i64 = -1000000000"),
        ("ms", Arc::new(TimestampMillisecondArray::from(vec![1]).with_timezone("+02:00")), "i64 = 1000000"),
        ("us", Arc::new(TimestampMicrosecondArray::from(vec![1])), "i64 = 1000"),
        ("ns", Arc::new(TimestampNanosecondArray::from(vec![MOMENT])), "i64 = 1709210096789123456"),
        ("dur", Arc::new(DurationMicrosecondArray::from(vec![-1_500_000])), "text = PT-1.5S"),
        ("numbers", list(Arc::new(Float32Array::from(vec![1.0, 0.5])), &[2]), "f32[] = [1.0,0.5]"),
        (
            "vector",
            Arc::new(FixedSizeListArray::new(
                Arc::new(Field::new("item", DataType::Int16, true)),
                2,
                Arc::new(Int16Array::from(vec![1, 2])),
                None,
            )),
            "i16[] = [1,2]",
        ),
        ("texts", list(Arc::new(StringArray::from(vec![Some("a"), None])), &[2]), "json = [\"a\",null]"),
        ("times", list(Arc::new(TimestampMillisecondArray::from(vec![1])), &[1]), "json = [1000000]"),
        ("lists", list(list(Arc::new(Int64Array::from(vec![1, 2])), &[1, 0, 1]), &[3]), "json = [[1],[],[2]]"),
        ("map", map(Arc::new(StringArray::from(vec!["k"])), decimal(15, 4, 1), &[1]), "json = [[\"k\",\"1.5\"]]"),
        (
            "struct",
            nested,
            "json = {\"at\":1709210096789123456,\"bytes\":[255],\"dec\":\"1.50\",\"list\":[1709164800000000000,0],\"nan\":\"nan\",\"none\":null}",
        ),
        ("uuid", Arc::new(uuid), "text = abababab-abab-abab-abab-abababababab"),
    ]
}

/// All types as one table; the UUID is marked as one.
fn all_columns(types: &[(&'static str, ArrayRef, &'static str)]) -> RecordBatch {
    let plain =
        batch([ids(1)].into_iter().chain(types.iter().map(|(name, array, _)| (*name, array.clone()))).collect());
    let mark = |field: &FieldRef| match field.name().as_str() {
        "uuid" => Arc::new(
            field.as_ref().clone().with_metadata([("ARROW:extension:name".into(), "arrow.uuid".into())].into()),
        ),
        _ => field.clone(),
    };
    let fields: Vec<FieldRef> = plain.schema().fields().iter().map(mark).collect();
    RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), plain.columns().to_vec()).unwrap()
}

#[test]
fn every_type_keeps_its_value_in_every_codec() {
    let folder = tempfile::tempdir().unwrap();
    let types = all_types();
    let expected: Vec<String> = types.iter().map(|(name, _, value)| format!("{name}: {value}")).collect();
    let batch = all_columns(&types);
    let mut files = Vec::new();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for (at, codec) in codecs.into_iter().enumerate() {
        files.push(folder.path().join(format!("{at}.PARQUET")));
        write_parquet(&files[at], &batch, codec);
    }
    for (at, codec) in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)].into_iter().enumerate() {
        for (is_file, ending) in [(true, "feather"), (true, "arrow"), (false, "arrows"), (false, "ipc")] {
            files.push(folder.path().join(format!("{at}.{ending}")));
            write_ipc(files.last().unwrap(), &batch, codec, is_file);
        }
    }
    for file in files {
        let found = features(&read(&file, Unit::Nano));
        assert_eq!(found, std::slice::from_ref(&expected), "{}", file.display());
    }
}

#[test]
fn types_of_arrow_alone_keep_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.arrow");
    let runs =
        RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3]), &StringArray::from(vec!["r", "s"])).unwrap();
    let views: ListViewArray = ListViewArray::new(
        Arc::new(Field::new("item", DataType::Int8, true)),
        ScalarBuffer::from(vec![1, 0, 0]),
        ScalarBuffer::from(vec![1, 2, 0]),
        Arc::new(Int8Array::from(vec![1, 2])),
        None,
    );
    let months = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(14, 3, 4_500_000_000); 3]);
    let unions = UnionArray::try_new(
        [(0, Arc::new(Field::new("n", DataType::Int8, true))), (1, Arc::new(Field::new("t", DataType::Utf8, true)))]
            .into_iter()
            .collect(),
        ScalarBuffer::from(vec![0, 1, 0]),
        Some(ScalarBuffer::from(vec![0, 0, 1])),
        vec![Arc::new(Int8Array::from(vec![Some(5), None])), Arc::new(StringArray::from(vec!["t"]))],
    )
    .unwrap();
    let opaque = |name: &str| {
        [
            ("ARROW:extension:name".to_owned(), "arrow.opaque".to_owned()),
            ("ARROW:extension:metadata".to_owned(), format!("{{\"type_name\":\"{name}\",\"vendor_name\":\"DuckDB\"}}")),
        ]
    };
    let wide = |number: i128| FixedSizeBinaryArray::try_from_iter([number.to_le_bytes(); 3].into_iter()).unwrap();
    let plain = batch(vec![
        ids(3),
        ("nothing", Arc::new(NullArray::new(3))),
        ("runs", Arc::new(runs)),
        ("views", Arc::new(views)),
        ("months", Arc::new(months)),
        ("either", Arc::new(unions)),
        ("huge", Arc::new(wide(i128::MIN))),
        ("uhuge", Arc::new(wide(-1))),
        ("bool8", Arc::new(Int8Array::from(vec![1, 0, 2]))),
        ("json", Arc::new(StringArray::from(vec!["{\"a\": [1]}", "null", "7"]))),
    ]);
    let fields: Vec<FieldRef> = plain.schema().fields().iter().cloned().collect();
    let marked = |field: &FieldRef| {
        let metadata = match field.name().as_str() {
            "huge" => opaque("hugeint").into(),
            "uhuge" => opaque("uhugeint").into(),
            "bool8" | "json" => [("ARROW:extension:name".to_owned(), format!("arrow.{}", field.name()))].into(),
            _ => return field.clone(),
        };
        Arc::new(field.as_ref().clone().with_metadata(metadata))
    };
    let schema = arrow_schema::Schema::new(fields.iter().map(marked).collect::<Vec<_>>());
    let batch = RecordBatch::try_new(Arc::new(schema), plain.columns().to_vec()).unwrap();
    write_ipc(&path, &batch, None, true);
    let expected = |runs, views, either: &str, bool8, json| {
        let mut all = vec![format!("runs: text = {runs}"), format!("views: i8[] = {views}")];
        all.push("months: text = P14M3DT4.5S".into());
        all.extend((!either.is_empty()).then(|| format!("either: json = {either}")));
        all.push("huge: text = -170141183460469231731687303715884105728".into());
        all.push("uhuge: text = 340282366920938463463374607431768211455".into());
        all.extend([format!("bool8: json = {bool8}"), format!("json: json = {json}")]);
        all
    };
    let expected = [
        expected("r", "[2]", "5", true, "{\"a\":[1]}"),
        expected("r", "[1,2]", "\"t\"", false, "null"),
        expected("s", "[]", "", true, "7"),
    ];
    assert_eq!(features(&read(&path, Unit::Second)), expected);
}

/// The same moment is the same number, in whatever unit it is written, and in whatever it stands.
#[test]
fn one_moment_is_one_number_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let midnight = 1_709_164_800;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampSecondArray::from(vec![midnight]).with_timezone("UTC")),
        Arc::new(TimestampMillisecondArray::from(vec![midnight * 1_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![midnight * 1_000_000])),
        Arc::new(TimestampNanosecondArray::from(vec![midnight * 1_000_000_000])),
        Arc::new(Date32Array::from(vec![(midnight / 86_400) as i32])),
        Arc::new(Date64Array::from(vec![midnight * 1_000])),
    ];
    let names = ["a", "b", "c", "d", "e", "f"];
    let flat = names.into_iter().zip(columns.iter().cloned());
    let inside = ("inside", structs(names.into_iter().zip(columns.iter().cloned()).collect()));
    let listed = ("listed", list(columns[0].clone(), &[1]));
    let mapped = ("mapped", map(columns[3].clone(), columns[1].clone(), &[1]));
    write_parquet(
        &path,
        &batch([ids(1)].into_iter().chain(flat).chain([inside, listed, mapped]).collect()),
        Compression::SNAPPY,
    );
    for (unit, number) in
        [(Unit::Second, "1709164800"), (Unit::Milli, "1709164800000"), (Unit::Nano, "1709164800000000000")]
    {
        let mut expected: Vec<String> = names.iter().map(|name| format!("{name}: i64 = {number}")).collect();
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":{number}")).collect();
        expected.push(format!("inside: json = {{{}}}", members.join(",")));
        expected.push(format!("listed: json = [{number}]"));
        expected.push(format!("mapped: json = [[{number},{number}]]"));
        assert_eq!(features(&read(&path, unit)), [expected]);
    }
    let steps = &features(&read(&path, Unit::Step))[0];
    assert_eq!(steps[0], "a: text = 2024-02-29T00:00:00Z", "steps have no calendar: a time keeps its text");
    assert_eq!(steps[7], "listed: json = [\"2024-02-29T00:00:00Z\"]");
}

#[test]
fn a_first_empty_list_is_a_value_and_shows_no_kind() {
    let folder = tempfile::tempdir().unwrap();
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let gaps: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    for (at, lengths) in [[0, 2, 0], [2, 0, 0], [0, 0, 2]].into_iter().enumerate() {
        let table =
            batch(vec![ids(3), ("whole", list(numbers.clone(), &lengths)), ("gaps", list(gaps.clone(), &lengths))]);
        for name in ["a.parquet", "a.arrow"] {
            let path = folder.path().join(name);
            match name {
                "a.parquet" => write_parquet(&path, &table, Compression::SNAPPY),
                _ => write_ipc(&path, &table, None, true),
            }
            let found = features(&read(&path, Unit::Second));
            for (row, length) in lengths.into_iter().enumerate() {
                let (whole, gaps) = if length == 0 { ("[]", "[]") } else { ("[1,2]", "[1,null]") };
                let expected = [format!("whole: i32[] = {whole}"), format!("gaps: json = {gaps}")];
                assert_eq!(found[row], expected, "{name} {at} {row}");
            }
        }
    }
    let path = folder.path().join("a.parquet");
    let version = read_as(&path, "{ gaps = \"[i32]\" }", Schema::new(Unit::Second)).unwrap();
    assert_eq!(rejects(&version), ["column `gaps`: expected a number of type i32, got `null`"]);
}

fn graph_with(name: &str, kind: timeweft_graph::FeatureKind) -> Schema {
    let mut schema = Schema::new(Unit::Second);
    let node = schema.add_node_type(&"n".into()).unwrap();
    let def = FeatureDef { name: name.into(), kind, order: ListOrder::List };
    schema.add_feature(Owner::Node(node), def).unwrap();
    schema
}

#[test]
fn decimals_are_exact_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let digits = [1_000_000_000, 15_000_000_000, 12_345_678_901_234_567_890, -1];
    let column = Decimal128Array::from(digits.to_vec()).with_precision_and_scale(38, 10).unwrap();
    write_parquet(&path, &batch(vec![ids(4), ("x", Arc::new(column))]), Compression::SNAPPY);
    let texts = ["0.1000000000", "1.5000000000", "1234567890.1234567890", "-0.0000000001"];
    let as_text = texts.map(|text| vec![format!("x: text = {text}")]);
    assert_eq!(features(&read(&path, Unit::Second)), as_text);
    assert_eq!(features(&read_as(&path, "{ x = \"text\" }", Schema::default()).unwrap()), as_text);
    let known = timeweft_graph::ValueRef::Float(0.0).kind();
    let exact = read_as(&path, "\"*\"", graph_with("x", known)).unwrap();
    let found: Vec<_> = exact.nodes.iter().map(|node| node.features[0].1.to_string()).collect();
    assert_eq!(found, ["0.1", "1.5", "-1e-10"]);
    assert_eq!(
        rejects(&exact),
        [
            "column `x`: `1234567890.1234567890` is no f64 without rounding: name the kind `float` to round it, or `text`"
        ]
    );
    let rounded = read_as(&path, "{ x = \"float\" }", Schema::default()).unwrap();
    assert_eq!(features(&rounded)[2], ["x: f64 = 1234567890.1234567"]);
    let whole = read_as(&path, "{ x = \"int\" }", Schema::default()).unwrap();
    assert_eq!(rejects(&whole).len(), 4, "none of them is whole");
    let amount = Decimal128Array::from(vec![700]).with_precision_and_scale(18, 2).unwrap();
    let id = Decimal128Array::from(vec![i128::from(u64::MAX)]).with_precision_and_scale(38, 0).unwrap();
    write_parquet(&path, &batch(vec![("id", Arc::new(id)), ("x", Arc::new(amount))]), Compression::SNAPPY);
    let whole = read_as(&path, "{ x = \"int\" }", Schema::default()).unwrap();
    assert_eq!(
        (features(&whole)[0][0].as_str(), whole.nodes[0].key.to_string()),
        ("x: i64 = 7", "n 18446744073709551615".into())
    );
}

#[test]
fn ids_are_texts_whole_numbers_and_uuids() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.arrow");
    let bytes = FixedSizeBinaryArray::try_from_iter([[0xffu8; 16]].into_iter()).unwrap();
    let columns: Vec<(ArrayRef, Result<&str, &str>)> = vec![
        (Arc::new(UInt8Array::from(vec![7])), Ok("7")),
        (Arc::new(StringArray::from(vec!["007"])), Ok("007")),
        (Arc::new(DictionaryArray::<Int32Type>::from_iter(["d"])), Ok("d")),
        (Arc::new(BinaryArray::from_vec(vec![b"b"])), Ok("b")),
        (Arc::new(bytes), Err("bytes that are no UTF-8 text")),
        (Arc::new(StringArray::from(vec![""])), Err("an empty text is no id")),
        (Arc::new(BooleanArray::from(vec![true])), Err("got a truth value")),
        (Arc::new(Float64Array::from(vec![1.5])), Err("got `1.5`")),
        (Arc::new(Date32Array::from(vec![1])), Err("got a time")),
        (list(Arc::new(StringArray::from(vec!["a"])), &[1]), Err("got a nested value")),
        (Arc::new(StringArray::from(vec![None::<&str>])), Err("column `id` is empty")),
    ];
    for (column, expected) in columns {
        write_ipc(&path, &batch(vec![("id", column)]), None, false);
        let version = read(&path, Unit::Second);
        match expected {
            Ok(id) => assert_eq!(version.nodes[0].key.id.to_string(), id),
            Err(problem) => assert!(rejects(&version)[0].contains(problem), "{problem}: {:?}", rejects(&version)),
        }
    }
}

#[test]
fn many_batches_and_row_groups_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let n = 5_000i64;
    let column = |from: i64, to: i64| batch(vec![("id", Arc::new(Int64Array::from_iter_values(from..to)) as ArrayRef)]);
    let parts = [column(0, 700), column(700, 4_100), column(4_100, n)];
    let parquet = folder.path().join("a.parquet");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1_300)).build();
    let file = std::fs::File::create(&parquet).unwrap();
    let mut writer = ArrowWriter::try_new(file, parts[0].schema(), Some(properties)).unwrap();
    parts.iter().for_each(|part| writer.write(part).unwrap());
    writer.close().unwrap();
    let arrow = folder.path().join("a.arrow");
    let mut writer = FileWriter::try_new(std::fs::File::create(&arrow).unwrap(), &parts[0].schema()).unwrap();
    parts.iter().for_each(|part| writer.write(part).unwrap());
    writer.finish().unwrap();
    assert_eq!(concat_batches(&parts[0].schema(), &parts).unwrap().num_rows() as i64, n);
    for path in [parquet, arrow] {
        let version = read(&path, Unit::Second);
        let found: Vec<String> = version.nodes.iter().map(|node| node.key.id.to_string()).collect();
        assert_eq!(found, (0..n).map(|id| id.to_string()).collect::<Vec<_>>());
        assert_eq!(version.nodes[4_999].place.line, 5_000);
    }
}

/// Polars writes the schema of a file without its length, and integers that Arrow has no type for.
#[test]
fn a_file_of_polars_is_read_with_integers_of_128_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.arrow");
    std::fs::copy("tests/data/polars/frame.arrow", &path).unwrap();
    let found = features(&read(&path, Unit::Second));
    assert_eq!(found, [["x: f64 = 1.5", "wide: text = 170141183460469231731687303715884105727"]]);
}
