//! NCBI taxonomy dumps: a folder with `nodes.dmp`, `names.dmp` and, where they are there, `merged.dmp` and `delnodes.dmp`.
//!
//! | in the files | in the version |
//! |---|---|
//! | line of `nodes.dmp` | node of type `taxon`, and an edge `child_of` to its parent; the root, its own parent, has none |
//! | tax_id | the id, and the feature `ncbi_taxon_id` |
//! | rank, genetic code | the features `rank` and `gencode`; a code that is not given is absent |
//! | name of class `scientific name` | `scientific_name`: exactly one, else the taxon is rejected |
//! | all other names | `aliases`: a list of `{"category": class, "name": name}` in which order means nothing |
//! | ranks of the ancestors | `strain`: no rank of its own, below a species or lower through taxa without rank only; `species_or_below`: a strain, or of such a rank |
//! | line of `merged.dmp` | merge of the old taxon into the new one |
//! | line of `delnodes.dmp` | a deletion that the release tells |
//!
//! Fields stand between bars with white space before them. Dumps of others than the NCBI have less of them: of
//! nodes, tax_id, parent and rank must be there, of names tax_id, name and class. A rank that the NCBI did not use up to 2022 is kept, counts as
//! a high one, and is told in a warning. Each file may be packed: `nodes.dmp.gz` (or `.bz2`, `.zst`).
//!
//! **Memory.** 16 bytes a taxon, because `strain` follows from the whole tree. Names are read in step with the taxa, by a
//! thread of their own; those of a taxon whose lines do not come in order of tax_id are kept until the end.

mod names;
mod rank;
mod taxa;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use rustc_hash::FxHashSet;
use timeweft_graph::threads::Crew;
use timeweft_graph::{
    DType, EdgeTypeId, ElementRef, FeatureDef, FeatureId, FeatureKind, Format, IdRef, ListOrder, Name, NodeKey,
    NodeTypeId, Owner, Reason, Record, Sink, Unreadable, ValueRef,
};

use self::names::{Batch, CardRef, NameFile, RestOfNames, is_late};
use self::rank::Ranks;
use self::taxa::{Taxa, Taxon};
use crate::text::byte_lines::ByteLines;
use crate::version_format::facts::FormatFacts;
use crate::version_format::lineage;
use crate::{Input, SourceError};

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    is_taxonomy: true,
    is_folder_with: |name| name == "nodes.dmp",
    part_of: Some((".dmp", "a taxonomy dump")),
    ..FormatFacts::new("taxdump", "a folder with `nodes.dmp`", |path, _, sink| read(path, sink))
};

/// Reads the dump in a folder into a sink.
pub fn read(folder: &Path, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let nodes = ByteLines::open(&packed(folder, "nodes.dmp"))?;
    let names = packed(folder, "names.dmp");
    let file = nodes.file().clone();
    let types = Types::declare(sink).ok_or_else(|| SourceError::TooManyTypes { file: file.clone(), line: 0 })?;
    sink.format(types.format());
    sink.file(&file);
    let mut ranks = Ranks::default();
    let is_over = AtomicBool::new(false);
    // Both files are long, and neither pass needs the other.
    let (taxa, late) = thread::scope(|scope| {
        let late = Crew::of(1, scope).behind(|| names::late_ids(ByteLines::open(&names)?, &is_over));
        let taxa = Taxa::read(nodes, &mut ranks, sink);
        is_over.store(taxa.is_err() || sink.is_closed(), Ordering::Relaxed);
        (taxa, late.join())
    });
    let mut taxa = taxa?;
    if sink.is_closed() {
        return Ok(());
    }
    let late = late.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    taxa.mark_strains(&ranks);
    sink.expect(taxa.all.len(), taxa.all.len());
    let names = NameFile::new(ByteLines::open(&names)?, &late)?;
    let refused = push_taxa(&taxa, &ranks, names, (&types, &file), sink)?;
    for taxon in taxa.all.iter().filter(|taxon| taxon.parent != taxon.id && !refused.contains(&taxon.id)) {
        if sink.is_closed() {
            return Ok(());
        }
        let ends = [taxon.id, taxon.parent].map(|id| IdRef::Int(id.into()));
        sink.record(Record::Listed(ElementRef::Edge(types.child_of, ends, None), &[]), taxon.line.into());
    }
    ranks.warn(sink);
    push_merges(folder, &types, sink)?;
    push_deleted(folder, &types, sink)
}

/// The file, or its packed form where only that is there.
fn packed(folder: &Path, name: &str) -> PathBuf {
    let plain = folder.join(name);
    if plain.exists() {
        return plain;
    }
    let mut packed = crate::input::packed_names(name).map(|name| folder.join(name));
    packed.find(|packed| packed.exists()).unwrap_or(plain)
}

/// The lines of a file that need not be there.
fn optional_lines(folder: &Path, name: &str) -> Result<Option<ByteLines<Input>>, SourceError> {
    let path = packed(folder, name);
    if path.exists() { ByteLines::open(&path).map(Some) } else { Ok(None) }
}

/// The numbers of what a dump declares.
struct Types {
    taxon: NodeTypeId,
    child_of: EdgeTypeId,
    scientific_name: FeatureId,
    rank: FeatureId,
    strain: FeatureId,
    species_or_below: FeatureId,
    aliases: FeatureId,
    ncbi_taxon_id: FeatureId,
    gencode: FeatureId,
}

impl Types {
    /// Declares all types and features; `None` if the schema is full.
    fn declare(sink: &mut dyn Sink) -> Option<Types> {
        let schema = sink.schema();
        let taxon = schema.add_node_type(&"taxon".into())?;
        let mut feature = |name: &str, kind: FeatureKind, order: ListOrder| {
            schema.add_feature(Owner::Node(taxon), FeatureDef { name: name.into(), kind, order })
        };
        let number = FeatureKind::Dense { dtype: DType::I64, scalar: true };
        Some(Types {
            taxon,
            scientific_name: feature("scientific_name", FeatureKind::Text, ListOrder::List)?,
            rank: feature("rank", FeatureKind::Category, ListOrder::List)?,
            strain: feature("strain", FeatureKind::Json, ListOrder::List)?,
            species_or_below: feature("species_or_below", FeatureKind::Json, ListOrder::List)?,
            aliases: feature("aliases", FeatureKind::Json, ListOrder::Multiset)?,
            ncbi_taxon_id: feature("ncbi_taxon_id", number, ListOrder::List)?,
            gencode: feature("gencode", number, ListOrder::List)?,
            child_of: schema.add_edge_type(taxon, &"child_of".into(), taxon)?,
        })
    }

    fn format(&self) -> Format {
        let of_taxon = vec![
            self.scientific_name,
            self.rank,
            self.strain,
            self.species_or_below,
            self.aliases,
            self.ncbi_taxon_id,
            self.gencode,
        ];
        let fields = vec![(Owner::Node(self.taxon), of_taxon), (Owner::Edge(self.child_of), Vec::new())];
        Format { name: "taxdump".into(), fields: Some(fields) }
    }
}

/// Taxa with their names that go at once from the thread that reads the names to the one that pushes.
const BATCH: usize = 2_048;
/// Batches that wait between the two.
const WAITING: usize = 4;

/// Pushes all taxa with their names, which a thread of its own reads. Gives the taxa that were refused.
fn push_taxa(
    taxa: &Taxa,
    ranks: &Ranks,
    mut names: NameFile,
    (types, file): (&Types, &Name),
    sink: &mut dyn Sink,
) -> Result<FxHashSet<u32>, SourceError> {
    let (names_file, late) = (names.file().clone(), names.late);
    let refused = FxHashSet::default();
    let mut push = Push { types, ranks, nodes: file, names: &names_file, late, refused, sink };
    let rest = thread::scope(|scope| {
        let mut crew = Crew::of(1, scope);
        let (batches, arriving) = crew.pipe(WAITING);
        let (spent, used) = channel();
        let reader = crew.ahead(move || {
            for taxa in taxa.all.chunks(BATCH) {
                let mut batch: Batch = used.try_recv().unwrap_or_default();
                names.collect(taxa, &mut batch)?;
                if batches.send(batch).is_err() {
                    return Ok(RestOfNames::default());
                }
            }
            names.finish()
        });
        for (taxa, mut batch) in taxa.all.chunks(BATCH).zip(arriving) {
            push.batch(taxa, &mut batch);
            if push.sink.is_closed() {
                break;
            }
            // At the end it is not needed any more.
            let _ = spent.send(batch);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    push.late(taxa, rest?);
    Ok(push.refused)
}

/// Pushes taxon after taxon.
struct Push<'a> {
    types: &'a Types,
    ranks: &'a Ranks,
    /// The files for messages.
    nodes: &'a Name,
    names: &'a Name,
    /// Taxa whose names do not come in order.
    late: &'a FxHashSet<u32>,
    refused: FxHashSet<u32>,
    sink: &'a mut dyn Sink,
}

impl Push<'_> {
    /// Pushes the taxa of a batch, but for the late ones.
    fn batch(&mut self, taxa: &[Taxon], batch: &mut Batch) {
        let mut problems = std::mem::take(&mut batch.problems).into_iter().peekable();
        for (at, (taxon, card)) in taxa.iter().zip(batch.cards()).enumerate() {
            while let Some(problem) = problems.next_if(|problem| problem.before <= at) {
                self.refuse_line(problem);
            }
            if !is_late(self.late, taxon.id) {
                self.taxon(taxon, card);
            }
        }
    }

    /// Pushes the taxa whose names did not come in order, and refuses names that no taxon took.
    fn late(&mut self, taxa: &Taxa, rest: RestOfNames) {
        rest.problems.into_iter().for_each(|problem| self.refuse_line(problem));
        let mut cards = rest.cards;
        for taxon in taxa.all.iter().filter(|taxon| is_late(self.late, taxon.id)) {
            let batch = Batch::of(cards.remove(&taxon.id).unwrap_or_default());
            batch.cards().for_each(|card| self.taxon(taxon, card));
        }
        let mut unknown: Vec<u32> = cards.into_keys().collect();
        unknown.sort_unstable();
        let problem = |id| names::Problem { before: 0, line: 0, what: names::unknown(id), of: None };
        unknown.into_iter().for_each(|id| self.refuse_line(problem(id)));
    }

    /// Refuses a line of the names.
    fn refuse_line(&mut self, problem: names::Problem) {
        self.sink.file(self.names);
        let reason = Reason::Malformed(problem.what);
        match problem.of {
            // A taxon with a name that cannot be read keeps the names that it had.
            Some(id) => {
                let taxon = Unreadable::Node(NodeKey::new("taxon", &*id.to_string()));
                self.sink.unreadable(vec![taxon], problem.line, reason);
            }
            None => self.sink.reject(problem.line, reason),
        }
        self.sink.file(self.nodes);
    }

    fn taxon(&mut self, taxon: &Taxon, card: CardRef<'_>) {
        let problem = match card.scientific_names {
            1 => None,
            0 => Some(format!("taxon {} has no scientific name in `{}`", taxon.id, self.names)),
            several => Some(format!("taxon {} has {several} scientific names: leave one", taxon.id)),
        };
        if let Some(problem) = problem {
            self.refused.insert(taxon.id);
            let told = lineage::taxon(&taxon.id.to_string());
            return self.sink.unreadable(told, taxon.line.into(), Reason::Malformed(problem));
        }
        let strain = taxon.is_strain();
        let gencode = taxon.gencode();
        let features = [
            (self.types.scientific_name, ValueRef::Text(card.scientific_name)),
            (self.types.rank, ValueRef::Category(self.ranks.name(taxon.rank))),
            (self.types.strain, ValueRef::Bool(strain)),
            (self.types.species_or_below, ValueRef::Bool(strain || self.ranks.is_low(taxon.rank))),
            (self.types.aliases, ValueRef::RawJson(card.aliases)),
            (self.types.ncbi_taxon_id, ValueRef::Int(taxon.id.into())),
            (self.types.gencode, ValueRef::Int(gencode.unwrap_or_default().into())),
        ];
        let given = features.len() - usize::from(gencode.is_none());
        let node = ElementRef::Node(self.types.taxon, IdRef::Int(taxon.id.into()));
        self.sink.record(Record::Listed(node, &features[..given]), taxon.line.into());
    }
}

fn push_merges(folder: &Path, types: &Types, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let Some(mut lines) = optional_lines(folder, "merged.dmp")? else { return Ok(()) };
    sink.file(lines.file());
    while !sink.is_closed() && lines.advance()? {
        let mut fields = Fields::of(lines.bytes());
        match (fields.id(), fields.id()) {
            (Ok(old), Ok(new)) => {
                let taxa = [old, new].map(|id| (types.taxon, IdRef::Int(id.into())));
                sink.record(Record::Listed(ElementRef::Merge(taxa), &[]), lines.line());
            }
            _ if lines.bytes().trim_ascii().is_empty() => {}
            (Err(problem), _) | (_, Err(problem)) => sink.reject(lines.line(), Reason::Malformed(problem)),
        }
    }
    Ok(())
}

fn push_deleted(folder: &Path, types: &Types, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let Some(mut lines) = optional_lines(folder, "delnodes.dmp")? else { return Ok(()) };
    sink.file(lines.file());
    while !sink.is_closed() && lines.advance()? {
        match Fields::of(lines.bytes()).id() {
            Ok(id) => sink.record(Record::Deleted(types.taxon, IdRef::Int(id.into())), lines.line()),
            Err(_) if lines.bytes().trim_ascii().is_empty() => {}
            Err(problem) => sink.reject(lines.line(), Reason::Malformed(problem)),
        }
    }
    Ok(())
}

/// The fields of a line, without the white space around them. A bar ends a field where white space stands before it.
struct Fields<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn of(line: &'a [u8]) -> Fields<'a> {
        Fields { rest: Some(line) }
    }

    /// Reads the next field as a tax_id.
    fn id(&mut self) -> Result<u32, String> {
        if let Some(id) = self.plain_id() {
            return Ok(id);
        }
        let field = self.next().unwrap_or_default();
        number(field).ok_or_else(|| {
            format!("expected a tax_id below 2^32 in plain digits, got `{}`", String::from_utf8_lossy(field))
        })
    }

    /// The same for a field as dumps have it: a tab at most before the digits, and one behind them.
    fn plain_id(&mut self) -> Option<u32> {
        let text = self.rest?;
        let text = text.strip_prefix(b"\t").unwrap_or(text);
        let (id, rest) = leading_number(text)?;
        self.rest = Some(rest.strip_prefix(b"\t|")?);
        Some(id)
    }

    /// Where the next field ends.
    fn bar(text: &[u8]) -> Option<usize> {
        let mut from = 0;
        loop {
            let at = from + bar(&text[from..])?;
            if at > 0 && text[at - 1].is_ascii_whitespace() {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// Leaves out fields.
    fn skip_fields(&mut self, n: usize) {
        for _ in 0..n {
            self.rest = self.rest.and_then(|text| Some(&text[Self::bar(text)? + 1..]));
        }
    }
}

/// One in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The first bar. Fields are short: eight bytes at a time are faster than starting a search in larger blocks.
fn bar(text: &[u8]) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<8>();
    for (at, block) in blocks.iter().enumerate() {
        // A byte is zero where the bar is; the lowest marked bit is that of the first one.
        let bars = u64::from_le_bytes(*block) ^ (ONES * u64::from(b'|'));
        let found = bars.wrapping_sub(ONES) & !bars & (ONES << 7);
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == b'|').map(|at| text.len() - rest.len() + at)
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        let (field, rest) = match Self::bar(text) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        self.rest = rest;
        Some(field.trim_ascii())
    }
}

/// A number in its canonical decimal form.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 10 || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    let mut sum = 0u64;
    for digit in digits {
        sum = sum * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    u32::try_from(sum).ok()
}

/// A canonical number of up to seven digits and what stands behind it, eight bytes at a time; none for all others.
fn leading_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = u64::from_le_bytes(*text.first_chunk::<8>()?) ^ (ONES * u64::from(b'0'));
    // The highest bit of a byte is set where there is no digit; above the first one it may be wrong.
    let others = (digits.wrapping_add(ONES * (0x80 - 10)) | digits) & (ONES << 7);
    let n = others.trailing_zeros() as usize / 8;
    if n == 0 || n == 8 || (n > 1 && text[0] == b'0') {
        return None;
    }
    // Zeros come in front; then digits are taken together to pairs, and pairs to fours, and those to one number.
    let digits = digits << (64 - 8 * n);
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let number = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    Some((number as u32, &text[n..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_at_bars_behind_white_space() {
        let fields: Vec<_> = Fields::of(b"62 \t  |\ta|b c\t|  \t|x").collect();
        assert_eq!(fields, [&b"62"[..], b"a|b c", b"", b"x"]);
    }

    #[test]
    fn bars_are_found_wherever_they_stand() {
        // Bytes that differ from a bar by one bit or by one are the ones that a search in blocks could take for it.
        let near = [b'|' ^ 1, b'|' - 1, b'|' ^ 0x80, 0, 0xff, b' '];
        for length in 0..30 {
            let text: Vec<u8> = near.iter().copied().cycle().take(length).collect();
            assert_eq!(bar(&text), None);
            for at in 0..length {
                let mut text = text.clone();
                text[at..].iter_mut().step_by(3).for_each(|byte| *byte = b'|');
                assert_eq!(bar(&text), Some(at));
            }
        }
    }

    #[test]
    fn plain_ids_are_those_of_any_field() {
        let ids: Vec<u32> = (0..10).flat_map(|length| [10u32.pow(length), 10u32.pow(length) * 4 - 1]).collect();
        let mut texts: Vec<String> = ids.iter().map(u32::to_string).collect();
        let plain = texts.iter().filter(|text| text.len() < 8).count();
        let others =
            ["", "062", "00", "4294967296", "99999999999", "+1", "1:", "/1", "1 ", " 1", "\t1", "1\u{b9}", "1\u{ff}"];
        texts.extend(others.map(str::to_owned));
        let mut quick = 0;
        for text in &texts {
            for line in ["", "\t"].map(|before| format!("{before}{text}\t|\tgenus\t|")) {
                let (mut fields, mut any) = (Fields::of(line.as_bytes()), Fields::of(line.as_bytes()));
                let Some(id) = fields.plain_id() else { continue };
                assert_eq!((Some(id), fields.rest), (any.next().and_then(number), any.rest), "{line}");
                quick += 1;
            }
        }
        // A tab before it makes no difference, but for the one that has two then.
        assert_eq!(quick, plain * 2 + 1);
    }

    #[test]
    fn numbers_are_canonical_and_come_back() {
        for number_ in [0, 7, 10, 99, 4_294_967_295] {
            assert_eq!(number(number_.to_string().as_bytes()), Some(number_));
        }
        for bad in ["", "01", "4294967296", "-1", "1.0", "1e3", "99999999999"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
    }
}
