//! The reference of endpoints in the docs, made from the description.

use std::fmt::Write;

use serde_json::Value as Json;

/// The order of rooms, with their headings.
const ROOMS: [(&str, &str); 8] = [
    ("graphs", "Graphs"),
    ("nodes", "Nodes and changes"),
    ("training", "Samples, features and walks"),
    ("models", "Models"),
    ("loads", "Loads and jobs"),
    ("sql", "SQL"),
    ("session", "Sessions"),
    ("server", "The server"),
];

/// Markdown of all endpoints of a description: what each takes, and what it answers with.
pub(crate) fn markdown(description: &Json) -> String {
    let mut text = String::new();
    let mut rooms: Vec<(&str, &str)> = ROOMS.to_vec();
    for (_, _, operation) in operations(description) {
        let tag = tag(operation);
        if !rooms.iter().any(|(known, _)| *known == tag) {
            rooms.push((tag, tag));
        }
    }
    for (room, heading) in rooms {
        let of_room: Vec<_> = operations(description).filter(|(_, _, operation)| tag(operation) == room).collect();
        if of_room.is_empty() {
            continue;
        }
        let _ = writeln!(text, "### {}{}\n", heading[..1].to_uppercase(), &heading[1..]);
        text += "| request | parameters | body | answer | |\n|---|---|---|---|---|\n";
        for (method, path, operation) in of_room {
            let _ = writeln!(
                text,
                "| `{} {path}` | {} | {} | {} | {} |",
                method.to_uppercase(),
                parameters(operation),
                bodies(&operation["requestBody"]),
                answers(operation),
                summary(operation)
            );
        }
        text.push('\n');
    }
    text
}

fn operations(description: &Json) -> impl Iterator<Item = (&str, &str, &Json)> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.filter(|(_, of)| of.is_object()).map(move |(method, of)| (method.as_str(), path.as_str(), of))
    })
}

fn tag(operation: &Json) -> &str {
    operation["tags"][0].as_str().unwrap_or("server")
}

/// The first sentence, in one line.
fn summary(operation: &Json) -> String {
    let texts = [&operation["summary"], &operation["description"]].map(|text| text.as_str().unwrap_or_default());
    let text = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn parameters(operation: &Json) -> String {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let of_query = all.filter(|of| of["in"] == "query").filter_map(|of| of["name"].as_str());
    of_query.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ")
}

/// The kinds of a body, each with the name of what it is.
fn bodies(of: &Json) -> String {
    let kinds = of["content"].as_object().into_iter().flatten();
    let named = kinds.map(|(kind, content)| match (kind.as_str(), name(&content["schema"])) {
        ("application/json", Some(name)) => format!("`{name}`"),
        (kind, Some(name)) => format!("`{name}` as `{kind}`"),
        (kind, None) => format!("`{kind}`"),
    });
    named.collect::<Vec<_>>().join(", ")
}

fn name(schema: &Json) -> Option<&str> {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next())
}

fn answers(operation: &Json) -> String {
    let all = operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| *status != "default");
    let told = all.map(|(status, of)| format!("{status} {}", bodies(of)).trim_end().to_owned());
    told.collect::<Vec<_>>().join("; ")
}
