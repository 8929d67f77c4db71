//! Ranks of taxa, and what they say of species.

use rustc_hash::FxHashMap;
use timeweft_graph::{Name, Sink};

/// Say nothing of the place in the hierarchy.
const FREE: [&str; 2] = ["clade", "no rank"];

/// Species and below.
const LOW: [&str; 14] = [
    "species",
    "forma specialis",
    "subspecies",
    "varietas",
    "morph",
    "subvariety",
    "forma",
    "serogroup",
    "pathogroup",
    "serotype",
    "biotype",
    "genotype",
    "strain",
    "isolate",
];

/// Above the species.
const HIGH: [&str; 31] = [
    "superkingdom",
    "kingdom",
    "subkingdom",
    "superphylum",
    "phylum",
    "subphylum",
    "infraphylum",
    "superclass",
    "class",
    "subclass",
    "infraclass",
    "cohort",
    "subcohort",
    "superorder",
    "order",
    "suborder",
    "infraorder",
    "parvorder",
    "superfamily",
    "family",
    "subfamily",
    "tribe",
    "subtribe",
    "genus",
    "subgenus",
    "section",
    "subsection",
    "series",
    "subseries",
    "species group",
    "species subgroup",
];

/// The ranks met so far; each has a number.
pub(super) struct Ranks {
    names: Vec<Name>,
    numbers: FxHashMap<Box<[u8]>, u8>,
    /// Line of the first taxon and number of taxa, of each rank behind the known ones.
    unknown: Vec<(u64, u64)>,
}

const KNOWN: usize = FREE.len() + LOW.len() + HIGH.len();

impl Default for Ranks {
    fn default() -> Self {
        let names: Vec<Name> = FREE.iter().chain(&LOW).chain(&HIGH).map(|name| Name::from(*name)).collect();
        let numbers = (0..).zip(&names).map(|(number, name)| (name.as_bytes().into(), number)).collect();
        Ranks { names, numbers, unknown: Vec::new() }
    }
}

impl Ranks {
    /// The number of a rank.
    pub(super) fn number(&mut self, name: &[u8], line: u64) -> Result<u8, String> {
        let number = match self.numbers.get(name) {
            Some(known) => *known,
            None => self.add(name, line)?,
        };
        if let Some(unknown) = usize::from(number).checked_sub(KNOWN).and_then(|at| self.unknown.get_mut(at)) {
            unknown.1 += 1;
        }
        Ok(number)
    }

    fn add(&mut self, name: &[u8], line: u64) -> Result<u8, String> {
        let text = crate::text::encoding::utf8(name)?;
        if text.is_empty() {
            return Err("the taxon has an empty rank".into());
        }
        let number =
            u8::try_from(self.names.len()).map_err(|_| format!("rank `{text}`: there are 256 others already"))?;
        self.names.push(text.into());
        self.numbers.insert(name.into(), number);
        self.unknown.push((line, 0));
        Ok(number)
    }

    pub(super) fn name(&self, number: u8) -> &str {
        self.names.get(usize::from(number)).map_or("", |name| name)
    }

    /// Whether the rank says nothing of the place in the hierarchy.
    pub(super) fn is_free(&self, number: u8) -> bool {
        usize::from(number) < FREE.len()
    }

    /// Whether the rank is the species or below it.
    pub(super) fn is_low(&self, number: u8) -> bool {
        (FREE.len()..FREE.len() + LOW.len()).contains(&usize::from(number))
    }

    /// Tells every rank that is not known, once.
    pub(super) fn warn(&self, sink: &mut dyn Sink) {
        for (name, (line, taxa)) in self.names[KNOWN..].iter().zip(&self.unknown) {
            let message = format!("rank `{name}` is not a known one ({taxa} taxa): kept, and taken for a high rank");
            sink.warn(*line, message);
        }
    }
}
