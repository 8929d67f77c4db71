//! The first steps.

use crate::shop::Shop;

#[test]
fn views_show_a_moment() {
    let mut shop = Shop::open();
    assert_eq!(shop.line("SELECT id FROM \"user\" ORDER BY id"), "ann, cy");
    assert_eq!(
        shop.line("SELECT id, age FROM user TIMESTAMP AS OF '2016-02-01' WHERE age > 20 ORDER BY id"),
        "ann 31.0, bo 25.0"
    );
    assert_eq!(shop.line("SELECT count(*) FROM nodes"), "7");
    assert_eq!(shop.line("SELECT count(*) FROM nodes VERSION AS OF 1"), "8");
    assert_eq!(
        shop.line("SELECT source_id, destination_id, count FROM \"user.buys.item\" ORDER BY 1, 2"),
        "ann 1 3, ann 30 7"
    );
    assert_eq!(
        shop.line("SELECT source_id, destination_id FROM user.buys.item FOR SYSTEM_TIME AS OF 1 ORDER BY 1, 2"),
        "ann 1, bo 1"
    );
    assert_eq!(shop.line("SELECT id FROM term WHERE name = 'pear'"), "T:3");
}

#[test]
fn functions_take_arguments_by_place_and_by_name() {
    let mut shop = Shop::open();
    assert_eq!(shop.line("SELECT id, depth FROM ancestors('Term', 'T:3') ORDER BY depth"), "T:2 1, T:1 2");
    assert_eq!(
        shop.line("SELECT side, id FROM neighbors('user', 'bo', at => '2016-02-10') ORDER BY 1, 2"),
        "in ann, in bo, out 1, out bo"
    );
    assert_eq!(
        shop.line("SELECT change, what, id FROM diff('2016-04-30', '2016-05-03') WHERE what = 'node' ORDER BY 1"),
        "removed node 2, updated node ann"
    );
    assert_eq!(shop.line("SELECT action, source_id, destination_id, count FROM changes('buys', '2016-02-01', '2016-02-03') ORDER BY time"), "create ann 1 2, create ann 2 1");
    assert_eq!(shop.line("SELECT from_id, into_id FROM merges"), "bo ann");
    assert_eq!(shop.line("SELECT load, namespace FROM loads"), "1 shop, 2 shop");
    assert_eq!(
        shop.line("SELECT what, detail FROM history('item', 1) WHERE what = 'feature'"),
        "feature 10, feature 11"
    );
}

#[test]
fn what_is_not_understood_is_an_error() {
    let mut shop = Shop::open();
    for (query, expected) in [
        ("SELECT * FROM nodes TABLESAMPLE (10 PERCENT)", "TABLESAMPLE"),
        ("SELECT * FROM nodes VERSION AS OF '2016-01-01'", "TIMESTAMP AS OF '2016-06-01'"),
        ("SELECT * FROM nodes FOR SYSTEM_TIME AS OF '2016-01-01'", "TIMESTAMP AS OF '2016-06-01'"),
        ("SELECT * FROM nodes FOR UPDATE", "FOR UPDATE"),
        ("INSERT INTO nodes VALUES (1)", "INSERT writes"),
        ("SELECT * FROM nothing", "there is no table `nothing`: there are nodes, edges"),
        ("SELECT agee FROM user", "agee"),
        ("SET timeweft.what = 1", "timeweft.at"),
    ] {
        let error = shop.error(query);
        assert!(error.contains(expected), "{query}: {error}");
    }
}

#[test]
fn each_row_is_asked_at_its_own_time() {
    let mut shop = Shop::open();
    let query = "SELECT feature_at('user', 'ann', 'age', t) FROM (VALUES ('2015-01-01'), ('2016-01-01'), ('2016-03-01')) AS v (t)";
    assert_eq!(shop.line(query), "-, 31.0, 32.0");
    let query = "SELECT destination_id, feature_at(destination_type, destination_id, 'price', created), \
                 degree_at('user', source_id, 'out', created, 'buys') FROM edges('buys', at => '2016-03-03') ORDER BY created";
    assert_eq!(shop.line(query), "1 10 1, 2 20 2, 1 10 1");
    assert_eq!(shop.line("SELECT alive_at('user', 'cy', '2016-04-01'), alive_at('user', 'cy', '2016-04-02'), alive_at('user', NULL, 1)"), "true false -");
    assert_eq!(shop.line("SELECT resolve_at('user', 'bo', '2016-05-31'), resolve_at('user', 'bo', 'now'), resolve_type_at('user', 'bo', 'now')"), "bo ann user");
    let query = "SELECT last_linked('user', 'ann', 'buys', 'item', id, now()) FROM item ORDER BY id";
    assert_eq!(shop.line(query), "2016-02-01T00:00:00Z, 2016-05-01T00:00:00Z");
    for (query, expected) in [
        ("SELECT feature_at('user', id, 'agee', 1) FROM user", "age"),
        ("SELECT feature_at('user', id, id, 1) FROM user", "constant"),
        ("SELECT degree_at('user', id, 'up', 1) FROM user", "'out', 'in', 'both'"),
        ("SELECT alive_at('user', id, true) FROM user", "is no time"),
        ("SELECT alive_at('user', id, 'yesterday') FROM user", "is not a time"),
    ] {
        let error = shop.error(query);
        assert!(error.contains(expected), "{query}: {error}");
    }
}
