//! What is written of the endpoints is what they are.

use std::fs;
use std::path::Path;

/// Where the made part of a page begins.
const MADE: &str = "<!-- from here on made by the tests -->\n";

fn compare(name: &str, wanted: impl FnOnce(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let known = fs::read_to_string(&path).unwrap_or_default();
    let wanted = wanted(&known);
    if std::env::var_os("TIMEWEFT_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).expect("it is written");
        return;
    }
    let again = "TIMEWEFT_WRITE_DOCS=1 cargo test -p timeweft-server --all-features --test it docs::";
    assert!(known == wanted, "docs/{name} is not what the endpoints are: write it again with `{again}`");
}

#[test]
#[cfg(feature = "sql")]
fn the_description_is_the_committed_one() {
    compare("openapi.json", |_| timeweft_server::openapi());
}

#[test]
#[cfg(feature = "sql")]
fn the_reference_is_made_from_the_description() {
    compare("http.md", |known| {
        let by_hand = known.split(MADE).next().expect("a beginning");
        assert!(known.contains(MADE), "docs/http.md has lost its marker");
        format!("{by_hand}{MADE}\n{}", timeweft_server::endpoints().trim_end().to_owned() + "\n")
    });
}

#[test]
fn every_endpoint_says_what_it_is() {
    let description: serde_json::Value = serde_json::from_str(&timeweft_server::openapi()).expect("JSON");
    assert!(description["openapi"].as_str().expect("a version").starts_with("3.1"));
    let mut n = 0;
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            n += 1;
            let says = operation["summary"].as_str().or(operation["description"].as_str()).unwrap_or_default();
            assert!(!says.is_empty(), "{method} {path} says nothing");
            assert!(operation["responses"]["default"].is_object(), "{method} {path} has no problem");
            let named = path.matches('{').count();
            let parameters =
                operation["parameters"].as_array().map_or(0, |all| all.iter().filter(|of| of["in"] == "path").count());
            assert_eq!(parameters, named, "{method} {path}");
        }
    }
    assert!(n >= 12, "{n}");
}
