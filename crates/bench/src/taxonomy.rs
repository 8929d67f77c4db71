//! Made releases of a taxonomy in the NCBI dump format: no two real ones may be shipped, and they are what the delta
//! load is for. The shape is that of 2022-07 (2.43 M taxa, 1.2 M other names); about 1 % differs between neighbours.

mod text;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use text::Text;

/// Taxa of the release of 2022-07-01.
pub(crate) const FULL_SIZE: usize = 2_428_522;

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

/// Ranks of species and below; a taxon without rank below one of them is a strain.
const SPECIES_AND_BELOW: [&str; 14] = [
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

/// Ranks that say nothing of the height.
const NON_HIERARCHICAL: [&str; 2] = ["no rank", "clade"];

const ROOT: u32 = 1;

/// What a delta load of one version must report, after the versions before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Taxa listed.
    pub nodes: usize,
    /// Edges listed, the root's to itself left out.
    pub edges: usize,
    /// Taxa that no version listed before.
    pub new: usize,
    /// Taxa that an earlier version listed and the last one did not.
    pub reappeared: usize,
    /// Taxa listed before and now whose document differs; the order of other names makes no difference.
    pub changed: usize,
    /// Taxa listed before and not now, merged ones among them.
    pub gone: usize,
    /// Of the gone, those that `merged.dmp` says became another.
    pub merged: usize,
    /// Taxa listed before and now under another parent: one edge gone and one new each.
    pub moved: usize,
    /// Edges (child, parent) that no version listed before.
    pub edges_new: usize,
    /// Edges that an earlier version listed and the last one did not.
    pub edges_reappeared: usize,
    /// Edges listed before and not now.
    pub edges_gone: usize,
}

impl Expected {
    /// The counts as one line of JSON, for peers in other languages.
    fn json(&self, version: &str) -> String {
        format!(
            "{{\"version\":\"{version}\",\"nodes\":{},\"edges\":{},\"new\":{},\"reappeared\":{},\"changed\":{},\
             \"gone\":{},\"merged\":{},\"moved\":{},\"edges_new\":{},\"edges_reappeared\":{},\"edges_gone\":{}}}",
            self.nodes,
            self.edges,
            self.new,
            self.reappeared,
            self.changed,
            self.gone,
            self.merged,
            self.moved,
            self.edges_new,
            self.edges_reappeared,
            self.edges_gone,
        )
    }
}

/// Writes versions v1, v2 and v3 into folders of these names, each `nodes.dmp`, `names.dmp`, `merged.dmp` and
/// `delnodes.dmp`, and `expected.jsonl` beside them. The same seed and size give the same bytes.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn write(dir: &Path, seed: u64, nodes: usize) -> io::Result<[Expected; 3]> {
    let mut draws = Draws(seed);
    let mut expected = [Expected::default(), Expected::default(), Expected::default()];
    let mut lines = String::new();
    let mut earlier = Earlier::default();
    let mut release = Release::default();
    for (number, counts) in expected.iter_mut().enumerate() {
        let version = format!("v{}", number + 1);
        let next = if number == 0 { Release::first(nodes, &mut draws) } else { release.next(&mut draws) };
        *counts = earlier.compare(&release, &next);
        release = next;
        release.write(&dir.join(&version))?;
        lines.push_str(&counts.json(&version));
        lines.push('\n');
    }
    fs::write(dir.join("expected.jsonl"), lines)?;
    Ok(expected)
}

/// A random stream (splitmix64): small, and the same on every machine.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Below `end`; 0 of an empty range.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn salt(&mut self) -> u32 {
        self.next() as u32
    }
}

/// The finaliser of splitmix64.
fn mix(mut draw: u64) -> u64 {
    draw = (draw ^ (draw >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    draw = (draw ^ (draw >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    draw ^ (draw >> 31)
}

/// One taxon; its texts are drawn from the salts when they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Taxon {
    parent: u32,
    rank: &'static str,
    /// Of the first word of the name, which species share with their genus.
    stem: u32,
    /// Of the rest of the name.
    salt: u32,
    gencode: u8,
    /// Number of other names.
    n_others: u8,
    others_salt: u32,
    /// Turns the order of the names and picks fields that no loader reads: noise that is no change.
    noise: u8,
}

#[derive(Clone, Default)]
struct Release {
    /// By id; ids without a taxon were merged, deleted or never given.
    taxa: Vec<Option<Taxon>>,
    merged: BTreeMap<u32, u32>,
    deleted: BTreeSet<u32>,
    /// Taxa of the release before that are none now.
    lately_gone: Vec<u32>,
}

impl Release {
    fn first(n: usize, draws: &mut Draws) -> Self {
        let (n_merged, n_deleted) = (n * 29 / 1000, n * 206 / 1000);
        let ids = ids(n, n + n_merged + n_deleted, draws);
        let made = tree(n, draws);
        let mut release = Release { taxa: vec![None; n + n_merged + n_deleted + 1], ..Release::default() };
        for (mut taxon, &id) in made.into_iter().zip(&ids) {
            taxon.parent = ids[taxon.parent as usize];
            release.taxa[id as usize] = Some(taxon);
        }
        for id in 1..release.taxa.len() as u32 {
            if release.taxa[id as usize].is_some() {
                continue;
            }
            if draws.below(n_merged + n_deleted) < n_merged {
                release.merged.insert(id, ids[draws.below(n)]);
            } else {
                release.deleted.insert(id);
            }
        }
        release
    }

    fn taxon(&self, id: u32) -> Option<&Taxon> {
        self.taxa.get(id as usize)?.as_ref()
    }

    fn live(&self) -> impl Iterator<Item = (u32, &Taxon)> {
        self.taxa.iter().enumerate().filter_map(|(id, taxon)| Some((id as u32, taxon.as_ref()?)))
    }

    /// The next release: about 1 % of the taxa differ.
    fn next(&self, draws: &mut Draws) -> Self {
        let mut change = Change::new(self.clone(), draws);
        let n = change.live.len();
        change.reappear(n / 20_000);
        change.remove(n / 2_000, n / 2_000);
        change.create(n / 285);
        change.move_some(n / 700);
        change.edit(n / 285);
        change.release
    }

    /// By id: whether the taxon is a strain without rank of its own, below a species.
    fn strains(&self) -> Vec<bool> {
        let mut known: Vec<Option<bool>> = vec![None; self.taxa.len()];
        let mut path = Vec::new();
        for (id, _) in self.live() {
            let mut at = id;
            let below = loop {
                let Some(taxon) = self.taxon(at) else { break false };
                if !NON_HIERARCHICAL.contains(&taxon.rank) {
                    break SPECIES_AND_BELOW.contains(&taxon.rank);
                }
                if let Some(known) = known[at as usize] {
                    break known;
                }
                path.push(at);
                if at == taxon.parent {
                    break false;
                }
                at = taxon.parent;
            };
            path.drain(..).for_each(|id| known[id as usize] = Some(below));
        }
        known.into_iter().map(|known| known.unwrap_or(false)).collect()
    }

    fn write(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        let file = |name| File::create(dir.join(name)).map(|file| BufWriter::with_capacity(1 << 20, file));
        let (mut nodes, mut names) = (file("nodes.dmp")?, file("names.dmp")?);
        let mut text = Text::default();
        for (id, taxon) in self.live() {
            nodes.write_all(text.node(id, taxon))?;
            names.write_all(text.names(id, taxon))?;
        }
        nodes.flush()?;
        names.flush()?;
        let mut merged = file("merged.dmp")?;
        for (old, new) in &self.merged {
            writeln!(merged, "{old}\t|\t{new}\t|")?;
        }
        merged.flush()?;
        let mut deleted = file("delnodes.dmp")?;
        for id in &self.deleted {
            writeln!(deleted, "{id}\t|")?;
        }
        deleted.flush()
    }
}

/// Ids of the first `n` taxa, the root's first, among `1..=end`: mostly in order of making, so that parents tend to
/// have smaller ids, but not always.
fn ids(n: usize, end: usize, draws: &mut Draws) -> Vec<u32> {
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
fn tree(n: usize, draws: &mut Draws) -> Vec<Taxon> {
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
    fn child(rank: &'static str, parent: u32, of: &Taxon, draws: &mut Draws) -> Self {
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

/// The work from one release to the next.
struct Change<'a> {
    release: Release,
    draws: &'a mut Draws,
    /// Ids live before.
    live: Vec<u32>,
    n_children: Vec<u32>,
}

impl<'a> Change<'a> {
    fn new(release: Release, draws: &'a mut Draws) -> Self {
        let live: Vec<u32> = release.live().map(|(id, _)| id).collect();
        let mut n_children = vec![0; release.taxa.len()];
        release.live().for_each(|(_, taxon)| n_children[taxon.parent as usize] += 1);
        Change { release, draws, live, n_children }
    }

    /// A taxon that lived before, lives still, and that `accept` takes.
    fn pick(&mut self, accept: impl Fn(&Taxon, bool) -> bool) -> Option<(u32, Taxon)> {
        for _ in 0..10_000 {
            let id = self.live[self.draws.below(self.live.len())];
            let is_leaf = self.n_children[id as usize] == 0;
            if let Some(taxon) = self.release.taxon(id)
                && id != ROOT
                && accept(taxon, is_leaf)
            {
                return Some((id, *taxon));
            }
        }
        None
    }

    fn put(&mut self, id: u32, taxon: Taxon) {
        let end = self.release.taxa.len().max(id as usize + 1);
        self.release.taxa.resize(end, None);
        self.n_children.resize(end, 0);
        if let Some(before) = self.release.taxa[id as usize].replace(taxon) {
            self.n_children[before.parent as usize] -= 1;
        }
        self.n_children[taxon.parent as usize] += 1;
    }

    /// Deletes and merges leaves. `merged.dmp` stays flat, as NCBI's: a target that goes takes its rows along.
    fn remove(&mut self, n_deleted: usize, n_merged: usize) {
        let mut removed = BTreeMap::new();
        for number in 0..n_deleted + n_merged {
            let Some((id, taxon)) = self.pick(|_, is_leaf| is_leaf) else { return };
            self.release.taxa[id as usize] = None;
            self.n_children[taxon.parent as usize] -= 1;
            let target = if number < n_deleted { None } else { self.pick(|other, _| other.rank == taxon.rank) };
            removed.insert(id, target.map(|(target, _)| target));
        }
        self.release.lately_gone = removed.keys().copied().collect();
        let rows: Vec<_> = self.release.merged.iter().map(|(&old, &new)| (old, Some(new))).collect();
        for (old, target) in rows.into_iter().chain(removed.iter().map(|(&old, &new)| (old, new))) {
            let mut target = target;
            while let Some(next) = target.and_then(|target| removed.get(&target)) {
                target = *next;
            }
            match target {
                Some(target) => {
                    self.release.merged.insert(old, target);
                }
                None => {
                    self.release.merged.remove(&old);
                    self.release.deleted.insert(old);
                }
            }
        }
    }

    /// Deleted and merged ids that are taxa again, half of them gone only since the release before.
    fn reappear(&mut self, n: usize) {
        let mut lately = std::mem::take(&mut self.release.lately_gone);
        let mut ids: Vec<u32> = self.release.deleted.iter().chain(self.release.merged.keys()).copied().collect();
        for number in 0..n {
            let from = if number % 2 == 0 && !lately.is_empty() { &mut lately } else { &mut ids };
            let id = from.swap_remove(self.draws.below(from.len()));
            let Some((_, pattern)) = self.pick(|_, is_leaf| is_leaf) else { return };
            if self.release.taxon(id).is_none() {
                self.release.deleted.remove(&id);
                self.release.merged.remove(&id);
                let salt = self.draws.salt();
                self.put(id, Taxon { salt, ..pattern });
            }
        }
    }

    /// New taxa at the end of the ids, mostly beside leaves, some under new genera.
    fn create(&mut self, n: usize) {
        let mut genus: Option<(u32, Taxon)> = None;
        for _ in 0..n {
            let id = (self.release.taxa.len() + self.draws.below(3)) as u32;
            let salt = self.draws.salt();
            let kind = self.draws.below(20);
            let taxon = match &genus {
                Some((parent, genus)) if kind < 3 => Taxon::child("species", *parent, genus, self.draws),
                _ if kind < 4 => {
                    let Some((_, pattern)) = self.pick(|taxon, _| taxon.rank == "genus") else { return };
                    let made = Taxon { stem: salt, salt, ..pattern };
                    genus = Some((id, made));
                    made
                }
                _ => {
                    let Some((_, pattern)) = self.pick(|_, is_leaf| is_leaf) else { return };
                    Taxon { salt, others_salt: salt, ..pattern }
                }
            };
            self.put(id, taxon);
        }
    }

    /// Moves leaves and genera to the parent of another of their rank. Genera go below a rank only: a taxon without rank
    /// could stand below the genus itself. The only one of its rank stays.
    fn move_some(&mut self, n: usize) {
        for number in 0..n {
            let moved = match number % 20 {
                0 => self.pick(|taxon, _| taxon.rank == "genus"),
                _ => self.pick(|_, is_leaf| is_leaf),
            };
            let Some((id, taxon)) = moved else { return };
            let Some((_, beside)) = self.pick(|other, _| other.rank == taxon.rank) else { continue };
            let parent_rank = self.release.taxon(beside.parent).map(|parent| parent.rank);
            if taxon.rank == "genus" && parent_rank.is_none_or(|rank| NON_HIERARCHICAL.contains(&rank)) {
                continue;
            }
            if beside.parent != id {
                self.put(id, Taxon { parent: beside.parent, ..taxon });
            }
        }
    }

    /// Renames, other names, ranks and genetic codes; and as many lines again that differ in nothing a loader reads.
    fn edit(&mut self, n: usize) {
        for number in 0..n * 2 {
            let Some((id, before)) = self.pick(|_, _| true) else { return };
            let mut taxon = before;
            let salt = self.draws.salt();
            match number % 40 {
                0..=8 => (taxon.salt, taxon.n_others) = (salt, before.n_others.saturating_add(1)),
                9 => (taxon.stem, taxon.salt) = (salt, salt),
                10..=14 => taxon.n_others = before.n_others.saturating_add(1),
                15 => taxon.n_others = before.n_others.saturating_sub(1),
                16 => taxon.others_salt = salt,
                17 | 18 => taxon.rank = other_rank(before.rank),
                19 => taxon.gencode = [1, 4, 11, 25][self.draws.below(4)],
                _ => taxon.noise = salt as u8,
            }
            self.put(id, taxon);
        }
    }
}

/// Re-ranking as curators do it: about as high as before, so that no tree is turned over.
fn other_rank(rank: &'static str) -> &'static str {
    match rank {
        "species" => "subspecies",
        "subspecies" => "species",
        "no rank" => "strain",
        "strain" => "no rank",
        "genus" => "subgenus",
        "family" => "superfamily",
        other => other,
    }
}

/// What versions before the last one listed and the last did not.
#[derive(Default)]
struct Earlier {
    nodes: HashSet<u32>,
    edges: HashSet<(u32, u32)>,
}

impl Earlier {
    /// Counts what the version changes, then remembers what it let go.
    fn compare(&mut self, before: &Release, now: &Release) -> Expected {
        let mut counts = Expected::default();
        let (was_strain, is_strain) = (before.strains(), now.strains());
        let mut text = Text::default();
        for (id, taxon) in now.live() {
            let old = before.taxon(id);
            counts.nodes += 1;
            match old {
                Some(old) => {
                    let same = was_strain[id as usize] == is_strain[id as usize] && text.same_document(old, taxon);
                    counts.changed += usize::from(!same);
                }
                None if self.nodes.contains(&id) => counts.reappeared += 1,
                None => counts.new += 1,
            }
            if taxon.parent == id {
                continue;
            }
            counts.edges += 1;
            counts.moved += usize::from(old.is_some_and(|old| old.parent != taxon.parent));
            if old.is_none_or(|old| old.parent != taxon.parent) {
                let lived = self.edges.contains(&(id, taxon.parent));
                *(if lived { &mut counts.edges_reappeared } else { &mut counts.edges_new }) += 1;
            }
        }
        for (id, old) in before.live() {
            let taxon = now.taxon(id);
            if taxon.is_none() {
                counts.gone += 1;
                counts.merged += usize::from(now.merged.contains_key(&id));
                self.nodes.insert(id);
            }
            if taxon.is_none_or(|taxon| taxon.parent != old.parent) {
                counts.edges_gone += 1;
                self.edges.insert((id, old.parent));
            }
        }
        counts
    }
}
