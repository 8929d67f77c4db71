//! Lines of the dumps, drawn from the salts of a taxon.

use super::{SPECIES_AND_BELOW, Taxon, mix};

const SYLLABLES: [&str; 32] = [
    "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "za", "bre", "cli", "dro",
    "pha", "the", "chi", "rho", "sty", "an", "er", "is", "on", "um", "ar", "el", "ith", "os",
];

/// Classes of other names, about as often as NCBI has them.
const CLASSES: [&str; 24] = [
    "authority",
    "authority",
    "authority",
    "authority",
    "authority",
    "authority",
    "authority",
    "authority",
    "authority",
    "authority",
    "type material",
    "type material",
    "type material",
    "type material",
    "synonym",
    "synonym",
    "synonym",
    "synonym",
    "synonym",
    "equivalent name",
    "includes",
    "genbank common name",
    "common name",
    "acronym",
];

const AUTHORS: [&str; 8] =
    ["Linnaeus", "Müller", "(L.) Mill.", "Kützing", "Walker", "d'Orbigny", "Smith & Jones", "Löffler"];

/// What a loader keeps of a taxon, beside its strain flags.
#[derive(PartialEq, Eq)]
struct Document {
    rank: &'static str,
    gencode: u8,
    name: Vec<u8>,
    /// Class and name, sorted: their order in the file means nothing.
    others: Vec<(&'static str, Vec<u8>)>,
}

/// Writes lines into one buffer again and again.
#[derive(Default)]
pub(super) struct Text {
    line: Vec<u8>,
}

impl Text {
    /// The line of `nodes.dmp`, all 13 fields.
    pub(super) fn node(&mut self, id: u32, taxon: &Taxon) -> &[u8] {
        let is_low = SPECIES_AND_BELOW.contains(&taxon.rank);
        let hidden = usize::from(taxon.noise & 1);
        self.line.clear();
        self.number(u64::from(id));
        self.field("");
        self.number(u64::from(taxon.parent));
        self.field(taxon.rank);
        self.field(if is_low { initials(taxon.stem) } else { "" });
        let division = ["0", "1", "2", "4", "9"][taxon.stem as usize % 5];
        self.field(division);
        self.field("1");
        self.field("");
        self.number(u64::from(taxon.gencode));
        self.field("1");
        self.field("0");
        self.field("1");
        self.field(["0", "1"][hidden]);
        self.field("0");
        self.field(["", "code compliant", "code compliant; specified", "uncultured"][usize::from(taxon.noise >> 6)]);
        self.end();
        &self.line
    }

    /// The lines of `names.dmp`: the scientific name somewhere among the others.
    pub(super) fn names(&mut self, id: u32, taxon: &Taxon) -> &[u8] {
        self.line.clear();
        let n = usize::from(taxon.n_others) + 1;
        for row in 0..n {
            let which = (row + usize::from(taxon.noise)) % n;
            self.number(u64::from(id));
            self.field("");
            let start = self.line.len();
            let class = if which == 0 {
                self.scientific(taxon);
                "scientific name"
            } else {
                self.other(taxon, which as u64)
            };
            let end = self.line.len();
            self.field("");
            // The unique name, which sets homonyms apart; nobody may read it as the name.
            if which == 0 && taxon.salt % 64 == 1 {
                self.line.extend_from_within(start..end);
                self.text(" <homonym>");
            }
            self.field(class);
            self.end();
        }
        &self.line
    }

    /// Whether two taxa have the same document, strain flags aside.
    pub(super) fn same_document(&mut self, a: &Taxon, b: &Taxon) -> bool {
        let drawn = |taxon: &Taxon| Taxon { parent: 0, noise: 0, ..*taxon };
        drawn(a) == drawn(b) || self.document(a) == self.document(b)
    }

    fn document(&mut self, taxon: &Taxon) -> Document {
        self.line.clear();
        self.scientific(taxon);
        let name = std::mem::take(&mut self.line);
        let mut others = Vec::new();
        for which in 1..=u64::from(taxon.n_others) {
            let class = self.other(taxon, which);
            others.push((class, std::mem::take(&mut self.line)));
        }
        others.sort_unstable();
        Document { rank: taxon.rank, gencode: taxon.gencode, name, others }
    }

    fn scientific(&mut self, taxon: &Taxon) {
        let draw = mix(u64::from(taxon.salt));
        match taxon.rank {
            "no rank" if taxon.stem == 0 => return self.text("root"),
            "no rank" if draw.is_multiple_of(10) => self.text("environmental samples "),
            "no rank" if draw % 10 < 5 => self.text("unclassified "),
            "species" if draw.is_multiple_of(16) => self.text("uncultured "),
            _ => {}
        }
        self.capital_word(mix(u64::from(taxon.stem)));
        match taxon.rank {
            "no rank" | "clade" => {}
            "family" | "superfamily" => return self.text("idae"),
            "order" | "suborder" => return self.text("ales"),
            rank if !SPECIES_AND_BELOW.contains(&rank) => return,
            _ => {}
        }
        let code = draw >> 20;
        if taxon.rank != "species" || draw % 100 < 45 {
            self.text(" ");
            self.word(draw >> 8);
        } else {
            // Half of all species have no name but a code.
            self.text([" sp. BOLD:", " sp. ", " cf. ", " sp. 'lake' "][(draw >> 8) as usize % 4]);
            self.code(code);
        }
        match taxon.rank {
            "subspecies" => self.text(" subsp. "),
            "varietas" => self.text(" var. "),
            "forma specialis" => self.text(" f. sp. "),
            "strain" | "no rank" => {
                self.text(" str. ");
                return self.code(code);
            }
            _ => return,
        }
        self.word(mix(draw));
    }

    /// Other name number `which`; returns its class.
    fn other(&mut self, taxon: &Taxon, which: u64) -> &'static str {
        let draw = mix(u64::from(taxon.others_salt) << 8 | which);
        let class = CLASSES[(draw % CLASSES.len() as u64) as usize];
        let code = draw >> 24;
        match class {
            "authority" => {
                if draw & 256 == 0 {
                    self.text("\"");
                }
                self.capital_word(mix(u64::from(taxon.stem)));
                self.text(" ");
                self.word(code);
                if draw & 256 == 0 {
                    self.text("\"");
                }
                self.text(" ");
                self.text(AUTHORS[(draw >> 9) as usize % AUTHORS.len()]);
                self.text(", ");
                self.number(1753 + (draw >> 12) % 270);
            }
            "type material" => {
                self.text(["ATCC ", "CBS:", "holotype: USNM ", "DSM "][(draw >> 9) as usize % 4]);
                self.number(code % 1_000_000_000);
            }
            "genbank common name" | "common name" => {
                self.word(code);
                self.text(" ");
                self.word(mix(draw));
            }
            "acronym" => self.code(code),
            _ => {
                self.capital_word(mix(code));
                self.text(" ");
                self.word(code);
            }
        }
        class
    }

    fn word(&mut self, draw: u64) {
        for syllable in 0..3 + draw % 3 {
            self.text(SYLLABLES[(draw >> (3 + 5 * syllable)) as usize % SYLLABLES.len()]);
        }
    }

    fn capital_word(&mut self, draw: u64) {
        let start = self.line.len();
        self.word(draw);
        self.line[start..].iter_mut().take(1).for_each(u8::make_ascii_uppercase);
    }

    fn code(&mut self, draw: u64) {
        let letters = [0, 5, 10].map(|bits| b'A' + ((draw >> bits) % 26) as u8);
        self.line.extend(letters);
        self.number((draw >> 15) % 1_000_000);
    }

    fn text(&mut self, text: &str) {
        self.line.extend_from_slice(text.as_bytes());
    }

    /// Ends the field before and begins one with this text.
    fn field(&mut self, text: &str) {
        self.text("\t|\t");
        self.text(text);
    }

    fn end(&mut self) {
        self.text("\t|\n");
    }

    fn number(&mut self, mut number: u64) {
        let start = self.line.len();
        loop {
            self.line.push(b'0' + (number % 10) as u8);
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.line[start..].reverse();
    }
}

fn initials(stem: u32) -> &'static str {
    ["AC", "BA", "CG", "DT", "EC", "HS", "MM", "SC"][stem as usize % 8]
}
