//! Made releases of a taxonomy in the NCBI dump format: no two real ones may be shipped, and they are what the delta
//! load is for. The shape is that of 2022-07 (2.43 M taxa, 1.2 M other names); about 1 % differs between neighbors.

mod change;
mod text;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use change::Change;
use text::Text;

/// Taxa of the release of 2022-07-01.
pub(crate) const FULL_SIZE: usize = 2_428_522;

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
        let ids = tree::ids(n, n + n_merged + n_deleted, draws);
        let made = tree::grow(n, draws);
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
