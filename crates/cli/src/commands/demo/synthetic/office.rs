//! The office, day by day.

use timeweft::read::{ExternalId, Features};
use timeweft::{Action, EdgeKey, Element, Event, NodeKey, Time, Value};

use super::{Dice, HOUR, World, feature, moment};

/// The relation whose new edges are worth predicting.
pub(crate) const RELATION: &str = "edited";

const NAMES: [&str; 40] = [
    "ada", "bela", "chen", "dara", "elif", "femi", "gita", "hugo", "ines", "jun", "kofi", "lena", "milo", "nora",
    "omar", "pia", "quin", "rosa", "samir", "tove", "uma", "vera", "wim", "xenia", "yael", "zoe", "anton", "bruna",
    "carl", "dina", "emil", "farah", "gus", "hana", "ivan", "jana", "kai", "lucia", "marek", "nils",
];
const PROJECTS: [&str; 7] = ["atlas", "birch", "comet", "delta", "ember", "fjord", "grove"];
const ROLES: [&str; 4] = ["writer", "analyst", "designer", "engineer"];
const KINDS: [&str; 4] = ["note", "design", "data", "manual"];
/// The project that begins late, and the day.
const LATE: (usize, usize) = (6, 56);
/// The project that ends, and the day.
const ENDING: (usize, usize) = (2, 77);
/// Days without an edit after which a document may be deleted.
const STALE: usize = 16;

struct Person {
    key: NodeKey,
    project: usize,
    /// Works in a pair with this person.
    partner: usize,
    /// Last documents, newest last.
    recent: Vec<usize>,
}

struct Document {
    key: NodeKey,
    project: usize,
    alive: bool,
    report: bool,
    edits: usize,
    last_day: usize,
}

pub(super) struct Office {
    dice: Dice,
    now: Time,
    people: Vec<Person>,
    documents: Vec<Document>,
    edits: u64,
    events: Vec<Event>,
}

impl Office {
    pub(super) fn new(world: World) -> Office {
        let mut office = Office {
            dice: Dice { seed: world.seed, drawn: 0 },
            now: moment(0, 0),
            people: Vec::new(),
            documents: Vec::new(),
            edits: 0,
            events: Vec::new(),
        };
        let early = |project: &usize| *project != LATE.0;
        (0..PROJECTS.len()).filter(early).for_each(|project| office.open_project(project));
        (0..world.people).for_each(|number| office.hire(number, world.people));
        for project in (0..PROJECTS.len()).filter(early) {
            (0..5).for_each(|_| _ = office.write_document(project, 0, false));
        }
        office
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }

    pub(super) fn day(&mut self, day: usize) {
        if day == LATE.1 {
            self.open_project(LATE.0);
        }
        self.move_people(day);
        let weekday = day % 7;
        if weekday == 0 {
            let open: Vec<usize> = (0..PROJECTS.len()).filter(|&project| is_open(project, day)).collect();
            self.pass(day, 8 * HOUR);
            open.into_iter().for_each(|project| _ = self.write_document(project, day, true));
        }
        self.work(day, weekday);
        self.pass(day, 23 * HOUR);
        self.clear_up(day);
    }

    /// Everybody's edits of a day, in order of time.
    fn work(&mut self, day: usize, weekday: usize) {
        let mut shifts = Vec::new();
        for person in 0..self.people.len() {
            let busy = if weekday < 5 { 80 } else { 6 };
            if self.dice.percent(busy) {
                let edits = 1 + self.dice.below(3);
                shifts.extend((0..edits).map(|_| (9 * HOUR + self.dice.below(9 * 3600) as i64, person)));
            }
        }
        shifts.sort_unstable();
        for (second, person) in shifts {
            self.pass(day, second);
            let document = self.choose(person, day, weekday);
            self.edit(person, document, day);
        }
    }

    /// What a person takes up next.
    fn choose(&mut self, person: usize, day: usize, weekday: usize) -> usize {
        let Person { project, partner, .. } = self.people[person];
        let report_day = weekday == 4 && self.dice.percent(45);
        let report = || self.last_of(|document| document.report && document.project == project);
        if let Some(report) = report_day.then(report).flatten() {
            return report;
        }
        match self.dice.below(100) {
            0..38 => self.own(person),
            38..72 => self.alive_or_none(self.people[partner].recent.last().copied()),
            72..77 => None,
            77..97 => self.any_of(|document| document.project == project),
            _ => self.any_of(|_| true),
        }
        .unwrap_or_else(|| self.write_document(project, day, false))
    }

    /// One of a person's last three documents, the newest most often.
    fn own(&mut self, person: usize) -> Option<usize> {
        let back = [0, 0, 0, 1, 1, 2][self.dice.below(6)];
        let recent = &self.people[person].recent;
        self.alive_or_none(recent.len().checked_sub(1 + back).map(|at| recent[at]))
    }

    fn alive_or_none(&self, document: Option<usize>) -> Option<usize> {
        document.filter(|&document| self.documents[document].alive)
    }

    fn last_of(&self, wanted: impl Fn(&Document) -> bool) -> Option<usize> {
        self.documents.iter().rposition(|document| document.alive && wanted(document))
    }

    fn any_of(&mut self, wanted: impl Fn(&Document) -> bool) -> Option<usize> {
        let fits = |&number: &usize| self.documents[number].alive && wanted(&self.documents[number]);
        let fitting: Vec<usize> = (0..self.documents.len()).filter(fits).collect();
        self.dice.pick(&fitting).copied()
    }

    fn edit(&mut self, person: usize, document: usize, day: usize) {
        self.edits += 1;
        let (source, destination) = (self.people[person].key.clone(), self.documents[document].key.clone());
        let edge = EdgeKey {
            source,
            relation: RELATION.into(),
            destination,
            key: Some(self.edits.to_string().as_str().into()),
        };
        self.push(Action::Create, Element::Edge(edge), Vec::new());
        let recent = &mut self.people[person].recent;
        recent.retain(|&known| known != document);
        recent.push(document);
        let Document { key, edits, last_day, .. } = &mut self.documents[document];
        (*edits, *last_day) = (*edits + 1, day);
        if edits.is_multiple_of(6) {
            let status = if *edits < 12 { "review" } else { "final" };
            let features = vec![
                feature("status", Value::Category(status.into())),
                feature("words", Value::number(120.0 + 35.0 * *edits as f64)),
            ];
            let element = Element::Node(key.clone());
            self.push(Action::Update, element, features);
        }
    }

    fn write_document(&mut self, project: usize, day: usize, report: bool) -> usize {
        let number = self.documents.len();
        let (id, kind) = if report {
            (format!("{}-week-{:02}", PROJECTS[project], day / 7 + 1), "report")
        } else {
            (format!("{}-{number:03}", PROJECTS[project]), KINDS[self.dice.below(KINDS.len())])
        };
        let key = NodeKey::new("document", ExternalId::from(id.as_str()));
        let features = vec![
            feature("kind", Value::Category(kind.into())),
            feature("status", Value::Category("draft".into())),
            feature("words", Value::number(120.0)),
        ];
        self.push(Action::Create, Element::Node(key.clone()), features);
        self.link(Action::Create, &key, "part_of", &project_key(project));
        if let Some(cited) = self.any_of(|document| document.project == project) {
            self.link(Action::Create, &key, "cites", &self.documents[cited].key.clone());
        }
        self.documents.push(Document { key, project, alive: true, report, edits: 0, last_day: day });
        number
    }

    fn open_project(&mut self, project: usize) {
        self.push(Action::Create, Element::Node(project_key(project)), Vec::new());
    }

    fn hire(&mut self, number: usize, people: usize) {
        let name = NAMES[number % NAMES.len()];
        let id = if number < NAMES.len() { name.to_string() } else { format!("{name}-{}", number / NAMES.len() + 1) };
        let key = NodeKey::new("person", ExternalId::from(id.as_str()));
        // Partners share a project at first; who moves away keeps the partner.
        let project = number / 2 % LATE.0;
        let role = Value::Category(ROLES[self.dice.below(ROLES.len())].into());
        self.push(Action::Create, Element::Node(key.clone()), vec![feature("role", role)]);
        self.link(Action::Create, &key, "member_of", &project_key(project));
        self.people.push(Person { key, project, partner: (number ^ 1).min(people - 1), recent: Vec::new() });
    }

    /// Drift: once a week a person changes project; a project that ends sends all its people away.
    fn move_people(&mut self, day: usize) {
        self.pass(day, 7 * HOUR);
        if day % 7 == 2 {
            let person = self.dice.below(self.people.len());
            self.move_person(person, day);
        }
        if day == ENDING.1 {
            for person in 0..self.people.len() {
                if self.people[person].project == ENDING.0 {
                    self.move_person(person, day);
                }
            }
            self.push(Action::Delete, Element::Node(project_key(ENDING.0)), Vec::new());
        }
    }

    fn move_person(&mut self, person: usize, day: usize) {
        let old = self.people[person].project;
        let open: Vec<usize> = (0..PROJECTS.len()).filter(|&project| project != old && is_open(project, day)).collect();
        let Some(&new) = self.dice.pick(&open) else { return };
        let key = self.people[person].key.clone();
        self.link(Action::Delete, &key, "member_of", &project_key(old));
        self.link(Action::Create, &key, "member_of", &project_key(new));
        self.people[person].project = new;
    }

    /// Evening: what no person touched is deleted, and now and then something deleted is wanted back.
    fn clear_up(&mut self, day: usize) {
        for number in 0..self.documents.len() {
            let Document { ref key, project, alive, last_day, .. } = self.documents[number];
            let (key, stale) = (key.clone(), last_day + STALE <= day);
            if alive && stale && self.dice.percent(15) {
                self.push(Action::Delete, Element::Node(key), Vec::new());
                self.documents[number].alive = false;
            } else if !alive && is_open(project, day) && self.dice.below(1000) < 4 {
                self.push(Action::Create, Element::Node(key.clone()), Vec::new());
                self.link(Action::Create, &key, "part_of", &project_key(project));
                (self.documents[number].alive, self.documents[number].last_day) = (true, day);
            }
        }
    }

    /// Time goes on, never back.
    fn pass(&mut self, day: usize, second: i64) {
        self.now = self.now.max(moment(day, second));
    }

    fn link(&mut self, action: Action, source: &NodeKey, relation: &str, destination: &NodeKey) {
        let (source, destination) = (source.clone(), destination.clone());
        let edge = EdgeKey { source, relation: relation.into(), destination, key: None };
        self.push(action, Element::Edge(edge), Vec::new());
    }

    /// Every event has a second of its own.
    fn push(&mut self, action: Action, element: Element, features: Features) {
        self.events.push(Event::new(self.now, action, element).with(features));
        self.now = Time(self.now.0 + 1);
    }
}

fn is_open(project: usize, day: usize) -> bool {
    (project != LATE.0 || day >= LATE.1) && (project != ENDING.0 || day < ENDING.1)
}

fn project_key(project: usize) -> NodeKey {
    NodeKey::new("project", PROJECTS[project])
}
