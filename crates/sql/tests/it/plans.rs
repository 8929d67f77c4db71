//! What is pushed down to the tables, as plans show it.

use crate::shop::Shop;

/// The scans of a plan, and what stands above them but for the engine's own wrapping.
fn plan(shop: &mut Shop, query: &str) -> String {
    let rows = shop.rows(&format!("EXPLAIN {query}"));
    let physical = rows.iter().find(|row| row[0] == "physical_plan").unwrap()[1].clone();
    let lines = physical.lines().filter(|line| !line.contains("CooperativeExec") && !line.contains("RepartitionExec"));
    lines.map(str::trim).collect::<Vec<_>>().join(" <- ")
}

#[test]
fn plans_show_what_is_pushed_down() {
    let mut shop = Shop::open();
    for (query, expected) in [
        (
            "SELECT id FROM nodes WHERE type = 'user' AND id = 'ann'",
            "NodeScan: commit=2, at=now, type in (user), id in (ann), columns=[id]",
        ),
        (
            "SELECT age FROM user TIMESTAMP AS OF '2016-03-01' WHERE id IN ('ann', 'bo', 'cy', 'dee')",
            "NodeScan: commit=2, of=user, at=2016-03-01T00:00:00Z, id in (ann, bo, cy, dee), columns=[age]",
        ),
        (
            "SELECT id FROM nodes VERSION AS OF 1 WHERE created >= '2016-01-03' AND created < '2016-01-05'",
            "NodeScan: commit=1, at=now, created in [1451779200, ..], created in [.., 1451951999], columns=[id]",
        ),
        (
            "SELECT id FROM nodes WHERE removed IS NULL LIMIT 2",
            "GlobalLimitExec: skip=0, fetch=2 <- NodeScan: commit=2, at=now, removed in (null), limit=2, columns=[id]",
        ),
        (
            "SELECT destination_id FROM edges WHERE source_type = 'user' AND source_id = 'ann' AND relation = 'buys'",
            "EdgeScan: commit=2, at=now, source_type in (user), source_id in (ann), relation in (buys), columns=[destination_id]",
        ),
        (
            "SELECT count FROM user.buys.item WHERE destination = 3",
            "EdgeScan: commit=2, of=user.buys.item, at=now, destination in (3), columns=[count]",
        ),
        (
            "SELECT action FROM events WHERE time BETWEEN '2016-03-01' AND '2016-03-02'",
            "EventScan: commit=2, time in [1456790400, 1456876800], columns=[action]",
        ),
        (
            "SELECT id FROM user WHERE age > 35",
            "FilterExec: age@1 > 35, projection=[id@0] <- NodeScan: commit=2, of=user, at=now, columns=[id, age]",
        ),
    ] {
        assert_eq!(plan(&mut shop, query), expected, "{query}");
    }
}

#[test]
fn counting_reads_no_row() {
    let mut shop = Shop::open();
    for query in ["SELECT count(*) FROM nodes", "SELECT count(*) FROM user.buys.item TIMESTAMP AS OF '2016-02-10'"] {
        let told = plan(&mut shop, query);
        assert!(told.contains("PlaceholderRowExec") && !told.contains("Scan"), "{told}");
    }
    let mut answer = shop.session.query("SELECT count(*) FROM nodes").unwrap();
    assert_eq!(answer.by_ref().count(), 1);
    assert_eq!(answer.scanned(), 0);
    let mut answer = shop.session.query("SELECT features FROM nodes WHERE id = 'ann'").unwrap();
    assert_eq!((answer.by_ref().count(), answer.scanned()), (1, 1), "a point lookup reads one row");
}
