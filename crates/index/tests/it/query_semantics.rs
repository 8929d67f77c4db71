//! Conformance cases of queries. What a server does and a library cannot (Q4) is said at the test.

use timeweft_graph::{Action, EdgeKey, Element, Event, Features, Name, NodeKey, Reason, Schema, Time, Value};
use timeweft_index::Index;
use timeweft_index::query::{Answer, Filter, Order, Page, Query, QueryError, SearchText};

use crate::event_builders::{apply, index};

fn node(node_type: &str, id: &str) -> NodeKey {
    NodeKey::new(node_type, id)
}

fn made(time: i64, key: &NodeKey, features: Features) -> Event {
    Event::new(Time(time), Action::Create, Element::Node(key.clone())).with(features)
}

fn linked(time: i64, source: &NodeKey, relation: &str, destination: &NodeKey) -> Event {
    let key =
        EdgeKey { source: source.clone(), relation: relation.into(), destination: destination.clone(), key: None };
    Event::new(Time(time), Action::Create, Element::Edge(key))
}

fn text(feature: &str, text: &str) -> (Name, Option<Value>) {
    (feature.into(), Some(Value::text(text)))
}

fn flag(feature: &str, flag: bool) -> (Name, Option<Value>) {
    (feature.into(), Some(Value::Json(flag.into())))
}

fn ids(answer: &Answer) -> Vec<String> {
    answer.rows.iter().map(|row| row.node.key.id.to_string()).collect()
}

fn texts(answer: &Answer, feature: &str) -> Vec<String> {
    answer.rows.iter().map(|row| row.node.features[feature].to_string()).collect()
}

fn term(id: &str) -> NodeKey {
    node("ENVO_term", &format!("ENVO:{id}"))
}

/// Five terms of ENVO.
fn envo() -> Index {
    let terms = [
        ("00000446", "terrestrial biome"),
        ("00000428", "biome"),
        ("01001110", "ecosystem"),
        ("01000254", "environmental system"),
        ("00002030", "aquatic biome"),
    ];
    let edges =
        [("00000446", "00000428"), ("00000428", "01001110"), ("01001110", "01000254"), ("00002030", "00000428")];
    let nodes = terms.iter().map(|(id, name)| made(0, &term(id), vec![text("name", name)]));
    let edges = edges.iter().map(|(from, to)| linked(0, &term(from), "is_a", &term(to)));
    index(&nodes.chain(edges).collect::<Vec<_>>())
}

#[test]
fn terms_of_an_ontology() {
    let index = envo();
    let query = index.query(Time::FOREVER);
    let named = |name: &str, within: Option<&NodeKey>| ids(&query.by_name("ENVO_term", name, within).unwrap());
    assert_eq!(named("terrestrial biome", Some(&term("01001110"))), ["ENVO:00000446"]);
    assert_eq!(named("Terrestrial BIOME", Some(&term("01001110"))), ["ENVO:00000446"]);
    assert_eq!(named("terrestrial", None), [""; 0]);
    assert_eq!(named("terrestrial biome", Some(&term("00002030"))), [""; 0]);
    assert_eq!(named("terrestrial biome", None), ["ENVO:00000446"]);
    // A term is not its own ancestor, and the root is found by name where no ancestor is asked for.
    assert_eq!(named("terrestrial biome", Some(&term("00000446"))), [""; 0]);
    assert_eq!(named("environmental system", None), ["ENVO:01000254"]);

    assert_eq!(ids(&query.children(&term("00000428"))), ["ENVO:00000446", "ENVO:00002030"]);
    assert_eq!(ids(&query.parents(&term("00000428"))), ["ENVO:01001110"]);
    assert_eq!(ids(&query.descendants(&term("01001110"))), ["ENVO:00000428", "ENVO:00000446", "ENVO:00002030"]);
    assert_eq!(ids(&query.ancestors(&term("00000446"))), ["ENVO:00000428", "ENVO:01000254", "ENVO:01001110"]);
    assert_eq!(ids(&query.siblings(&term("00000446"))), ["ENVO:00002030"]);
    let known = query.get(&[term("00000446"), term("00002030"), term("abcd"), term("00000446")]).unwrap();
    assert_eq!(ids(&known), ["ENVO:00000446", "ENVO:00002030"]);

    let child = &query.children(&term("00000428")).rows[0];
    assert_eq!(child.edges[0].key.to_string(), "ENVO_term ENVO:00000446 -is_a-> ENVO_term ENVO:00000428");
    assert_eq!(query.clone().depth(2).ancestors(&term("00000446")).total, 2);
    assert_eq!(index.query(Time(-1)).ancestors(&term("00000446")).total, 0);
}

fn taxon(id: &str) -> NodeKey {
    node("taxon", id)
}

/// Seven taxa, a strain, and three objects of a workspace linked to the root.
fn taxa() -> Index {
    let taxa = [
        ("1", "Bacteria", "Domain", false),
        ("2", "Firmicutes", "Phylum", false),
        ("3", "Bacilli", "Class", false),
        ("4", "Proteobacteria", "Phylum", false),
        ("5", "Alphaproteobacteria", "Class", false),
        ("6", "Gammaproteobacteria", "Class", false),
        ("7", "Deltaproteobacteria", "Class", false),
        ("8", "Bacillus subtilis 168", "no rank", true),
    ];
    let features = |name, rank, strain| vec![text("scientific_name", name), text("rank", rank), flag("strain", strain)];
    let nodes = taxa.iter().map(|(id, name, rank, strain)| made(0, &taxon(id), features(name, rank, *strain)));
    let edges = [("2", "1"), ("4", "1"), ("3", "2"), ("5", "4"), ("6", "4"), ("7", "4"), ("8", "3")];
    let edges = edges.iter().map(|(from, to)| linked(0, &taxon(from), "child_of", &taxon(to)));
    let objects = [("1:1:1", true), ("1:1:2", true), ("2:1:1", false)].into_iter().flat_map(|(id, public)| {
        let object = node("object", id);
        [made(0, &object, vec![flag("public", public)]), linked(0, &object, "assigned", &taxon("1"))]
    });
    index(&nodes.chain(edges).chain(objects).collect::<Vec<_>>())
}

fn names(index: &Index) -> Query<'_> {
    index.query(Time::FOREVER).named_by("scientific_name").order(Order::Name)
}

#[test]
fn lineage_children_and_siblings_of_taxa() {
    let index = taxa();
    let query = names(&index);
    let lineage = query.clone().select(["scientific_name", "rank"]).lineage(&taxon("7"));
    assert_eq!(texts(&lineage, "scientific_name"), ["Bacteria", "Proteobacteria"]);
    assert_eq!(
        lineage.rows[0].node.features.keys().map(|name| &**name).collect::<Vec<_>>(),
        ["rank", "scientific_name"]
    );
    assert_eq!(lineage.rows.iter().map(|row| row.depth).collect::<Vec<_>>(), [2, 1]);

    let either = SearchText::parse("firmicutes,|proteobacteria").unwrap();
    let children = query.clone().filter(Filter::matches("scientific_name", either)).children(&taxon("1"));
    assert_eq!(
        (texts(&children, "scientific_name"), children.total),
        (vec!["Firmicutes".into(), "Proteobacteria".into()], 2)
    );
    assert_eq!(query.clone().page(Page::all()).children(&taxon("1")).rows.len(), 2);

    let siblings = query.siblings(&taxon("5"));
    assert_eq!(texts(&siblings, "scientific_name"), ["Deltaproteobacteria", "Gammaproteobacteria"]);
    assert_eq!(siblings.total, 2);
    assert_eq!(query.siblings(&taxon("1")).total, 0);
    assert_eq!(query.siblings(&taxon("xyz")).total, 0);
    assert_eq!(ids(&query.get(&[taxon("1")]).unwrap()), ["1"]);
    assert_eq!(ids(&query.by_name("taxon", "Deltaproteobacteria", None).unwrap()), ["7"]);
    assert_eq!(query.by_name("taxon", "xyz", None).unwrap().total, 0);
}

#[test]
fn search_of_scientific_names() {
    let index = taxa();
    let search = |text: &str, filter: Filter| {
        let answer = names(&index).filter(filter).search("taxon", &SearchText::parse(text).unwrap()).unwrap();
        assert_eq!(answer.total, answer.rows.len());
        texts(&answer, "scientific_name")
    };
    let all = Filter::anything;
    assert_eq!(search("prefix:bact", all()), ["Bacteria"]);
    assert_eq!(search("xyzabc", all()), [""; 0]);
    assert_eq!(search("prefix:gamma,|prefix:alpha,|prefix:delta", all()).len(), 3);
    assert_eq!(search("bac", all()), [""; 0]);

    let three = ["Bacilli", "Bacillus subtilis 168", "Bacteria"];
    let ranks = |ranks: &[&str]| Filter::shows("rank", ranks.iter().copied());
    let strain = |strain: bool| Filter::is("strain", Value::Json(strain.into()));
    assert_eq!(search("prefix:bac", all()), three);
    assert_eq!(search("prefix:bac", ranks(&["Domain", "Class"])), ["Bacilli", "Bacteria"]);
    assert_eq!(search("prefix:bac", ranks(&["Class"])), ["Bacilli"]);
    assert_eq!(search("prefix:bac", ranks(&["Class"]).or(strain(true))), three[..2]);
    assert_eq!(search("prefix:bac", ranks(&["Class"]).and(strain(false))), ["Bacilli"]);
    // A value of another kind is another value.
    assert_eq!(search("prefix:bac", Filter::is("strain", Value::text("true"))), [""; 0]);
}

#[test]
fn objects_linked_to_a_taxon() {
    let index = taxa();
    let objects = names(&index).filter(Filter::shows("public", ["true"])).linked(&taxon("1"));
    assert_eq!((objects.total, objects.accessible), (3, 2));
    assert_eq!(objects.rows.iter().map(|row| row.node.key.id.to_string()).collect::<Vec<_>>(), ["1:1:1", "1:1:2"]);
    assert_eq!(objects.rows[0].edges[0].key.relation, "assigned".into());
    assert_eq!(names(&index).linked(&taxon("2")).total, 0);
    assert_eq!(names(&index).relations(["child_of"]).linked(&taxon("1")).total, 0);
    let taxon_of = names(&index).links(&node("object", "2:1:1"));
    assert_eq!(taxon_of.rows[0].node.key, taxon("1"));
}

#[test]
fn wrong_parameters_are_named() {
    assert_eq!(Page::new(1001, 0), Err(QueryError::Limit(1001)));
    assert_eq!(Page::new(0, 0), Err(QueryError::Limit(0)));
    assert_eq!(Page::new(1000, 100_001), Err(QueryError::Offset(100_001)));
    assert!(Page::new(1000, 100_000).is_ok());
    for (message, error) in [
        ("limit 1001 is out of range: give 1 to 1000", Page::new(1001, 0).unwrap_err()),
        ("offset 100001 is out of range: give 0 to 100000", Page::new(1, 100_001).unwrap_err()),
        ("text ` ` has no letter or digit: give a word to search for", SearchText::parse(" ").unwrap_err()),
        (
            "10001 ids are too many: give at most 10000",
            taxa().query(Time(0)).get(&vec![taxon("1"); 10_001]).unwrap_err(),
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    let index = taxa();
    let wrong = index.query(Time(0)).named_by("strain").by_name("taxon", "true", None).unwrap_err();
    assert_eq!(wrong.to_string(), "feature `strain` of taxon holds json: name one that holds text");
}

/// Names as taxonomies have them, with everything that a search has a meaning for.
const ODD_NAMES: [&str; 30] = [
    "Bacillus sp. (in: Bacteria)",
    "\"Candidatus Pelagibacter\" sp. HTCC7211",
    "'Candidatus Kinetoplastibacterium blastocrithidii'",
    "[Clostridium] difficile R20291",
    "Influenza A virus (A/Puerto Rico/8/1934(H1N1))",
    "Salmonella enterica subsp. enterica serovar 4,[5],12:i:- str. 08-1736",
    "Escherichia coli O157:H7 str. EDL933",
    "Drosophila melanogaster x Drosophila simulans",
    "Gram+ve bacterium 3+1",
    "marine bacterium 'rod|coccus'",
    "alpha|beta, gamma",
    "one,|two",
    "Human papillomavirus type 16, strain Δ5",
    "Saccharomyces cerevisiae S288c; YJM789",
    "uncultured bacterium #0319-6E2",
    "Methanosarcina mazei Go1 = DSM 3647",
    "Lactobacillus sp. 7_1_47FAA",
    "Pseudomonas aeruginosa PA01/2 *type*",
    "Nostoc sp. PCC 7120 = FACHB-418",
    "Streptomyces sp. 'Wigar10'",
    "Rhizobium sp. <unidentified>",
    "synthetic construct {plasmid pBR322}",
    "Torque teno virus~3",
    "Bacteriophage T4 & T7",
    "Cyanothece sp. 50% strain",
    "Vibrio cholerae O1 biovar El Tor str. N16961 \\ lab",
    "Ophiocordyceps unilateralis s.l.?",
    "Überkeim Ærøensis Šidlof",
    "prefix tree fungus: complete!",
    "Ζυμομύκητας ΟΔΟΣ",
];

#[test]
fn names_of_any_kind_find_themselves() {
    let nodes = ODD_NAMES.iter().enumerate();
    let events: Vec<_> =
        nodes.map(|(id, name)| made(0, &taxon(&id.to_string()), vec![text("scientific_name", name)])).collect();
    let index = index(&events);
    let query = names(&index);
    for (id, name) in ODD_NAMES.iter().enumerate() {
        let readings = [
            SearchText::parse(name),
            SearchText::literal(name, false),
            SearchText::literal(name, true),
            SearchText::parse(&name.to_uppercase()),
            SearchText::parse(&format!("prefix:{name}")),
        ];
        for (way, text) in readings.into_iter().enumerate() {
            let found = query.search("taxon", &text.unwrap()).unwrap();
            assert_eq!(found.rows[0].node.key, taxon(&id.to_string()), "{name}, reading {way}");
        }
        let reversed: String = name.chars().rev().collect();
        assert_eq!(
            query.search("taxon", &SearchText::literal(&reversed, true).unwrap()).unwrap().total,
            0,
            "{reversed}"
        );
        assert_eq!(query.search("taxon", &SearchText::parse(&reversed).unwrap()).unwrap().total, 0, "{reversed}");
        assert_eq!(ids(&query.by_name("taxon", name, None).unwrap()), [id.to_string()], "{name}");
    }
}

/// Species, or below one, or a strain.
fn species_or_strain() -> Filter {
    let ranks = Filter::shows("rank", ["species", "strain", "subspecies"]);
    ranks.or(Filter::shows("strain", ["true"])).or(Filter::shows("species_or_below", ["true"]))
}

type Flags = &'static [(&'static str, bool)];

fn viruses() -> Index {
    let entries: [(&str, &str, Flags); 14] = [
        ("Influenza A virus", "species", &[]),
        ("Influenza B virus", "species", &[]),
        ("Human influenza virus", "no rank", &[("strain", true)]),
        ("Haemophilus influenzae", "species", &[]),
        ("Influenzavirus", "genus", &[("strain", false)]),
        ("Covid no rank strain", "no rank", &[("strain", true)]),
        ("Covid genus", "genus", &[]),
        ("Covid species", "species", &[]),
        ("Covid clade strain", "clade", &[("strain", true)]),
        ("A Covid below", "no rank", &[("species_or_below", true)]),
        ("Covid clade below", "clade", &[("species_or_below", true)]),
        ("Covid species below", "species", &[("species_or_below", true)]),
        ("Covid genus not below", "genus", &[("species_or_below", false)]),
        ("Cov", "species", &[]),
    ];
    let events = entries.iter().enumerate().map(|(id, (name, rank, flags))| {
        let flags = flags.iter().map(|(name, value)| flag(name, *value));
        let features = [text("scientific_name", name), text("rank", rank)].into_iter().chain(flags);
        made(0, &taxon(&id.to_string()), features.collect())
    });
    index(&events.collect::<Vec<_>>())
}

#[test]
fn species_and_strains_come_best_first() {
    let index = viruses();
    let search = |text: &str| {
        let text = SearchText::literal(text, true).unwrap();
        let answer = names(&index).filter(species_or_strain()).search("taxon", &text).unwrap();
        texts(&answer, "scientific_name")
    };
    let flu = ["Influenza A virus", "Influenza B virus", "Haemophilus influenzae", "Human influenza virus"];
    assert_eq!(search("inf"), flu);
    let covid = [
        "Covid clade below",
        "Covid clade strain",
        "Covid no rank strain",
        "Covid species",
        "Covid species below",
        "A Covid below",
    ];
    assert_eq!(search("Covid"), covid);
    assert_eq!(search("Cov")[0], "Cov");
    assert_eq!(search("Cov")[1..], covid);
}

/// What Q4 asks of a server has no counterpart in a library that is embedded: there is no token or role to check, no
/// collection to name (types are), no ad-hoc query to forbid, no cursor that is spent (a view answers the same page as
/// often as it is asked), and no `ws_ids` to overwrite (a filter is the caller's own). Parameters of a wrong type do not
/// compile. What remains: paging over 20 nodes by 10, wrong parameters (`wrong_parameters_are_named`), and duplicates
/// on import, each reported with its reason and without effect.
#[test]
fn pages_and_duplicates() {
    let parent = taxon("root");
    let children: Vec<_> = (0..20).map(|id| taxon(&format!("c{id:02}"))).collect();
    let edges = children.iter().flat_map(|key| [made(0, key, vec![]), linked(0, key, "child_of", &parent)]);
    let mut index = index(&[made(0, &parent, vec![])].into_iter().chain(edges).collect::<Vec<_>>());

    let page = |offset| index.query(Time(0)).page(Page::new(10, offset).unwrap()).children(&parent);
    let pages = [page(0), page(10), page(20)];
    assert_eq!(
        pages.iter().map(|page| (page.total, page.rows.len())).collect::<Vec<_>>(),
        [(20, 10), (20, 10), (20, 0)]
    );
    let told: Vec<_> = pages.iter().flat_map(|page| &page.rows).map(|row| row.node.key.clone()).collect();
    assert_eq!(told, children);

    let before = index.query(Time::FOREVER).page(Page::all()).children(&parent);
    let repeats = children[..3].iter().map(|key| apply(&mut index, &made(0, key, vec![text("name", "other")])));
    let rejects: Vec<_> = repeats.filter_map(Result::err).collect();
    assert_eq!(rejects, children[..3].iter().map(|key| Reason::NodeExists(key.clone())).collect::<Vec<_>>());
    assert_eq!(index.query(Time::FOREVER).page(Page::all()).children(&parent), before);
}

#[test]
fn a_name_is_found_while_it_holds() {
    let term = node("term", "1");
    let renamed =
        Event::new(Time(5), Action::Update, Element::Node(term.clone())).with(vec![text("name", "Later name")]);
    let nameless = Event::new(Time(7), Action::Update, Element::Node(term.clone())).with(vec![("name".into(), None)]);
    let deleted = Event::new(Time(9), Action::Delete, Element::Node(term.clone()));
    let again = made(12, &term, vec![text("name", "First name")]);
    let mut index = index(&[made(1, &term, vec![text("name", "First name")]), renamed, nameless, deleted]);
    let found =
        |index: &Index, time: i64, name: &str| index.query(Time(time)).by_name("term", name, None).unwrap().total;
    let when = |index: &Index, name: &str| (0..15).filter(|&time| found(index, time, name) == 1).collect::<Vec<_>>();
    assert_eq!(when(&index, "first name"), [1, 2, 3, 4]);
    assert_eq!(when(&index, "later name"), [5, 6]);
    let pinned = index.clone();
    apply(&mut index, &again).unwrap();
    assert_eq!(when(&index, "first name"), [1, 2, 3, 4, 12, 13, 14]);
    assert_eq!(when(&pinned, "first name"), [1, 2, 3, 4]);
}

#[test]
fn merges_are_followed_step_by_step() {
    let keys = ["a", "b", "c"].map(|id| node("term", id));
    let [a, b, c] = &keys;
    let of = |time: i64, action, element| Event::new(Time(time), action, element);
    let merge = |from: &NodeKey, into: &NodeKey| Element::Merge { from: from.clone(), into: into.clone() };
    let mut events: Vec<_> = keys.iter().map(|key| made(0, key, vec![])).collect();
    events.push(of(2, Action::Delete, Element::Node(a.clone())));
    events.push(of(2, Action::Create, merge(a, b)));
    events.push(of(4, Action::Delete, Element::Node(b.clone())));
    events.push(of(4, Action::Create, merge(b, c)));
    events.push(of(6, Action::Delete, merge(b, c)));
    events.push(of(7, Action::Create, merge(b, a)));
    let index = index(&events);
    let way = |time: i64, key: &NodeKey| {
        let way = index.query(Time(time)).resolve(key);
        let steps: Vec<_> = way.steps.iter().map(|step| step.into.id.to_string()).collect();
        (steps.join(">"), way.target.id.to_string(), way.alive, way.circular)
    };
    assert_eq!(way(1, a), (String::new(), "a".into(), true, false));
    assert_eq!(way(2, a), ("b".into(), "b".into(), true, false));
    assert_eq!(way(4, a), ("b>c".into(), "c".into(), true, false));
    assert_eq!(way(6, a), ("b".into(), "b".into(), false, false));
    assert_eq!(way(7, a), ("b".into(), "b".into(), false, true));
    assert_eq!(way(7, &node("term", "zzz")), (String::new(), "zzz".into(), false, false));
    let query = index.query(Time(5));
    let held: Vec<_> = query.merges_from(&keys).unwrap().iter().map(|merge| merge.into.clone()).collect();
    assert_eq!(held, [b.clone(), c.clone()]);
    assert_eq!(query.merge_history(std::slice::from_ref(b)).unwrap().len(), 2);
    assert_eq!(index.query(Time(5)).resolve(a).steps[1].interval.removed, Time(6));
}

#[test]
fn advice_is_told_and_nothing_resolves_through_it() {
    let keys = ["a", "b", "c"].map(|id| node("term", id));
    let [a, b, c] = &keys;
    let merge = |into: &NodeKey, kind: &str| {
        let element = Element::Merge { from: a.clone(), into: into.clone() };
        Event::new(Time(2), Action::Create, element).with(vec![text("type", kind)])
    };
    let mut events: Vec<_> = keys.iter().map(|key| made(0, key, vec![])).collect();
    events.push(Event::new(Time(2), Action::Delete, Element::Node(a.clone())));
    events.extend([merge(b, "consider"), merge(c, "replaced_by")]);
    let index = index(&events);
    let way = index.query(Time(2)).resolve(a);
    assert_eq!((&way.target, way.steps.len()), (c, 1));
    assert_eq!(way.steps[0].features["type"], Value::text("replaced_by"));
    assert_eq!(index.query(Time(2)).merges_from(&keys).unwrap().len(), 2);
}

#[test]
fn walks_go_a_hundred_hops_unless_told_otherwise() {
    let chain: Vec<_> = (0..150).map(|id| taxon(&id.to_string())).collect();
    let mut events: Vec<_> = chain.iter().map(|key| made(0, key, vec![])).collect();
    events.extend(chain.windows(2).map(|pair| linked(0, &pair[0], "child_of", &pair[1])));
    let index = index(&events);
    let query = index.query(Time(0));
    let totals = |query: &Query<'_>| (query.ancestors(&chain[0]).total, query.lineage(&chain[0]).rows.len());
    assert_eq!(totals(&query), (100, 100));
    assert_eq!(totals(&query.clone().depth(120)), (120, 120));
    assert_eq!(totals(&query.clone().depth(u32::MAX)), (149, 149));
    assert_eq!(totals(&query.clone().depth(0)), (0, 0));
}

/// Diamonds, circles and self-loops: nobody is told twice, nobody is their own relative, roots come first.
#[test]
fn walks_tell_each_node_once() {
    let ids = ["x", "a", "b", "root", "loop"];
    let mut events: Vec<_> = ids.iter().map(|id| made(0, &taxon(id), vec![])).collect();
    for (from, to) in
        [("x", "a"), ("x", "b"), ("x", "root"), ("a", "b"), ("b", "root"), ("x", "x"), ("loop", "x"), ("x", "loop")]
    {
        events.push(linked(0, &taxon(from), "child_of", &taxon(to)));
    }
    let index = index(&events);
    let query = index.query(Time(0));
    assert_eq!(ids_of(&query.ancestors(&taxon("x"))), [("a", 1), ("b", 1), ("loop", 1), ("root", 1)]);
    assert_eq!(ids_of(&query.descendants(&taxon("root"))), [("a", 2), ("b", 1), ("loop", 2), ("x", 1)]);
    assert_eq!(ids_of(&query.lineage(&taxon("x"))), [("loop", 1), ("root", 1), ("b", 1), ("a", 1)]);
    assert_eq!(ids_of(&query.parents(&taxon("loop"))), [("x", 1)]);
    assert_eq!(query.related(&taxon("loop")).rows[0].edges.len(), 2);
    assert_eq!(ids_of(&query.siblings(&taxon("b"))), [("x", 2)]);
}

fn ids_of(answer: &Answer) -> Vec<(&str, u32)> {
    let id = |key: &NodeKey| ["x", "a", "b", "root", "loop"].into_iter().find(|id| taxon(id) == *key).unwrap();
    answer.rows.iter().map(|row| (id(&row.node.key), row.depth)).collect()
}

#[test]
fn equal_names_come_by_id_and_no_name_comes_last() {
    let parent = taxon("0");
    let mut events = vec![made(0, &parent, vec![])];
    for (id, name) in [("3", Some("Same")), ("1", None), ("2", Some("same")), ("4", Some("other"))] {
        let name = name.map(|name| text("scientific_name", name));
        events.extend([made(0, &taxon(id), name.into_iter().collect()), linked(0, &taxon(id), "child_of", &parent)]);
    }
    let index = index(&events);
    assert_eq!(ids(&names(&index).search("taxon", &SearchText::parse("same").unwrap()).unwrap()), ["2", "3"]);
    assert_eq!(ids(&names(&index).by_name("taxon", "SAME", None).unwrap()), ["2", "3"]);
    assert_eq!(ids(&names(&index).children(&parent)), ["4", "2", "3", "1"]);
    assert_eq!(ids(&index.query(Time(0)).children(&parent)), ["1", "2", "3", "4"]);
}

#[test]
fn what_is_not_known_has_nothing() {
    let index = Index::new(Schema::default());
    let query = index.query(Time(0));
    assert_eq!(query.by_name("term", "x", None).unwrap(), Answer::default());
    assert_eq!(query.search("term", &SearchText::parse("x").unwrap()).unwrap(), Answer::default());
    assert_eq!(query.related(&taxon("1")), Answer::default());
    let index = taxa();
    assert_eq!(index.query(Time(0)).named_by("nothing").by_name("taxon", "x", None).unwrap(), Answer::default());
    assert_eq!(index.query(Time(0)).relations(["nothing"]).ancestors(&taxon("8")), Answer::default());
}
