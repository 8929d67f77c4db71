//! Commits become events.

use gix::bstr::ByteSlice;
use gix::{Commit, ObjectId};
use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{
    Action, DType, Dense, EdgeKey, Element, Event, FeatureDef, FeatureKind, Features, ListOrder, Name, NodeKey,
    NodeTypeId, Numbers, Owner, Place, Reason, Reject, Schema, Time, TimeUnit, Value,
};

use super::GitHistory;
use super::change::{Change, Kind};
use crate::Record;

/// The events so far and what is alive at their end.
#[derive(Default)]
pub(super) struct Recorder {
    records: Vec<Record>,
    rejects: Vec<Reject>,
    now: Option<Time>,
    /// Authors by email, with the name that they go by now.
    authors: FxHashMap<String, String>,
    files: FxHashSet<String>,
}

/// What all events of one commit share.
struct Moment {
    time: Time,
    place: Place,
    author: NodeKey,
    commit: NodeKey,
    /// Key of the edits of this commit.
    short: Name,
}

impl Recorder {
    pub(super) fn add(
        &mut self,
        commit: &Commit<'_>,
        parents: &[ObjectId],
        changes: Vec<Change>,
    ) -> Result<(), gix::Error> {
        let moment = self.moment(commit)?;
        let subject = commit.message()?.summary().to_str_lossy().into_owned();
        self.node(&moment, Action::Create, &moment.commit, vec![text("subject", &subject)]);
        self.edge(&moment, &moment.author, "authored", &moment.commit, None, Vec::new());
        for parent in parents {
            let parent = NodeKey::new("commit", parent.to_string().as_str());
            self.edge(&moment, &moment.commit, "parent", &parent, None, Vec::new());
        }
        self.add_changes(&moment, commit, changes);
        Ok(())
    }

    /// Reads time and author; tells of the author if there is news.
    fn moment(&mut self, commit: &Commit<'_>) -> Result<Moment, gix::Error> {
        let hash = commit.id.to_string();
        let committed = Time(commit.committer()?.seconds());
        let time = self.now.map_or(committed, |now| now.max(committed));
        self.now = Some(time);
        let author = commit.author()?;
        let (name, email) = (author.name.to_str_lossy().into_owned(), author.email.to_str_lossy().into_owned());
        let id = [email.as_str(), name.as_str()].into_iter().find(|id| !id.is_empty()).unwrap_or("unknown").to_owned();
        let moment = Moment {
            time,
            place: Place { file: hash.as_str().into(), line: 0 },
            author: NodeKey::new("author", id.as_str()),
            commit: NodeKey::new("commit", hash.as_str()),
            short: hash.get(..12).unwrap_or(&hash).into(),
        };
        let known = self.authors.insert(id, name.clone());
        if known.as_ref() != Some(&name) {
            let action = if known.is_none() { Action::Create } else { Action::Update };
            self.node(&moment, action, &moment.author, vec![text("name", &name)]);
        }
        Ok(moment)
    }

    /// First what ends, then what begins, so that a path may change hands within one commit.
    fn add_changes(&mut self, moment: &Moment, commit: &Commit<'_>, changes: Vec<Change>) {
        let changes: Vec<(String, Change)> =
            changes.into_iter().filter_map(|change| Some((self.path(moment, &change)?, change))).collect();
        let mut merges = Vec::new();
        for (path, change) in &changes {
            match &change.kind {
                Kind::Delete => self.delete(moment, path, Some(&change.kind)),
                Kind::Rename { from } => {
                    let Ok(from) = from.to_str() else { continue };
                    if self.files.contains(from) {
                        self.delete(moment, from, None);
                        merges.push((from.to_owned(), path.clone()));
                    }
                }
                Kind::Create | Kind::Update => {}
            }
        }
        for (path, change) in &changes {
            if let Some(blob) = change.blob {
                self.write(moment, commit, path, blob);
                self.touch(moment, path, &change.kind);
            }
        }
        // A renamed path is gone from the tree of this commit, so nothing has taken it over.
        for (from, into) in merges {
            let merge = Element::Merge { from: file(&from), into: file(&into) };
            self.record(moment, Event::new(moment.time, Action::Create, merge));
        }
    }

    fn path(&mut self, moment: &Moment, change: &Change) -> Option<String> {
        let path = change.path.to_str().ok().map(str::to_owned);
        if path.is_none() {
            let reason = Reason::Malformed(format!("the path `{}` is not UTF-8 text", change.path));
            self.rejects.push(Reject { place: moment.place.clone(), reason });
        }
        path
    }

    fn delete(&mut self, moment: &Moment, path: &str, touched: Option<&Kind>) {
        if !self.files.contains(path) {
            return;
        }
        if let Some(kind) = touched {
            self.touch(moment, path, kind);
        }
        self.files.remove(path);
        self.node(moment, Action::Delete, &file(path), Vec::new());
    }

    /// The file has this content now.
    fn write(&mut self, moment: &Moment, commit: &Commit<'_>, path: &str, blob: ObjectId) {
        let mut features = vec![text("blob", &blob.to_string())];
        // A partial clone may not have the blob.
        if let Some(size) = commit.repo.find_header(blob).ok().and_then(|header| i64::try_from(header.size()).ok()) {
            let numbers = Numbers::I64(vec![size]);
            features.push(("size".into(), Some(Value::Dense(Dense { numbers, scalar: true }))));
        }
        if self.files.insert(path.to_owned()) {
            let extension = std::path::Path::new(path).extension().and_then(|extension| extension.to_str());
            features.extend(extension.map(|extension| category("extension", extension)));
            self.node(moment, Action::Create, &file(path), features);
        } else {
            self.node(moment, Action::Update, &file(path), features);
        }
    }

    fn touch(&mut self, moment: &Moment, path: &str, kind: &Kind) {
        let (file, change) = (file(path), vec![category("change", kind.name())]);
        self.edge(moment, &moment.commit, "touched", &file, None, change.clone());
        self.edge(moment, &moment.author, "edited", &file, Some(moment.short.clone()), change);
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
        self.records.push(Record { event, place: moment.place.clone() });
    }

    pub(super) fn finish(self, commits: usize) -> GitHistory {
        GitHistory { schema: schema(), records: self.records, rejects: self.rejects, commits }
    }
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
