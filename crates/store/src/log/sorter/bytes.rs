//! An event as bytes, with its place. Names are written once and numbered; they stay in memory.

use rustc_hash::FxHashMap;
use timeweft_graph::{Action, EdgeKey, Element, Event, ExternalId, Features, IdRef, Name, NodeKey, Place, Time, Value};

use super::Item;

/// Names of files, types, relations and features, by their numbers.
#[derive(Default)]
pub(super) struct Names {
    all: Vec<Name>,
    numbers: FxHashMap<Name, u64>,
}

impl Names {
    fn number(&mut self, name: &Name) -> u64 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.all.len() as u64;
        self.all.push(name.clone());
        self.numbers.insert(name.clone(), number);
        number
    }
}

/// No event.
const MARK: u8 = 9;

/// Appends an event, or a mark.
pub(super) fn write(out: &mut Vec<u8>, names: &mut Names, of: u32, place: &Place, event: Option<&Event>) {
    let mut writer = Writer { out, names };
    writer.number(of.into());
    writer.name(&place.file);
    writer.number(place.line);
    match event {
        None => writer.out.push(MARK),
        Some(event) => writer.event(event),
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    names: &'a mut Names,
}

impl Writer<'_> {
    fn event(&mut self, event: &Event) {
        let action = event.action as u8;
        match &event.element {
            Element::Node(node) => {
                self.out.push(action);
                self.node(node);
            }
            Element::Edge(edge) => {
                self.out.push(3 + action);
                self.node(&edge.source);
                self.name(&edge.relation);
                self.node(&edge.destination);
                self.option(edge.key.as_deref().map(str::as_bytes));
            }
            Element::Merge { from, into } => {
                self.out.push(6 + action);
                self.node(from);
                self.node(into);
            }
        }
        self.number(event.features.len() as u64);
        let mut bytes = Vec::new();
        for (name, value) in &event.features {
            self.name(name);
            bytes.clear();
            if let Some(value) = value {
                value.encode(&mut bytes);
            }
            self.option(value.is_some().then_some(&*bytes));
        }
    }

    fn node(&mut self, node: &NodeKey) {
        self.name(&node.node_type);
        match node.id.as_ref() {
            IdRef::Int(number) => {
                self.option(None);
                self.number(number);
            }
            IdRef::Text(text) => self.option(Some(text.as_bytes())),
        }
    }

    fn name(&mut self, name: &Name) {
        let number = self.names.number(name);
        self.number(number);
    }

    /// Bytes behind their length, which is one more so that none is 0.
    fn option(&mut self, bytes: Option<&[u8]>) {
        self.number(bytes.map_or(0, |bytes| bytes.len() as u64 + 1));
        self.out.extend_from_slice(bytes.unwrap_or_default());
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }
}

/// Reads what was written; none where the bytes are others.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    names: &'a Names,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], names: &'a Names) -> Reader<'a> {
        Reader { bytes, names }
    }

    pub(super) fn item(mut self, time: Time) -> Option<Item> {
        let of = u32::try_from(self.number()?).ok()?;
        let place = Place { file: self.name()?, line: self.number()? };
        let code = self.byte()?;
        let event = if code == MARK { None } else { Some(self.event(time, code)?) };
        self.bytes.is_empty().then_some(Item { time, place, of, event })
    }

    fn event(&mut self, time: Time, code: u8) -> Option<Event> {
        let action = Action::ALL.into_iter().find(|it| *it as u8 == code % 3)?;
        let element = match code / 3 {
            0 => Element::Node(self.node()?),
            1 => Element::Edge(EdgeKey {
                source: self.node()?,
                relation: self.name()?,
                destination: self.node()?,
                key: match self.option()? {
                    None => None,
                    Some(key) => Some(text(key)?),
                },
            }),
            2 => Element::Merge { from: self.node()?, into: self.node()? },
            _ => return None,
        };
        let mut features = Features::new();
        for _ in 0..self.number()? {
            let name = self.name()?;
            let value = match self.option()? {
                None => None,
                Some(value) => Some(Value::decode(value)?),
            };
            features.push((name, value));
        }
        Some(Event { time, action, element, features })
    }

    fn node(&mut self) -> Option<NodeKey> {
        let node_type = self.name()?;
        let id = match self.option()? {
            None => ExternalId::Int(self.number()?),
            Some(bytes) => ExternalId::Text(text(bytes)?),
        };
        Some(NodeKey { node_type, id })
    }

    fn name(&mut self) -> Option<Name> {
        let number = usize::try_from(self.number()?).ok()?;
        self.names.all.get(number).cloned()
    }

    fn option(&mut self) -> Option<Option<&'a [u8]>> {
        let Some(length) = self.number()?.checked_sub(1) else { return Some(None) };
        let (bytes, rest) = self.bytes.split_at_checked(usize::try_from(length).ok()?)?;
        self.bytes = rest;
        Some(Some(bytes))
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

fn text(bytes: &[u8]) -> Option<Name> {
    std::str::from_utf8(bytes).ok().map(Name::from)
}
