//! The first release: how many taxa of which rank stand below which.

use std::collections::BTreeMap;

use super::{Draws, NON_HIERARCHICAL, SPECIES_AND_BELOW, Taxon};

/// Rank, number at full size, and ranks of the parents: the first for most, the others alike for the rest. A taxon's
/// parent is made before it, so the order of the bands is what keeps the tree free of cycles.
const BANDS: [(&str, usize, &[&str]); 50] = [
    ("superkingdom", 4, &["no rank"]),
    ("kingdom", 13, &["superkingdom"]),
    ("subkingdom", 1, &["kingdom"]),
    ("clade", 930, &["clade", "superkingdom", "kingdom", "subkingdom"]),
    ("superphylum", 1, &["superkingdom"]),
    ("phylum", 300, &["kingdom", "clade", "superkingdom", "superphylum"]),
    ("subphylum", 32, &["phylum"]),
    ("infraphylum", 2, &["subphylum"]),
    ("superclass", 6, &["subphylum", "phylum"]),
    ("class", 470, &["phylum", "clade", "subphylum", "superclass", "infraphylum"]),
    ("subclass", 166, &["class"]),
    ("infraclass", 19, &["subclass"]),
    ("cohort", 5, &["infraclass"]),
    ("subcohort", 3, &["cohort"]),
    ("superorder", 58, &["subclass", "infraclass", "subcohort"]),
    ("order", 1_750, &["class", "subclass", "superorder", "clade"]),
    ("suborder", 370, &["order"]),
    ("infraorder", 131, &["suborder"]),
    ("parvorder", 26, &["infraorder"]),
    ("superfamily", 890, &["suborder", "infraorder", "parvorder", "order"]),
    ("family", 9_900, &["order", "superfamily", "suborder"]),
    ("subfamily", 3_260, &["family"]),
    ("tribe", 2_300, &["subfamily", "family"]),
    ("subtribe", 590, &["tribe"]),
    ("no rank", 105_000, &["family", "order", "subfamily", "no rank", "class"]),
    ("genus", 102_000, &["family", "subfamily", "tribe", "subtribe", "no rank"]),
    ("subgenus", 1_780, &["genus"]),
    ("section", 520, &["genus", "subgenus"]),
    ("subsection", 41, &["section"]),
    ("series", 9, &["section", "subsection"]),
    ("subseries", 1, &["series"]),
    ("species group", 350, &["genus", "subgenus"]),
    ("species subgroup", 134, &["species group"]),
    ("no rank", 20_000, &["genus"]),
    ("species", 1_984_066, &["genus", "no rank", "subgenus", "species group", "species subgroup", "family"]),
    ("forma specialis", 750, &["species"]),
    ("subspecies", 26_925, &["species"]),
    ("varietas", 9_500, &["species", "subspecies"]),
    ("morph", 12, &["species"]),
    ("subvariety", 1, &["varietas"]),
    ("forma", 680, &["species", "varietas"]),
    ("serogroup", 143, &["species"]),
    ("pathogroup", 5, &["species"]),
    ("serotype", 1_234, &["species", "serogroup"]),
    ("biotype", 17, &["species", "serotype"]),
    ("genotype", 21, &["species"]),
    ("strain", 45_139, &["species", "subspecies", "serotype"]),
    ("isolate", 1_320, &["species"]),
    ("clade", 60, &["species", "genotype"]),
    ("no rank", 106_800, &["species", "subspecies", "no rank", "strain", "clade"]),
];

/// Ids of the first `n` taxa, the root's first, among `1..=end`: mostly in order of making, so that parents tend to
/// have smaller ids, but not always.
pub(super) fn ids(n: usize, end: usize, draws: &mut Draws) -> Vec<u32> {
    let mut left = n;
    let mut ids = Vec::with_capacity(n);
    for id in 1..=end {
        if left > 0 && (id == 1 || draws.below(end + 1 - id) < left) {
            ids.push(id as u32);
            left -= 1;
        }
    }
    for _ in 0..n / 10 {
        let (a, b) = (1 + draws.below(n - 1), 1 + draws.below(n - 1));
        ids.swap(a, b);
    }
    ids
}

/// The tree, band by band; parents are numbers in order of making.
pub(super) fn grow(n: usize, draws: &mut Draws) -> Vec<Taxon> {
    let root =
        Taxon { parent: 0, rank: "no rank", stem: 0, salt: 0, gencode: 1, n_others: 0, others_salt: 0, noise: 0 };
    let mut made = vec![root];
    let mut by_rank: BTreeMap<&str, Vec<u32>> = BTreeMap::from([("no rank", vec![0])]);
    let total: usize = BANDS.iter().map(|(_, count, _)| count).sum();
    for (rank, count, parents) in BANDS {
        let count = (count * n / total).max(1);
        if rank == "clade" && !by_rank.contains_key(rank) {
            by_rank.insert(rank, by_rank["superkingdom"].clone());
        }
        let before = made.len() as u32;
        for _ in 0..count {
            if made.len() == n {
                return made;
            }
            let number = made.len() as u32;
            let parent = if draws.chance(0.85) { parents[0] } else { parents[draws.below(parents.len())] };
            let choices = &by_rank[parent];
            // Few taxa have very many children: a cubed draw prefers the first of a rank.
            let parent = choices[(draws.fraction().powi(3) * choices.len() as f64) as usize];
            made.push(Taxon::child(rank, parent, &made[parent as usize], draws));
            // Ranks that nest in themselves become parents at once, the others when their band is done.
            if NON_HIERARCHICAL.contains(&rank) && draws.chance(0.2) {
                by_rank.entry(rank).or_default().push(number);
            }
        }
        if !NON_HIERARCHICAL.contains(&rank) {
            by_rank.entry(rank).or_default().extend(before..made.len() as u32);
        } else if by_rank.get(rank).is_none_or(|numbers| numbers.last().is_none_or(|&last| last < before)) {
            by_rank.entry(rank).or_default().push(before);
        }
    }
    while made.len() < n {
        let choices = &by_rank["genus"];
        let parent = choices[draws.below(choices.len())];
        made.push(Taxon::child("species", parent, &made[parent as usize], draws));
    }
    made
}

impl Taxon {
    pub(super) fn child(rank: &'static str, parent: u32, of: &Taxon, draws: &mut Draws) -> Self {
        let shares_word = SPECIES_AND_BELOW.contains(&rank) || (rank == "no rank" && draws.chance(0.7));
        let gencode = match rank {
            "superkingdom" => [11, 1][draws.below(2)],
            _ if draws.chance(0.001) => [1, 4, 5, 6, 11, 12, 25][draws.below(7)],
            _ => of.gencode,
        };
        // Half a name each on average, 18 at most.
        let mut n_others = 0;
        while n_others < 18 && draws.chance(if n_others == 0 { 0.29 } else { 0.42 }) {
            n_others += 1;
        }
        Taxon {
            parent,
            rank,
            stem: if shares_word { of.stem } else { draws.salt() },
            salt: draws.salt(),
            gencode,
            n_others,
            others_salt: draws.salt(),
            noise: draws.next() as u8,
        }
    }
}
