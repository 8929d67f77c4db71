//! Synthetic tasks with known answers: what a cell, an aggregation or a way of reading can learn, and what it cannot.
//! Every user lives once, so nothing can be known by heart; answers are ranked among all answers of the task.
//!
//! A task is a stream of blocks of equal length, and a batch is a block: gradients reach over all of a user's life, or up to
//! the border of a block where the task says so.

use serde_json::json;
use timeweft_graph::{Action, EdgeKey, Element, Event, Features, Name, NodeKey, Time, Value};

/// A stream of events whose answers are known, and the configuration that makes it a test of one thing.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// What is tested.
    pub name: &'static str,
    /// The stream; its graph counts time in steps.
    pub events: Vec<Event>,
    /// Configuration of a small model, as `serde` reads it: everything that would answer without the part under test is
    /// off.
    pub config: serde_json::Value,
    /// Accuracy of a guess.
    pub chance: f64,
}

/// Users in a block.
const USERS: u64 = 32;

/// The long memory: a user visits eight anchors and comes back to the one whose visit was marked, `distractors` visits
/// later. All anchors are visited, so neither counts nor the last visits tell which.
pub fn marked_visit(distractors: u64, blocks: u64, seed: u64) -> Synthetic {
    const ANCHORS: u64 = 8;
    let visits = ANCHORS + distractors;
    let mut made = Builder::new(seed, ANCHORS, ANCHORS, USERS * (visits + 2));
    for _ in 0..blocks {
        let users = made.users(USERS);
        let marks: Vec<[u64; 2]> = users.iter().map(|_| [made.draw(ANCHORS), made.draw(ANCHORS)]).collect();
        for visit in 0..visits {
            made.tick();
            for (user, [marked, turn]) in users.iter().zip(&marks) {
                // The first eight visits go round all anchors, from a random one.
                let anchor = if visit < ANCHORS { (visit + turn) % ANCHORS } else { made.draw(ANCHORS) };
                let mark = visit < ANCHORS && anchor == *marked;
                made.visit(*user, anchor, &[("mark", f32::from(u8::from(mark)))]);
            }
        }
        made.tick();
        users.iter().zip(&marks).for_each(|(user, [marked, _])| made.answer(*user, *marked));
    }
    made.finish("long memory", 1.0 / ANCHORS as f64)
}

/// Elapsed time: the answer says whether the mark is older than 32 ticks. How many visits came since is drawn apart.
pub fn elapsed_time(blocks: u64, seed: u64) -> Synthetic {
    const LENGTH: u64 = 64;
    const VISITS: u64 = 8;
    let mut made = Builder::new(seed, 2, 2, USERS * (VISITS + 4));
    for _ in 0..blocks {
        let users = made.users(USERS);
        let mut plans: Vec<(u64, Vec<u64>)> = Vec::new();
        for _ in &users {
            // Never so near to the border that a tick decides.
            let age = if made.draw(2) == 0 { 2 + made.draw(26) } else { 37 + made.draw(26) };
            let mark = LENGTH - age;
            let after = 1 + made.draw(VISITS - 1);
            let mut ticks: Vec<u64> = (0..VISITS)
                .map(|visit| if visit < after { mark + 1 + made.draw(age - 1) } else { made.draw(mark) })
                .collect();
            ticks.sort_unstable();
            plans.push((mark, ticks));
        }
        for tick in 0..LENGTH {
            made.tick();
            for (user, (mark, ticks)) in users.iter().zip(&plans) {
                if *mark == tick {
                    made.visit(*user, 0, &[("mark", 1.0)]);
                }
                for _ in ticks.iter().filter(|&&visit| visit == tick) {
                    made.visit(*user, 1, &[("mark", 0.0)]);
                }
            }
        }
        made.tick();
        users.iter().for_each(|user| made.visit(*user, 1, &[("mark", 0.0)]));
        made.tick();
        for (user, (mark, _)) in users.iter().zip(&plans) {
            made.answer(*user, u64::from(LENGTH - mark > 32));
        }
    }
    made.finish("elapsed time", 0.5)
}

/// Capacity: a user puts anchors into `slots` slots, and is asked for one of them.
pub fn capacity(slots: u64, blocks: u64, seed: u64) -> Synthetic {
    const ANCHORS: u64 = 8;
    let mut made = Builder::new(seed, ANCHORS, ANCHORS, USERS * (slots + 3));
    for _ in 0..blocks {
        let users = made.users(USERS);
        let mut filled = vec![Vec::new(); users.len()];
        for slot in 0..slots {
            made.tick();
            for (user, filled) in users.iter().zip(&mut filled) {
                let anchor = made.draw(ANCHORS);
                filled.push(anchor);
                made.visit_with(*user, anchor, vec![("slot".into(), Some(one_hot(slot, slots)))]);
            }
        }
        made.tick();
        let asked: Vec<u64> = users.iter().map(|_| made.draw(slots)).collect();
        for (user, asked) in users.iter().zip(&asked) {
            made.push(
                Action::Update,
                Element::Node(user_key(*user)),
                vec![("slot".into(), Some(one_hot(*asked, slots)))],
            );
        }
        made.tick();
        for ((user, filled), asked) in users.iter().zip(&filled).zip(&asked) {
            made.answer(*user, filled[*asked as usize]);
        }
    }
    made.finish("capacity", 1.0 / ANCHORS as f64)
}

/// Simultaneity: a user is created together with five visits; the answer is the kind that most of them are of. One visit
/// alone tells it in 11 of 16 cases.
pub fn simultaneity(blocks: u64, seed: u64) -> Synthetic {
    let mut made = Builder::new(seed, 2, 2, USERS * 7);
    for _ in 0..blocks {
        let users = made.users(USERS);
        let kinds: Vec<Vec<u64>> = users.iter().map(|_| (0..5).map(|_| made.draw(2)).collect()).collect();
        for (user, kinds) in users.iter().zip(&kinds) {
            kinds.iter().for_each(|kind| made.visit(*user, *kind, &[("mark", 0.0)]));
        }
        made.tick();
        for (user, kinds) in users.iter().zip(&kinds) {
            made.answer(*user, u64::from(kinds.iter().sum::<u64>() > 2));
        }
    }
    made.finish("simultaneity", 11.0 / 16.0)
}

/// Order: two visits, and the answer says which came first. Visits and answer lie in different batches, so this is trained at
/// batch freshness.
pub fn order(blocks: u64, seed: u64) -> Synthetic {
    let mut made = Builder::new(seed, 2, 2, USERS * 4);
    let mut before: Vec<(u64, u64)> = (0..USERS).map(|user| (user, 0)).collect();
    // The first block answers for users that have visited nothing.
    made.first_users(USERS);
    for _ in 0..blocks {
        made.tick();
        before.iter().for_each(|(user, first)| made.answer(*user, *first));
        made.tick();
        let users = made.users(USERS);
        before = users.iter().map(|user| (*user, made.draw(2))).collect();
        for turn in 0..2 {
            made.tick();
            before.iter().for_each(|(user, first)| made.visit(*user, (turn + first) % 2, &[("mark", 0.0)]));
        }
    }
    let mut synthetic = made.finish("order", 0.5);
    synthetic.config["train"]["freshness"] = json!("batch");
    synthetic
}

/// Staleness: four times a user visits an anchor and answers with it. An answer that knows nothing of its batch can know the
/// first visit only, and so one answer in four.
pub fn staleness(blocks: u64, seed: u64) -> Synthetic {
    const ANCHORS: u64 = 8;
    const ROUNDS: u64 = 4;
    let mut made = Builder::new(seed, ANCHORS, ANCHORS, USERS * (2 * ROUNDS + 1));
    for _ in 0..blocks {
        let users = made.users(USERS);
        for _ in 0..ROUNDS {
            let anchors: Vec<u64> = users.iter().map(|_| made.draw(ANCHORS)).collect();
            made.tick();
            users.iter().zip(&anchors).for_each(|(user, anchor)| made.visit(*user, *anchor, &[("mark", 0.0)]));
            made.tick();
            users.iter().zip(&anchors).for_each(|(user, anchor)| made.answer(*user, *anchor));
        }
    }
    made.finish("staleness", 1.0 / ANCHORS as f64)
}

/// A relay: an anchor visits a user, and by edges `tells` the news goes from user to user. After one to `steps` such steps the last one
/// answers with the anchor. All of it happens inside a batch, and each step needs one sweep more than its own message.
pub fn relay(steps: u64, blocks: u64, seed: u64) -> Synthetic {
    const ANCHORS: u64 = 8;
    let n_chains = 32 / steps * steps;
    let steps_of = |chain: u64| 1 + chain % steps;
    let n_told: u64 = (0..n_chains).map(steps_of).sum();
    let n_users = n_chains + n_told;
    let mut made = Builder::new(seed, ANCHORS, ANCHORS, n_users + n_chains + n_told + n_chains);
    for _ in 0..blocks {
        let users = made.users(n_users);
        let mut rest = &users[..];
        let chains: Vec<(u64, &[u64])> = (0..n_chains)
            .map(|chain| {
                let (chain, later) = rest.split_at(1 + steps_of(chain) as usize);
                rest = later;
                (made.draw(ANCHORS), chain)
            })
            .collect();
        made.tick();
        chains.iter().for_each(|(anchor, chain)| made.visit(chain[0], *anchor, &[("mark", 0.0)]));
        for step in 1..=steps as usize {
            made.tick();
            for (_, chain) in chains.iter().filter(|(_, chain)| chain.len() > step) {
                made.tell(chain[step - 1], chain[step]);
            }
        }
        made.tick();
        chains.iter().for_each(|(anchor, chain)| made.answer(chain[chain.len() - 1], *anchor));
    }
    made.finish("relay", 1.0 / ANCHORS as f64)
}

/// Types: a user has a class. By one relation it answers with its class, by another with the other class: a model that does not
/// distinguish relations can only guess.
pub fn types(blocks: u64, seed: u64) -> Synthetic {
    let mut made = Builder::new(seed, 2, 2, USERS * 4);
    for _ in 0..blocks {
        let users = made.users(USERS);
        let classes: Vec<u64> = users.iter().map(|_| made.draw(2)).collect();
        made.tick();
        users.iter().zip(&classes).for_each(|(user, class)| made.visit(*user, *class, &[("mark", 0.0)]));
        made.tick();
        for (user, class) in users.iter().zip(&classes) {
            made.answer(*user, *class);
            made.link(*user, "avoids", 1 - class);
        }
    }
    let mut synthetic = made.finish("types", 0.5);
    synthetic.config["train"]["targets"] = json!(["answers", "avoids"]);
    synthetic
}

/// Chance itself: the same users answer at random. Whatever is better than a guess has seen the future.
pub fn random_answers(links: u64, seed: u64) -> Synthetic {
    const ANSWERS: u64 = 16;
    let mut made = Builder::new(seed, 1, ANSWERS, 256);
    made.first_users(64);
    for _ in 0..links {
        made.tick();
        let (user, answer) = (made.draw(64), made.draw(ANSWERS));
        made.answer(user, answer);
    }
    let mut synthetic = made.finish("random answers", 0.5);
    for (part, name, value) in [
        ("model", "identity", json!(true)),
        ("model", "counters", json!(true)),
        ("model", "gnn", json!("transformer")),
        ("model", "directed", json!(false)),
        ("evaluate", "candidates", json!(1)),
    ] {
        synthetic.config[part][name] = value;
    }
    synthetic
}

/// A planted cause: of eight visits of anchors drawn anew one is marked, and it alone decides the answer: what was visited
/// besides says nothing. Read by the graph transformer without any memory, so a right explanation points at that visit.
pub fn planted_cause(blocks: u64, seed: u64) -> Synthetic {
    const ANCHORS: u64 = 8;
    const VISITS: u64 = 8;
    let mut made = Builder::new(seed, ANCHORS, ANCHORS, USERS * (VISITS + 2));
    for _ in 0..blocks {
        let users = made.users(USERS);
        let marks: Vec<u64> = users.iter().map(|_| made.draw(VISITS)).collect();
        let mut answers = vec![0; users.len()];
        for visit in 0..VISITS {
            made.tick();
            for (at, user) in users.iter().enumerate() {
                let anchor = made.draw(ANCHORS);
                let mark = visit == marks[at];
                if mark {
                    answers[at] = anchor;
                }
                made.visit(*user, anchor, &[("mark", f32::from(u8::from(mark)))]);
            }
        }
        made.tick();
        users.iter().zip(&answers).for_each(|(user, answer)| made.answer(*user, *answer));
    }
    let mut synthetic = made.finish("planted cause", 1.0 / ANCHORS as f64);
    synthetic.config["model"]["memory"] = json!(false);
    synthetic.config["model"]["gnn"] = json!("transformer");
    synthetic
}

/// The mixing function of `learn`.
fn splitmix64(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Makes a stream tick by tick.
struct Builder {
    seed: u64,
    n_drawn: u64,
    time: i64,
    n_users: u64,
    block: u64,
    events: Vec<Event>,
}

fn user_key(user: u64) -> NodeKey {
    NodeKey::new("user", user)
}

fn one_hot(at: u64, of: u64) -> Value {
    Value::floats(&(0..of).map(|i| f32::from(u8::from(i == at))).collect::<Vec<f32>>())
}

impl Builder {
    /// Anchors and answers, each known by a feature, and as many other nodes as fill the first block.
    fn new(seed: u64, anchors: u64, answers: u64, block: u64) -> Builder {
        let mut builder =
            Builder { seed: splitmix64(seed), n_drawn: 0, time: 0, n_users: 0, block, events: Vec::new() };
        for (kind, count) in [("anchor", anchors), ("answer", answers)] {
            for i in 0..count {
                let features = vec![("which".into(), Some(one_hot(i, count)))];
                builder.push(Action::Create, Element::Node(NodeKey::new(kind, i)), features);
            }
        }
        builder
    }

    /// Users that are there from the start.
    fn first_users(&mut self, count: u64) {
        for user in 0..count {
            self.push(Action::Create, Element::Node(user_key(user)), Vec::new());
        }
        self.n_users += count;
    }

    /// Other nodes, until the first block is full.
    fn fill(&mut self) {
        for i in self.events.len() as u64..self.block {
            self.push(Action::Create, Element::Node(NodeKey::new("other", i)), Vec::new());
        }
    }

    fn draw(&mut self, n: u64) -> u64 {
        self.n_drawn += 1;
        splitmix64(self.seed ^ self.n_drawn) % n
    }

    fn tick(&mut self) {
        if self.time == 0 {
            self.fill();
        }
        self.time += 1;
    }

    /// New users, at a time of their own if it is their block's first.
    fn users(&mut self, count: u64) -> Vec<u64> {
        self.tick();
        let users: Vec<u64> = (self.n_users..self.n_users + count).collect();
        users.iter().for_each(|&user| self.push(Action::Create, Element::Node(user_key(user)), Vec::new()));
        self.n_users += count;
        users
    }

    fn visit(&mut self, user: u64, anchor: u64, marks: &[(&str, f32)]) {
        let features = marks.iter().map(|&(name, value)| (Name::from(name), Some(Value::floats(&[value])))).collect();
        self.visit_with(user, anchor, features);
    }

    /// An anchor is visited by a user: the edge leads to the user, who learns of it.
    fn visit_with(&mut self, user: u64, anchor: u64, features: Features) {
        let (source, destination) = (NodeKey::new("anchor", anchor), user_key(user));
        let key = Some(Name::from(self.events.len().to_string()));
        let edge = EdgeKey { source, relation: "visited_by".into(), destination, key };
        self.push(Action::Create, Element::Edge(edge), features);
    }

    fn answer(&mut self, user: u64, answer: u64) {
        self.link(user, "answers", answer);
    }

    fn link(&mut self, user: u64, relation: &str, answer: u64) {
        self.lead(user_key(user), relation, NodeKey::new("answer", answer));
    }

    fn tell(&mut self, from: u64, to: u64) {
        self.lead(user_key(from), "tells", user_key(to));
    }

    fn lead(&mut self, source: NodeKey, relation: &str, destination: NodeKey) {
        let key = Some(Name::from(self.events.len().to_string()));
        let edge = EdgeKey { source, relation: relation.into(), destination, key };
        self.push(Action::Create, Element::Edge(edge), Vec::new());
    }

    fn push(&mut self, action: Action, element: Element, features: Features) {
        self.events.push(Event::new(Time(self.time), action, element).with(features));
    }

    fn finish(self, name: &'static str, chance: f64) -> Synthetic {
        let config = json!({
            "model": {
                "width": 32, "channels": 32, "states": 8, "frequencies": 8,
                "identity": false, "counters": false, "directed": true, "gnn": "none",
            },
            "train": {
                "targets": ["answers"], "batch": self.block, "jitter": false, "patience": 0,
                "epochs": 10, "learning_rate": 3e-3, "decay": 1.0,
                "negatives": 7, "partners": 4, "split": [0.8, 0.85],
            },
            "evaluate": { "candidates": 0 },
        });
        Synthetic { name, events: self.events, config, chance }
    }
}
