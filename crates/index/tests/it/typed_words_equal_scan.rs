//! What people type finds what a look at every node finds.

use timeweft_graph::{
    Action, At, Deletes, Element, Event, Features, GraphView, Name, NodeIndex, NodeKey, Schema, Time, Value,
};
use timeweft_index::Index;
use timeweft_index::query::{Find, Matched};

use crate::event_builders::apply;
use crate::random_lives::Random;

const WORDS: [&str; 12] =
    ["oak", "Oakland", "lamp", "Łukasz", "ÅSE", "northern lights", "北辰", "a-b", "x", "lamps", "ΣΊΣΥΦΟΣ", "42"];

fn words(random: &mut Random, n: usize) -> String {
    (0..n).map(|_| WORDS[random.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
}

fn features(random: &mut Random) -> Features {
    let mut features = Features::new();
    let mut set = |name: &str, value: Value| features.push((name.into(), Some(value)));
    if random.below(2) == 0 {
        set("label", Value::text(&words(random, 1)));
    }
    if random.below(3) == 0 {
        set("name", Value::text(&words(random, 2)));
    }
    if random.below(3) == 0 {
        set("about", Value::text(&words(random, 3)));
    }
    if random.below(4) == 0 {
        set("tags", Value::Json(serde_json::json!([words(random, 1), { "deep": words(random, 1) }, 7])));
    }
    features
}

fn world(seed: u64) -> Index {
    let (mut random, mut index) = (Random(seed), Index::new(Schema::default()));
    for time in 0..400i64 {
        let of_type = ["item", "user"][random.below(2)];
        let id = [words(&mut random, 1), random.below(60).to_string()][random.below(2)].clone();
        let element = Element::Node(NodeKey::new(of_type, id.as_str()));
        let action = Action::ALL[random.below(3)];
        let features = if action == Action::Delete { Features::new() } else { features(&mut random) };
        _ = apply(&mut index, &Event::new(Time(time), action, element).with(features));
    }
    index
}

fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

fn has_words(text: &str, typed: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        folded(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(Into::into).collect()
    };
    let (all, typed) = (words(text), words(typed));
    let found = |word: &String| {
        let within = word.starts_with(|c: char| c >= '\u{2e80}') && folded(text).contains(word.as_str());
        within || all.iter().any(|known| known.starts_with(word.as_str()))
    };
    !typed.is_empty() && typed.iter().all(found)
}

fn texts(value: &Value) -> Vec<String> {
    fn of_json(json: &serde_json::Value) -> Vec<String> {
        match json {
            serde_json::Value::String(text) => vec![text.clone()],
            serde_json::Value::Array(all) => all.iter().flat_map(of_json).collect(),
            serde_json::Value::Object(all) => all.values().flat_map(of_json).collect(),
            _ => Vec::new(),
        }
    }
    match value {
        Value::Text(text) => vec![text.to_string()],
        Value::Json(json) => of_json(json),
        _ => Vec::new(),
    }
}

/// Every node, by a look at all that it ever said.
fn scanned(index: &Index, typed: &str, at: Option<At>) -> Vec<(NodeKey, Matched)> {
    let phrase = folded(typed.trim());
    let mut found: Vec<(u8, NodeKey, Matched)> = Vec::new();
    for node in (0..index.n_nodes() as u32).map(NodeIndex) {
        let key = index.node_key(node);
        let history = index.node_history(&key);
        if history.is_empty() || at.is_some_and(|at| index.node(&key, at).is_none()) {
            continue;
        }
        let spans: Vec<_> = history.iter().flat_map(|life| life.features.clone()).collect();
        let is_name = |name: &Name| ["name", "label", "title"].contains(&&**name);
        let said = |of_names: bool| -> Vec<String> {
            spans.iter().filter(|span| is_name(&span.name) == of_names).flat_map(|span| texts(&span.value)).collect()
        };
        let (names, others) = (said(true).join("\n"), said(false).join("\n"));
        if folded(&key.id.to_string()).starts_with(&phrase) {
            found.push((0, key, Matched::Id));
        } else if has_words(&names, typed) {
            let rank = |name: &str| match folded(name) {
                name if name == phrase => 1,
                name if name.starts_with(&phrase) => 2,
                _ => 3,
            };
            found.push((names.lines().map(rank).min().unwrap(), key, Matched::Name));
        } else if has_words(&others, typed) {
            found.push((4, key, Matched::Text));
        }
    }
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found.into_iter().map(|(_, key, by)| (key, by)).collect()
}

#[test]
fn words_are_found_where_a_scan_finds_them() {
    let typed = [
        "oak", "OAK", "o", "lamp oak", "oak lam", "4", "42", "łuk", "åse", "北", "辰", "a-b", "b", "ights", "σίσ", ":",
        "x ",
    ];
    let mut by = [0; 3];
    for seed in 0..4 {
        let index = world(seed);
        for text in typed {
            for at in [None, Some(At::now()), Some(At { time: Time(90), deletes: Deletes::Soft })] {
                let all = scanned(&index, text, at);
                all.iter().for_each(|(_, matched)| by[*matched as usize] += 1);
                for limit in [1, 7, 1_000] {
                    let found = index.find(Find { text, types: &[], at, limit });
                    let keys: Vec<_> = found.nodes.iter().map(|(node, by)| (index.node_key(*node), *by)).collect();
                    assert_eq!(keys, all[..limit.min(all.len())], "{text} {at:?}");
                    assert!(
                        found.total.is_none_or(|total| total == all.len()) && (limit < 1_000 || found.total.is_some())
                    );
                }
                for of_type in 0..index.schema().node_types().len() as u16 {
                    let types = [timeweft_graph::NodeTypeId(of_type)];
                    let found = index.find(Find { text, types: &types, at, limit: 1_000 });
                    let name = index.schema().node_type_name(types[0]);
                    assert_eq!(found.nodes.len(), all.iter().filter(|(key, _)| key.node_type == name).count());
                }
            }
        }
    }
    assert!(by.iter().all(|n| *n > 50), "{by:?}: a kind of match was hardly tried");
}

#[test]
fn a_name_is_the_newest_of_the_first_feature_that_was_ever_there() {
    let mut index = Index::new(Schema::default());
    let node = NodeKey::new("item", "1");
    let say = |name: &str, value: Option<&str>| vec![(Name::from(name), value.map(Value::text))];
    let steps = [
        (1, Action::Create, say("title", Some("a title")), "a title"),
        (2, Action::Update, say("label", Some("a label")), "a label"),
        (3, Action::Update, say("name", Some("old")), "old"),
        (4, Action::Update, say("name", Some("new")), "new"),
        (5, Action::Update, say("name", None), "new"),
        (6, Action::Delete, vec![], "new"),
        (7, Action::Create, say("label", Some("again")), "new"),
    ];
    for (time, action, features, expected) in steps {
        apply(&mut index, &Event::new(Time(time), action, Element::Node(node.clone())).with(features)).unwrap();
        assert_eq!(index.label(index.node_index(&node).unwrap()).as_deref(), Some(expected), "{time}");
    }
}

#[test]
fn an_excerpt_is_around_the_word() {
    let mut index = Index::new(Schema::default());
    let long = format!("{} the reef and {}", "İ so far ".repeat(40), "so on ".repeat(60));
    let about = vec![(Name::from("about"), Some(Value::text(&long)))];
    let node = NodeKey::new("item", "1");
    apply(&mut index, &Event::new(Time(1), Action::Create, Element::Node(node.clone())).with(about)).unwrap();
    let excerpt = index.excerpt(index.node_index(&node).unwrap(), "REEF").unwrap();
    assert!(excerpt.contains("the reef and") && excerpt.starts_with('…') && excerpt.ends_with('…'), "{excerpt}");
    assert_eq!(excerpt.chars().count(), 122);
    assert_eq!(index.excerpt(index.node_index(&node).unwrap(), "nothing"), None);
}
