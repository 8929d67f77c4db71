//! The queries of the documentation can be asked.

use crate::shop::Shop;

/// The blocks of SQL of a document.
fn blocks(text: &str) -> Vec<String> {
    let parts = text.split("```sql\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_queries_of_the_documentation_are_answered() {
    let text = include_str!("../../../../docs/sql.md");
    let (mut shop, mut asked) = (Shop::open(), 0);
    for block in blocks(text) {
        // A setting belongs to the query behind it.
        let mut settings = String::new();
        for query in block.split(';').map(str::trim).filter(|query| !query.is_empty()) {
            if query.starts_with("SET") {
                settings += &format!("{query}; ");
                continue;
            }
            let rows = shop.rows(&format!("{settings}{query}"));
            assert!(!rows.is_empty(), "{query} gives nothing");
            asked += 1;
        }
        shop.rows("RESET timeweft.at");
    }
    assert!(asked > 10, "{asked}");
}

#[test]
fn the_plan_of_the_documentation_is_the_plan() {
    let text = include_str!("../../../../docs/sql.md");
    let (_, example) = text.split_once("```\nEXPLAIN ").unwrap();
    let mut lines = example.lines();
    let (query, scan) = (lines.next().unwrap(), lines.next().unwrap());
    let rows = Shop::open().rows(&format!("EXPLAIN {query}"));
    assert!(rows.iter().any(|row| row[1].contains(scan)), "{rows:?}");
}

#[test]
fn every_view_and_function_is_documented() {
    let text = include_str!("../../../../docs/sql.md");
    let tables = Shop::open().session.tables().unwrap();
    let functions = tables.iter().filter(|table| table.signature.is_some());
    for name in functions.map(|table| table.name.as_str()).chain(["merges", "events", "loads"]) {
        assert!(text.contains(&format!("`{name}(")) || text.contains(&format!("`{name}`")), "{name}");
    }
}
