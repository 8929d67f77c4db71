//! Commits become events.

use gix::bstr::{BStr, BString, ByteSlice};
use gix::{Commit, ObjectId, Repository};
use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{
    Action, DType, Dense, EdgeKey, Element, Event, FeatureDef, FeatureKind, Features, ListOrder, Name, NodeKey,
    NodeTypeId, Numbers, Owner, Place, Reason, Reject, Schema, Time, TimeUnit, Value,
};

use super::change::{Change, Changes, Kind, is_file};
use super::{GitBaseline, GitHistory};

/// The events so far and what is alive at their end.
pub(super) struct Recorder<'repo> {
    repository: &'repo Repository,
    records: Vec<(Event, Place)>,
    rejects: Vec<Reject>,
    now: Option<Time>,
    commits: FxHashSet<ObjectId>,
    /// Authors by email, with the name that they go by now.
    authors: FxHashMap<String, String>,
    /// What each file holds.
    files: FxHashMap<String, ObjectId>,
}

/// What all events of one commit share.
struct Moment {
    time: Time,
    place: Place,
}

/// Who made a commit.
struct Maker {
    author: NodeKey,
    commit: NodeKey,
    /// Key of the edits of this commit.
    short: Name,
}

impl<'repo> Recorder<'repo> {
    pub(super) fn new(repository: &'repo Repository, known: &GitBaseline) -> Recorder<'repo> {
        let blob = |(path, blob): (&String, &String)| Some((path.clone(), object_id(blob)?));
        Recorder {
            repository,
            records: Vec::new(),
            rejects: Vec::new(),
            now: known.now,
            commits: known.commit_ids(),
            authors: known.authors.clone(),
            files: known.files.iter().filter_map(blob).collect(),
        }
    }

    pub(super) fn add(
        &mut self,
        commit: &Commit<'_>,
        parents: &[ObjectId],
        changes: Changes,
    ) -> Result<(), gix::Error> {
        let moment = self.moment(commit)?;
        let maker = self.maker(&moment, commit)?;
        let subject = commit.message()?.summary().to_str_lossy().into_owned();
        self.node(&moment, Action::Create, &maker.commit, vec![text("subject", &subject)]);
        self.edge(&moment, &maker.author, "authored", &maker.commit, None, Vec::new());
        for parent in parents.iter().filter(|parent| self.commits.contains(*parent)).copied().collect::<Vec<_>>() {
            let parent = NodeKey::new("commit", parent.to_string().as_str());
            self.edge(&moment, &maker.commit, "parent", &parent, None, Vec::new());
        }
        self.commits.insert(commit.id);
        self.add_changes(&moment, &maker, changes);
        Ok(())
    }

    /// Brings the files to the tree of a commit that is not told, and gives how many were other. No author touched them.
    pub(super) fn begin(&mut self, commit: &Commit<'_>) -> Result<usize, gix::Error> {
        let moment = self.moment(commit)?;
        let entries = files_of(commit)?.into_iter();
        let tree = entries.filter_map(|(path, blob)| Some((self.path(&moment, path.as_ref())?, blob))).collect();
        Ok(self.settle(&moment, tree))
    }

    /// The same for the tree of `HEAD` in the end. Paths that cannot be read were told with the commits that made them.
    pub(super) fn end(&mut self, head: &Commit<'_>) -> Result<usize, gix::Error> {
        let moment = self.moment(head)?;
        let entries = files_of(head)?.into_iter();
        let tree = entries.filter_map(|(path, blob)| Some((path.to_str().ok()?.to_owned(), blob))).collect();
        Ok(self.settle(&moment, tree))
    }

    fn settle(&mut self, moment: &Moment, tree: FxHashMap<String, ObjectId>) -> usize {
        let mut gone: Vec<String> = self.files.keys().filter(|path| !tree.contains_key(*path)).cloned().collect();
        gone.sort_unstable();
        gone.iter().for_each(|path| _ = self.delete(moment, path));
        let mut other: Vec<_> = tree.into_iter().filter(|(path, blob)| self.files.get(path) != Some(blob)).collect();
        other.sort_unstable();
        other.iter().for_each(|(path, blob)| self.write(moment, path, *blob));
        gone.len() + other.len()
    }

    fn moment(&mut self, commit: &Commit<'_>) -> Result<Moment, gix::Error> {
        let committed = Time(commit.committer()?.seconds());
        let time = self.now.map_or(committed, |now| now.max(committed));
        self.now = Some(time);
        Ok(Moment { time, place: Place { file: commit.id.to_string().into(), line: 0 } })
    }

    /// Reads the author, and tells of them if there is news.
    fn maker(&mut self, moment: &Moment, commit: &Commit<'_>) -> Result<Maker, gix::Error> {
        let hash = commit.id.to_string();
        let author = commit.author()?;
        let (name, email) = (author.name.to_str_lossy().into_owned(), author.email.to_str_lossy().into_owned());
        let id = [email.as_str(), name.as_str()].into_iter().find(|id| !id.is_empty()).unwrap_or("unknown").to_owned();
        let maker = Maker {
            author: NodeKey::new("author", id.as_str()),
            commit: NodeKey::new("commit", hash.as_str()),
            short: hash.get(..12).unwrap_or(&hash).into(),
        };
        let known = self.authors.insert(id, name.clone());
        if known.as_ref() != Some(&name) {
            let action = if known.is_none() { Action::Create } else { Action::Update };
            self.node(moment, action, &maker.author, vec![text("name", &name)]);
        }
        Ok(maker)
    }

    /// First what ends, then what begins, so that a path may change hands within one commit.
    fn add_changes(&mut self, moment: &Moment, maker: &Maker, changes: Changes) {
        let files = changes.files.into_iter();
        let files: Vec<(String, Change)> =
            files.filter_map(|change| Some((self.path(moment, change.path.as_ref())?, change))).collect();
        for (path, change) in files.iter().filter(|(_, change)| change.blob.is_none()) {
            if change.own && self.files.contains_key(path) {
                self.touch(moment, maker, path, change.kind);
            }
            self.delete(moment, path);
        }
        let mut merges = Vec::new();
        for (from, into) in &changes.renames {
            let (Ok(from), Ok(into)) = (from.to_str(), into.to_str()) else { continue };
            if self.delete(moment, from) {
                merges.push(Element::Merge { from: file(from), into: file(into) });
            }
        }
        for (path, change) in &files {
            if let Some(blob) = change.blob {
                self.write(moment, path, blob);
                if change.own {
                    self.touch(moment, maker, path, change.kind);
                }
            }
        }
        // A renamed path is gone from the tree of this commit, so nothing has taken it over.
        for merge in merges {
            self.record(moment, Event::new(moment.time, Action::Create, merge));
        }
    }

    fn path(&mut self, moment: &Moment, path: &BStr) -> Option<String> {
        let text = path.to_str().ok().map(str::to_owned);
        if text.is_none() {
            let reason = Reason::Malformed(format!("the path `{path}` is not UTF-8 text"));
            self.rejects.push(Reject { place: moment.place.clone(), reason });
        }
        text
    }

    /// The file is no more, if it was; whether it was.
    fn delete(&mut self, moment: &Moment, path: &str) -> bool {
        let was = self.files.remove(path).is_some();
        if was {
            self.node(moment, Action::Delete, &file(path), Vec::new());
        }
        was
    }

    /// The file has this content now. Where branches say the same twice, the second one is no news.
    fn write(&mut self, moment: &Moment, path: &str, blob: ObjectId) {
        let before = self.files.insert(path.to_owned(), blob);
        if before == Some(blob) {
            return;
        }
        let mut features = vec![text("blob", &blob.to_string())];
        // A partial clone may not have the blob.
        let header = self.repository.find_header(blob).ok();
        if let Some(size) = header.and_then(|header| i64::try_from(header.size()).ok()) {
            let numbers = Numbers::I64(vec![size]);
            features.push(("size".into(), Some(Value::Dense(Dense { numbers, scalar: true }))));
        }
        if before.is_none() {
            let extension = std::path::Path::new(path).extension().and_then(|extension| extension.to_str());
            features.extend(extension.map(|extension| category("extension", extension)));
            self.node(moment, Action::Create, &file(path), features);
        } else {
            self.node(moment, Action::Update, &file(path), features);
        }
    }

    fn touch(&mut self, moment: &Moment, maker: &Maker, path: &str, kind: Kind) {
        let (file, change) = (file(path), vec![category("change", kind.name())]);
        self.edge(moment, &maker.commit, "touched", &file, None, change.clone());
        self.edge(moment, &maker.author, "edited", &file, Some(maker.short.clone()), change);
    }

    fn node(&mut self, moment: &Moment, action: Action, key: &NodeKey, features: Features) {
        self.record(moment, Event::new(moment.time, action, Element::Node(key.clone())).with(features));
    }

    fn edge(
        &mut self,
        moment: &Moment,
        source: &NodeKey,
        relation: &str,
        destination: &NodeKey,
        key: Option<Name>,
        features: Features,
    ) {
        let (source, destination) = (source.clone(), destination.clone());
        let element = Element::Edge(EdgeKey { source, relation: relation.into(), destination, key });
        self.record(moment, Event::new(moment.time, Action::Create, element).with(features));
    }

    fn record(&mut self, moment: &Moment, event: Event) {
        self.records.push((event, moment.place.clone()));
    }

    pub(super) fn finish(self, commits: usize, settled: usize) -> GitHistory {
        GitHistory { schema: schema(), records: self.records, rejects: self.rejects, commits, settled }
    }
}

/// Paths of the files of a commit's tree, with their blobs.
fn files_of(commit: &Commit<'_>) -> Result<Vec<(BString, ObjectId)>, gix::Error> {
    let entries = commit.tree()?.traverse().breadthfirst.files()?.into_iter();
    Ok(entries.filter(|entry| is_file(entry.mode)).map(|entry| (entry.filepath, entry.oid)).collect())
}

/// The id of an object by its hexadecimal digits.
pub(super) fn object_id(hash: &str) -> Option<ObjectId> {
    ObjectId::from_hex(hash.as_bytes()).ok()
}

fn file(path: &str) -> NodeKey {
    NodeKey::new("file", path)
}

fn text(name: &str, value: &str) -> (Name, Option<Value>) {
    (name.into(), Some(Value::text(value)))
}

fn category(name: &str, value: &str) -> (Name, Option<Value>) {
    (name.into(), Some(Value::Category(value.into())))
}

/// All types of a history. A schema of this size cannot be full.
fn schema() -> Schema {
    let mut schema = Schema::new(TimeUnit::Second);
    let size = FeatureKind::Dense { dtype: DType::I64, scalar: true };
    let mut node = |name: &str, features: &[(&str, FeatureKind)]| {
        let id = schema.add_node_type(&name.into())?;
        declare(&mut schema, Owner::Node(id), features);
        Some(id)
    };
    let author = node("author", &[("name", FeatureKind::Text)]);
    let commit = node("commit", &[("subject", FeatureKind::Text)]);
    let file = node("file", &[("blob", FeatureKind::Text), ("size", size), ("extension", FeatureKind::Category)]);
    let change: &[(&str, FeatureKind)] = &[("change", FeatureKind::Category)];
    let mut edge = |source: Option<NodeTypeId>, relation: &str, destination: Option<NodeTypeId>, features| {
        let id = schema.add_edge_type(source?, &relation.into(), destination?)?;
        declare(&mut schema, Owner::Edge(id), features);
        Some(id)
    };
    edge(author, "authored", commit, &[]);
    edge(commit, "parent", commit, &[]);
    edge(commit, "touched", file, change);
    edge(author, "edited", file, change);
    schema
}

fn declare(schema: &mut Schema, owner: Owner, features: &[(&str, FeatureKind)]) {
    for (name, kind) in features {
        schema.add_feature(owner, FeatureDef { name: (*name).into(), kind: *kind, order: ListOrder::List });
    }
}
