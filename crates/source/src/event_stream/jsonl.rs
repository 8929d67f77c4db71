//! The reader of JSON lines.

use std::io::BufRead;

use serde::Deserialize;
use timeweft_graph::{
    Action, EdgeKey, Element, ElementKind, Event, ExternalId, FeatureKind, Features, Name, NodeKey, OwnerName, Reason,
    Record, Schema, Sink, Time,
};

use super::ahead::Ahead;
use super::reader::FeatureReader;
use crate::SourceError;
use crate::limits::check_names;
use crate::text::feature_text;
use crate::text::floored::Floored;
use crate::text::json::{self, Members, excerpt, is_integer, is_number};
use crate::text::lines::Lines;
use crate::text::names::Names;

/// Reads events from JSON lines, in constant memory. Blank lines are passed over.
///
/// An empty list of a feature whose kind nothing has shown is what the next 4 MiB show it to be, or else JSON.
///
/// ```
/// use timeweft_graph::{Schema, TimeUnit};
/// let text = r#"{"time":5,"action":"create","entity":"node","source":{"type":"user","id":"u1"}}
/// {"time":6,"action":"make"}"#;
/// let mut reader = timeweft_source::JsonlReader::new(text.as_bytes(), &"doc".into(), &Schema::new(TimeUnit::Step));
/// let (records, end) = timeweft_oracle::events(|sink| reader.read(sink));
/// assert_eq!(records[0].as_ref().unwrap().1.line, 1);
/// assert!(records[1].as_ref().unwrap_err().to_string().starts_with("doc:2: "));
/// assert!(records.len() == 2 && end.is_ok());
/// ```
pub struct JsonlReader<R> {
    lines: Lines<Ahead<R>>,
    parser: Parser,
    /// Reads lines before their turn, where an empty list asks for it.
    scout: Option<Box<Parser>>,
}

impl<R: BufRead> JsonlReader<R> {
    /// A reader of lines whose features are read as `schema` declares them.
    pub fn new(reader: R, file: &Name, schema: &Schema) -> JsonlReader<R> {
        JsonlReader {
            lines: Lines::new(Ahead::new(reader), file),
            parser: Parser::new(FeatureReader::new(schema)),
            scout: None,
        }
    }

    /// Pushes all events into a sink, in the order of the lines.
    ///
    /// # Errors
    /// If the source cannot be read to its end: a load must not be published as if it had been whole.
    pub fn read(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(&self.lines.place().file);
        while !sink.is_closed() && self.lines.advance()? {
            let line = self.lines.line();
            match self.events() {
                Ok(events) => events.into_iter().for_each(|event| sink.record(Record::Event(event), line)),
                Err(reason) => sink.reject(line, reason),
            }
        }
        Ok(())
    }

    /// What was read as something else than it says, for people. Ask when all is read.
    pub fn notes(&self) -> Vec<String> {
        self.parser.floored.note(self.parser.features.schema().unit()).into_iter().collect()
    }

    /// The events of a line.
    fn events(&mut self) -> Result<Vec<Event>, Reason> {
        let line = self.lines.line();
        let text = self.lines.text().map_err(|reject| reject.reason)?;
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let events = self.parser.events(text, line);
        let untold = self.parser.features.take_untold();
        let events = events.and_then(|mut events| {
            untold.into_iter().try_for_each(|(owner, name)| self.tell(&owner, &name, &mut events))?;
            events.iter().try_for_each(|event| check_names(&event.element))?;
            Ok(events)
        });
        events.map_err(Reason::Malformed)
    }

    /// Makes an empty list of a feature what the other values of it are.
    fn tell(&mut self, owner: &OwnerName, name: &Name, events: &mut [Event]) -> Result<(), String> {
        let kind = self.parser.features.shown(owner, name).unwrap_or_else(|| self.kind_ahead(owner, name));
        self.parser.features.show(owner, name, kind);
        let told = feature_text::read(kind, "[]").map_err(|problem| format!("feature `{name}`: {problem}"))?;
        let untold = feature_text::read(FeatureKind::Json, "[]")?;
        let of_owner = events.iter_mut().filter(|event| OwnerName::of_element(&event.element) == *owner);
        for (_, value) in of_owner.flat_map(|event| &mut event.features).filter(|(of, _)| of == name) {
            if value.as_ref() == Some(&untold) {
                *value = Some(told.clone());
            }
        }
        Ok(())
    }

    /// The kind that the lines to come show first; JSON where they show none.
    fn kind_ahead(&mut self, owner: &OwnerName, name: &Name) -> FeatureKind {
        let scout = self.scout.get_or_insert_with(|| Box::new(Parser::new(self.parser.features.scout())));
        loop {
            if let Some(kind) = scout.features.shown(owner, name) {
                return kind;
            }
            let Some(line) = self.lines.reader().look() else { return FeatureKind::Json };
            // What is wrong with a line is told when it is read.
            let _ = std::str::from_utf8(line).map(|text| scout.events(text, 0));
            scout.features.take_untold();
        }
    }
}

struct Parser {
    features: FeatureReader,
    names: Names,
    floored: Floored,
}

impl Parser {
    fn new(features: FeatureReader) -> Parser {
        Parser { features, names: Names::default(), floored: Floored::default() }
    }

    fn events(&mut self, text: &str, line_number: u64) -> Result<Vec<Event>, String> {
        let mut line: Members<'_> = json::parse(text)?;
        let time = self.time(line.need("time")?, line_number)?;
        let action: Action = named("action", line.need("action")?)?;
        let entity: ElementKind = named("entity", line.need("entity")?)?;
        let source = self.endpoint("source", line.need("source")?)?;
        let (edge, destination) = (line.take("edge"), line.take("destination"));
        line.finish("time, action, entity, source, edge and destination")?;
        let event = |element, features: Features| Event { time, action, element, features };
        let events = match (entity, edge, destination) {
            (ElementKind::Node, None, None) => vec![event(Element::Node(source.0), source.1)],
            (ElementKind::Node, ..) => {
                return Err("a node event has only `source`, no `edge` and no `destination`".into());
            }
            (ElementKind::Merge, edge, Some(destination)) => {
                let (into, features) = self.endpoint("destination", destination)?;
                if !(features.is_empty() && source.1.is_empty()) {
                    return Err("the nodes of a merge carry no features: update them on lines of their own".into());
                }
                let features = edge.map_or(Ok(Features::new()), |edge| self.merge(edge))?;
                vec![event(Element::Merge { from: source.0, into }, features)]
            }
            (ElementKind::Merge, ..) => return Err("a merge has `source` and `destination`".into()),
            (ElementKind::Edge, Some(edge), Some(destination)) => {
                let destination = self.endpoint("destination", destination)?;
                let (element, features) = self.edge(edge, &source.0, &destination.0)?;
                let mut events: Vec<Event> = [source, destination]
                    .into_iter()
                    .filter(|(_, features)| !features.is_empty())
                    .map(|(key, features)| Event::new(time, Action::Update, Element::Node(key)).with(features))
                    .collect();
                events.push(event(element, features));
                events
            }
            (ElementKind::Edge, None, _) => return Err("missing field `edge`: an edge event needs it".into()),
            (ElementKind::Edge, _, None) => return Err("missing field `destination`: an edge event needs it".into()),
        };
        match events.last() {
            Some(last) if action == Action::Delete && !last.features.is_empty() => {
                Err("a delete carries no features: update them on a line before".into())
            }
            _ => Ok(events),
        }
    }

    fn time(&mut self, raw: &str, line: u64) -> Result<Time, String> {
        let unit = self.features.schema().unit();
        if is_integer(raw) {
            let ticks = raw.parse().map(Time).map_err(|_| format!("time: {} does not fit 64 bits", excerpt(raw)));
            return finite(ticks?);
        }
        if is_number(raw) {
            return finite(self.floored.read(raw, unit, line)?);
        }
        let text: String = json::parse(raw).map_err(|_| {
            format!("time: expected a number of ticks, or a date or date and time as text, got {}", excerpt(raw))
        })?;
        finite(self.floored.read(&text, unit, line)?)
    }

    fn endpoint(&mut self, role: &str, raw: &str) -> Result<(NodeKey, Features), String> {
        let within = |problem| format!("{role}: {problem}");
        let mut members: Members<'_> = json::parse(raw).map_err(within)?;
        let node_type = json::text("type", members.need("type").map_err(within)?).map_err(within)?;
        let id = id(members.need("id").map_err(within)?).map_err(within)?;
        let features = members.take("features");
        members.finish("type, id and features").map_err(within)?;
        let key = NodeKey { node_type: self.names.get(&node_type), id };
        let features = self.read_features(&OwnerName::of_node(&key), features).map_err(within)?;
        Ok((key, features))
    }

    fn edge(&mut self, raw: &str, source: &NodeKey, destination: &NodeKey) -> Result<(Element, Features), String> {
        let within = |problem| format!("edge: {problem}");
        let mut members: Members<'_> = json::parse(raw).map_err(within)?;
        let relation = json::text("type", members.need("type").map_err(within)?).map_err(within)?;
        let key = members.take("key").filter(|raw| *raw != "null").map(|raw| json::text("key", raw)).transpose();
        let features = members.take("features");
        members.finish("type, key and features").map_err(within)?;
        let key = EdgeKey {
            source: source.clone(),
            relation: self.names.get(&relation),
            destination: destination.clone(),
            key: key.map_err(within)?.map(|key| Name::from(&*key)),
        };
        let features = self.read_features(&OwnerName::of_edge(&key), features).map_err(within)?;
        Ok((Element::Edge(key), features))
    }

    fn merge(&mut self, raw: &str) -> Result<Features, String> {
        let within = |problem| format!("edge of a merge: {problem}");
        let mut members: Members<'_> = json::parse(raw).map_err(within)?;
        let features = members.take("features");
        members.finish("features").map_err(within)?;
        self.read_features(&OwnerName::Merge, features).map_err(within)
    }

    fn read_features(&mut self, owner: &OwnerName, raw: Option<&str>) -> Result<Features, String> {
        match raw {
            None | Some("null") => Ok(Features::new()),
            Some(raw) => {
                let members = json::parse(raw).map_err(|problem| format!("features: {problem}"))?;
                self.features.read(owner, members, &mut self.names)
            }
        }
    }
}

fn named<'a, T: Deserialize<'a>>(field: &str, raw: &'a str) -> Result<T, String> {
    json::parse(raw).map_err(|problem| format!("{field}: {problem}"))
}

/// An event happens at some tick; the end of time is no tick.
pub(crate) fn finite(time: Time) -> Result<Time, String> {
    if time == Time::FOREVER { Err("time: an event needs a time, not the end of time".into()) } else { Ok(time) }
}

fn id(raw: &str) -> Result<ExternalId, String> {
    if raw.starts_with('"') {
        return json::text("id", raw).map(|text| ExternalId::from(&*text));
    }
    raw.parse::<u64>()
        .map(ExternalId::Int)
        .map_err(|_| format!("id: expected a text or a whole number from 0 to 2^64 - 1, got {}", excerpt(raw)))
}
