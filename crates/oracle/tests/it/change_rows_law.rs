//! The law of change rows: rows of Debezium in any order, and the SCD2 tables of the same history, lead to what a map from key
//! to row holds at every time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use timeweft_graph::TimeUnit;

use crate::change_rows::Warehouse;

/// An order: its total, and its customer.
type Order = (Option<u8>, Option<u8>);

/// The slow reference: the rows of two tables.
#[derive(Clone, Default, PartialEq, Debug)]
struct Tables {
    customers: BTreeMap<u8, Option<u8>>,
    orders: BTreeMap<u8, Order>,
}

impl Tables {
    /// The same as a graph, an element a line.
    fn graph(&self) -> Vec<String> {
        let value = |name: &str, value: Option<u8>| value.map_or(String::new(), |value| format!(" {name}={value}"));
        let customers = self.customers.iter().map(|(id, rank)| format!("customer {id}{}", value("rank", *rank)));
        let orders = self.orders.iter().map(|(id, (total, _))| format!("order {id}{}", value("total", *total)));
        let links =
            self.orders.iter().filter_map(|(id, (_, of))| Some(format!("order {id} -placed_by-> customer {}", (*of)?)));
        let mut all: Vec<String> = customers.chain(orders).chain(links).collect();
        all.sort();
        all
    }
}

/// One step of a history: how long after the one before, and what is written.
#[derive(Clone, Debug)]
struct Step {
    wait: i64,
    what: What,
    /// Whether a row shows what was before.
    shows_before: bool,
}

#[derive(Clone, Debug)]
enum What {
    PutCustomer(u8, Option<u8>),
    DropCustomer(u8),
    PutOrder(u8, Option<u8>, Option<u8>),
    DropOrder(u8),
}

fn histories() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![
        2 => (0..3u8, prop::option::of(0..3u8)).prop_map(|(id, rank)| What::PutCustomer(id, rank)),
        1 => (0..3u8).prop_map(What::DropCustomer),
        4 => (0..4u8, prop::option::of(0..3u8), prop::option::of(0..3u8)).prop_map(|(id, total, of)| What::PutOrder(id, total, of)),
        1 => (0..4u8).prop_map(What::DropOrder),
    ];
    let step = (0..3i64, what, any::<bool>()).prop_map(|(wait, what, shows_before)| Step { wait, what, shows_before });
    prop::collection::vec(step, 1..40)
}

/// A history as a database has it: foreign keys lead to rows that are there.
struct Database {
    now: i64,
    lsn: u64,
    tables: Tables,
    /// The tables after each time at which something was written.
    states: BTreeMap<i64, Tables>,
    /// The rows of Debezium.
    rows: Vec<String>,
}

impl Database {
    fn of(history: &[Step]) -> Database {
        let (states, rows) = (BTreeMap::new(), Vec::new());
        let mut database = Database { now: 10, lsn: 0, tables: Tables::default(), states, rows };
        for step in history {
            database.now += step.wait;
            database.step(step);
            database.states.insert(database.now, database.tables.clone());
        }
        database
    }

    fn step(&mut self, step: &Step) {
        let shows = step.shows_before;
        match step.what {
            What::PutCustomer(id, rank) => {
                let before = self.tables.customers.insert(id, rank);
                let image = |rank: Option<u8>| format!(r#"{{"id":{id},"rank":{}}}"#, json(rank));
                self.write("customers", before.map(image), Some(image(rank)), shows);
            }
            What::DropCustomer(id) if self.tables.customers.contains_key(&id) => {
                let of: Vec<u8> =
                    self.tables.orders.iter().filter(|(_, row)| row.1 == Some(id)).map(|(id, _)| *id).collect();
                for order in of {
                    let total = self.tables.orders[&order].0;
                    self.put_order(order, (total, None), shows);
                }
                self.tables.customers.remove(&id);
                self.write("customers", Some(format!(r#"{{"id":{id},"rank":null}}"#)), None, true);
            }
            What::PutOrder(id, total, of) => {
                let of = of.filter(|of| self.tables.customers.contains_key(of));
                self.put_order(id, (total, of), shows);
            }
            What::DropOrder(id) if self.tables.orders.remove(&id).is_some() => {
                self.write("orders", Some(format!(r#"{{"id":{id}}}"#)), None, true);
            }
            _ => {}
        }
    }

    fn put_order(&mut self, id: u8, row: Order, shows_before: bool) {
        let image = |(total, of): Order| format!(r#"{{"id":{id},"total":{},"customer_id":{}}}"#, json(total), json(of));
        let before = self.tables.orders.insert(id, row);
        self.write("orders", before.map(image), Some(image(row)), shows_before);
    }

    fn write(&mut self, table: &str, before: Option<String>, after: Option<String>, shows_before: bool) {
        self.lsn += 1;
        let op = match (&before, &after) {
            (None, _) => "c",
            (Some(_), Some(_)) => "u",
            (Some(_), None) => "d",
        };
        let before = before.filter(|_| shows_before).unwrap_or_else(|| "null".into());
        let (after, now, lsn) = (after.unwrap_or_else(|| "null".into()), self.now, self.lsn);
        self.rows.push(format!(
            r#"{{"before":{before},"after":{after},"op":"{op}","source":{{"table":"{table}","ts_ms":{now},"lsn":{lsn}}}}}"#
        ));
    }

    /// The tables at a time.
    fn at(&self, time: i64) -> Tables {
        self.states.range(..=time).next_back().map(|(_, tables)| tables.clone()).unwrap_or_default()
    }

    /// A table as SCD2 has it: a row for each interval in which a row of it was the same.
    fn scd2<R: PartialEq + Copy>(
        &self,
        table: impl Fn(&Tables) -> &BTreeMap<u8, R>,
        cells: impl Fn(R) -> String,
    ) -> Vec<String> {
        let mut open: BTreeMap<u8, (i64, R)> = BTreeMap::new();
        let mut rows = Vec::new();
        let mut close =
            |id: u8, (from, row): (i64, R), to: &str| rows.push(format!("{id},{},{from},{to}\n", cells(row)));
        for (time, tables) in &self.states {
            let now = table(tables);
            open.retain(|id, held| {
                let stays = now.get(id) == Some(&held.1);
                if !stays {
                    close(*id, *held, &time.to_string());
                }
                stays
            });
            now.iter().for_each(|(id, row)| _ = open.entry(*id).or_insert((*time, *row)));
        }
        open.into_iter().for_each(|(id, held)| close(id, held, ""));
        rows
    }
}

fn json(value: Option<u8>) -> String {
    value.map_or_else(|| "null".into(), |value| value.to_string())
}

fn cell(value: Option<u8>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for at in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(at, (seed >> 33) as usize % (at + 1));
    }
}

/// A mapping of both tables, which are told apart by `key`.
fn mapping(changes: &str, key: &str, end: &str) -> String {
    let table = |name: &str| format!("{key} = \"{name}{end}\"");
    let (orders, customers) = (table("orders"), table("customers"));
    let mut mapping = format!("[changes]\n{changes}\n");
    let _ = write!(
        mapping,
        "[[nodes]]\n{orders}\ntype = \"order\"\nid = \"id\"\nfeatures = {{ total = \"int\" }}\n\
         [[nodes]]\n{customers}\ntype = \"customer\"\nid = \"id\"\nfeatures = {{ rank = \"int\" }}\n\
         [[edges]]\n{orders}\nrelation = \"placed_by\"\nsource = {{ type = \"order\", column = \"id\" }}\n\
         destination = {{ type = \"customer\", column = \"customer_id\" }}\n"
    );
    mapping
}

fn assert_is(graph: &Warehouse, database: &Database, what: &str) -> Result<(), TestCaseError> {
    for time in 9..=database.now + 1 {
        prop_assert_eq!(graph.at(time), database.at(time).graph(), "{} at {}", what, time);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_debezium_lead_to_the_tables_at_every_time(history in histories(), seed in any::<u64>(), cut in 0..40usize, again in 0..10usize) {
        let database = Database::of(&history);
        let in_order = mapping("format = \"debezium\"", "table", "");
        let mut graph = Warehouse::new(TimeUnit::Milli);
        let report = graph.load("a.jsonl", &(database.rows.join("\n") + "\n"), &in_order);
        prop_assert_eq!(report.n_rejected, 0, "{:?}", report.rejects);
        assert_is(&graph, &database, "in order")?;

        let mut shuffled = database.rows.clone();
        shuffle(&mut shuffled, seed);
        let mut graph = Warehouse::new(TimeUnit::Milli);
        let any = mapping("format = \"debezium\"\norder = \"any\"", "table", "");
        let report = graph.load("b.jsonl", &(shuffled.join("\n") + "\n"), &any);
        prop_assert_eq!(report.n_rejected, 0, "{:?}", report.rejects);
        assert_is(&graph, &database, "shuffled")?;

        // The second load begins with rows that came before: what is delivered, is delivered at least once.
        let cut = cut.min(database.rows.len());
        let mut graph = Warehouse::new(TimeUnit::Milli);
        graph.load("c.jsonl", &(database.rows[..cut].join("\n") + "\n"), &in_order);
        let since = database.rows[cut.saturating_sub(again)..].join("\n") + "\n";
        let report = graph.load("d.jsonl", &since, &in_order);
        // A row that came before may lead to a customer that is gone since, at the same time.
        prop_assert!(report.n_rejected == 0 || again > 0, "{:?}", report.rejects);
        assert_is(&graph, &database, "in two loads")?;
    }

    #[test]
    fn tables_of_scd2_lead_to_the_tables_at_every_time(history in histories(), seed in any::<u64>()) {
        let database = Database::of(&history);
        let mut orders = database.scd2(|tables| &tables.orders, |(total, of)| format!("{},{}", cell(total), cell(of)));
        let mut customers = database.scd2(|tables| &tables.customers, cell);
        shuffle(&mut orders, seed);
        shuffle(&mut customers, seed);
        let mut graph = Warehouse::new(TimeUnit::Milli);
        graph.file("dims/orders.csv", &("id,total,customer_id,valid_from,valid_to\n".to_owned() + &orders.concat()));
        let customers = graph.file("dims/customers.csv", &("id,rank,valid_from,valid_to\n".to_owned() + &customers.concat()));
        let report = graph.try_load(customers.parent().unwrap(), &mapping("format = \"scd2\"", "file", ".csv")).unwrap();
        prop_assert_eq!(report.n_rejected, 0, "{:?}", report.rejects);
        assert_is(&graph, &database, "SCD2")?;
    }
}
