//! NCBI taxonomy dumps: a folder with `nodes.dmp`, `names.dmp` and, where they are there, `merged.dmp` and `delnodes.dmp`.
//!
//! | in the files | in the version |
//! |---|---|
//! | line of `nodes.dmp` | node of type `taxon`, and an edge `child_of` to its parent; the root, its own parent, has none |
//! | tax_id | the id, and the feature `ncbi_taxon_id` |
//! | rank, genetic code | the features `rank` and `gencode` |
//! | name of class `scientific name` | `scientific_name`: exactly one, else the taxon is rejected |
//! | all other names | `aliases`: a list of `{"category": class, "name": name}` in which order means nothing |
//! | ranks of the ancestors | `strain`: no rank of its own, below a species or lower through taxa without rank only; `species_or_below`: a strain, or of such a rank |
//! | line of `merged.dmp` | merge of the old taxon into the new one |
//! | line of `delnodes.dmp` | a deletion that the release tells |
//!
//! Fields stand between bars with white space before them. A rank that the NCBI did not use up to 2022 is kept, counts as
//! a high one, and is told in a warning. Each file may be packed: `nodes.dmp.gz`.
//!
//! **Memory.** 16 bytes a taxon, because `strain` follows from the whole tree. Names are read in step with the taxa; those
//! of a taxon whose lines do not come in order of tax_id are kept until the end.

mod names;
mod rank;
mod taxa;

use std::path::{Path, PathBuf};
use std::thread;

use timeweft_graph::{
    DType, EdgeTypeId, FeatureDef, FeatureId, FeatureKind, Format, ListOrder, NodeTypeId, Owner, Reason, ValueRef,
    VersionSink,
};

use self::names::{Card, NameFile};
use self::rank::Ranks;
use self::taxa::{Taxa, Taxon};
use crate::byte_lines::ByteLines;
use crate::{Input, SourceError};

/// Reads the dump in a folder into a sink.
pub fn read(folder: &Path, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
    let nodes = ByteLines::open(&packed(folder, "nodes.dmp"))?;
    let names = packed(folder, "names.dmp");
    let file = nodes.file().clone();
    let types = Types::declare(sink).ok_or_else(|| SourceError::TooManyTypes { file: file.clone(), line: 0 })?;
    sink.format(types.format());
    sink.file(&file);
    let mut ranks = Ranks::default();
    // Both files are long, and neither pass needs the other.
    let (taxa, late) = thread::scope(|scope| {
        let late = scope.spawn(|| names::late_ids(ByteLines::open(&names)?));
        let taxa = Taxa::read(nodes, &mut ranks, sink);
        (taxa, late.join())
    });
    let mut taxa = taxa?;
    let late = late.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    taxa.mark_strains(&ranks);
    sink.expect(taxa.all.len(), taxa.all.len());
    push_taxa(&mut taxa, &ranks, NameFile::new(ByteLines::open(&names)?, late, &file), &types, sink)?;
    let (mut child, mut parent) = (Digits::default(), Digits::default());
    for taxon in taxa.all.iter().filter(|taxon| taxon.parent != taxon.id && !taxon.is_rejected()) {
        let ends = (child.text(taxon.id), parent.text(taxon.parent));
        sink.edge(types.child_of, ends, None, &[], taxon.line.into());
    }
    ranks.warn(sink);
    push_merges(folder, &types, sink)?;
    push_deleted(folder, &types, sink)
}

/// The file, or its packed form where only that is there.
fn packed(folder: &Path, name: &str) -> PathBuf {
    let (plain, packed) = (folder.join(name), folder.join(format!("{name}.gz")));
    if !plain.exists() && packed.exists() { packed } else { plain }
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
    fn declare(sink: &mut dyn VersionSink) -> Option<Types> {
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

/// Pushes all taxa with their names.
fn push_taxa(
    taxa: &mut Taxa,
    ranks: &Ranks,
    mut names: NameFile,
    types: &Types,
    sink: &mut dyn VersionSink,
) -> Result<(), SourceError> {
    let mut push = Push { types, ranks, id: Digits::default(), aliases: String::new() };
    let mut card = Card::default();
    names.step(sink)?;
    for taxon in &mut taxa.all {
        if !names.is_late(taxon.id) {
            card.clear();
            names.collect(taxon.id, &mut card, sink)?;
            push.taxon(taxon, &card, &names, sink);
        }
    }
    names.finish(sink)?;
    for taxon in &mut taxa.all {
        if names.is_late(taxon.id) {
            let card = names.take_late(taxon.id);
            push.taxon(taxon, &card, &names, sink);
        }
    }
    names.refuse_late(sink);
    Ok(())
}

/// Pushes taxon after taxon; its texts are used again.
struct Push<'a> {
    types: &'a Types,
    ranks: &'a Ranks,
    id: Digits,
    aliases: String,
}

impl Push<'_> {
    fn taxon(&mut self, taxon: &mut Taxon, card: &Card, names: &NameFile, sink: &mut dyn VersionSink) {
        let problem = match card.scientific_names {
            1 => None,
            0 => Some(format!("taxon {} has no scientific name in `{}`", taxon.id, names.file())),
            several => Some(format!("taxon {} has {several} scientific names: leave one", taxon.id)),
        };
        if let Some(problem) = problem {
            taxon.refuse();
            return sink.reject(taxon.line.into(), Reason::Malformed(problem));
        }
        self.aliases.clear();
        card.write_aliases(&mut self.aliases);
        let strain = taxon.is_strain();
        let features = [
            (self.types.scientific_name, ValueRef::Text(&card.scientific_name)),
            (self.types.rank, ValueRef::Category(self.ranks.name(taxon.rank))),
            (self.types.strain, ValueRef::Bool(strain)),
            (self.types.species_or_below, ValueRef::Bool(strain || self.ranks.is_low(taxon.rank))),
            (self.types.aliases, ValueRef::RawJson(&self.aliases)),
            (self.types.ncbi_taxon_id, ValueRef::Int(taxon.id.into())),
            (self.types.gencode, ValueRef::Int(taxon.gencode.into())),
        ];
        sink.node(self.types.taxon, self.id.text(taxon.id), &features, taxon.line.into());
    }
}

fn push_merges(folder: &Path, types: &Types, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
    let Some(mut lines) = optional_lines(folder, "merged.dmp")? else { return Ok(()) };
    sink.file(lines.file());
    let (mut from, mut into) = (Digits::default(), Digits::default());
    while lines.advance()? {
        let mut fields = Fields::of(lines.bytes());
        match (fields.id(), fields.id()) {
            (Ok(old), Ok(new)) => {
                let ends = (from.text(old), into.text(new));
                sink.merge((types.taxon, ends.0), (types.taxon, ends.1), &[], lines.line());
            }
            _ if lines.bytes().trim_ascii().is_empty() => {}
            (Err(problem), _) | (_, Err(problem)) => sink.reject(lines.line(), Reason::Malformed(problem)),
        }
    }
    Ok(())
}

fn push_deleted(folder: &Path, types: &Types, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
    let Some(mut lines) = optional_lines(folder, "delnodes.dmp")? else { return Ok(()) };
    sink.file(lines.file());
    let mut digits = Digits::default();
    while lines.advance()? {
        match Fields::of(lines.bytes()).id() {
            Ok(id) => sink.deleted(types.taxon, digits.text(id), lines.line()),
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
        let field = self.next().unwrap_or_default();
        number(field).ok_or_else(|| {
            format!("expected a tax_id below 2^32 in plain digits, got `{}`", String::from_utf8_lossy(field))
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        // Fields are short: asking byte after byte is faster than searching in blocks.
        let bar = text.windows(2).position(|pair| pair[1] == b'|' && pair[0].is_ascii_whitespace()).map(|at| at + 1);
        let (field, rest) = match bar {
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

/// The decimal form of a number, in a buffer that is used again.
#[derive(Default)]
struct Digits([u8; 10]);

impl Digits {
    fn text(&mut self, mut number: u32) -> &str {
        let mut start = self.0.len();
        loop {
            start -= 1;
            self.0[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        // Digits are always text.
        std::str::from_utf8(&self.0[start..]).unwrap_or_default()
    }
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
    fn numbers_are_canonical_and_come_back() {
        for number_ in [0, 7, 10, 99, 4_294_967_295] {
            assert_eq!(number(Digits::default().text(number_).as_bytes()), Some(number_));
        }
        for bad in ["", "01", "4294967296", "-1", "1.0", "1e3", "99999999999"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
    }
}
