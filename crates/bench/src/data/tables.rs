//! Formula 1 from its relational tables.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use timeweft_graph::{Action, EdgeKey, Element, Event, NodeKey, Time, TimeUnit, Value};
use timeweft_index::Index;

use super::{Loading, text};

/// A table: rows by column name.
type Table = Vec<BTreeMap<String, String>>;

/// Races in order of date. On the day of a race its constructors enter drivers (`enters`), and drivers and constructors
/// get results in it, with what the table says of them; nodes appear with the first race that names them.
pub(super) fn races(folder: &Path) -> Result<Arc<Index>> {
    let [races, results, drivers, constructors] =
        ["races", "results", "drivers", "constructors"].map(|name| table(&folder.join(format!("{name}.csv"))));
    let (races, results) = (races?, results?);
    let features = [("driver", by(drivers?, "driverId")), ("constructor", by(constructors?, "constructorId"))];
    let mut by_race: BTreeMap<String, Table> = BTreeMap::new();
    results.into_iter().for_each(|row| by_race.entry(row["raceId"].clone()).or_default().push(row));
    let unit = TimeUnit::Second;
    let mut calendar = Vec::new();
    for race in &races {
        let time = unit.parse(&race["date"]).with_context(|| format!("the date of race {}", race["raceId"]))?;
        calendar.push((time, race));
    }
    calendar.sort_by_key(|(time, _)| *time);
    let mut loading = Loading::new(unit);
    let mut number = 0;
    for (time, race) in calendar {
        let key = NodeKey::new("race", race["raceId"].as_str());
        for row in by_race.get(&race["raceId"]).map_or(&[][..], Vec::as_slice) {
            let [driver, constructor] = [("driver", "driverId"), ("constructor", "constructorId")]
                .map(|(kind, column)| NodeKey::new(kind, row[column].as_str()));
            for (key, (_, rows)) in [&driver, &constructor].into_iter().zip(&features) {
                describe(&mut loading, key, rows, time)?;
            }
            number += 1;
            loading.link([constructor.clone(), driver.clone()], "enters".into(), time, number)?;
            for node in [driver, constructor] {
                result(&mut loading, node, &key, row, time, number)?;
            }
        }
        let circuit = NodeKey::new("circuit", race["circuitId"].as_str());
        loading.link([key, circuit], "held_at".into(), time, number)?;
    }
    Ok(Arc::new(loading.index))
}

/// A node with its country, when it first appears.
fn describe(loading: &mut Loading, key: &NodeKey, rows: &BTreeMap<String, String>, time: Time) -> Result<()> {
    if !loading.known.insert(key.clone()) {
        return Ok(());
    }
    let country = rows.get(&*key.id.to_string()).map(|country| Value::text(country));
    loading.apply(Event::new(time, Action::Create, Element::Node(key.clone())).with(vec![("country".into(), country)]))
}

/// A node's result in a race, with its numbers.
fn result(
    loading: &mut Loading,
    source: NodeKey,
    race: &NodeKey,
    row: &BTreeMap<String, String>,
    time: Time,
    number: usize,
) -> Result<()> {
    loading.node(race, time)?;
    let key = Some(number.to_string().into());
    let edge = EdgeKey { source, relation: "result_in".into(), destination: race.clone(), key };
    let numbers = ["grid", "positionOrder", "points", "laps"]
        .into_iter()
        .filter_map(|column| Some((column.into(), Some(Value::number(row.get(column)?.parse().ok()?)))));
    loading.apply(Event::new(time, Action::Create, Element::Edge(edge)).with(numbers.collect()))
}

/// Countries by key.
fn by(table: Table, key: &str) -> BTreeMap<String, String> {
    table.into_iter().map(|row| (row[key].clone(), row["nationality"].clone())).collect()
}

fn table(path: &Path) -> Result<Table> {
    let text = text(path)?;
    let mut lines = text.lines().map(fields);
    let columns = lines.next().with_context(|| format!("{} is empty", path.display()))?;
    Ok(lines.map(|row| columns.iter().cloned().zip(row).collect()).collect())
}

/// Cells of a line of CSV; quotes may hold commas.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.iter_mut().last().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}
