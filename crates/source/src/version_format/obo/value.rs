//! Values with parts: definitions, synonyms, references, property values. All of them become JSON, as OBO Graphs has it.

use super::line;
use crate::version_format::ontology::{Definition, Member, json, normal, object, set};

/// Tags of synonyms: that of today, and those of format version 1.0, which tell the scope.
pub(super) const SYNONYMS: [&str; 5] =
    ["synonym", "exact_synonym", "related_synonym", "narrow_synonym", "broad_synonym"];

/// A quoted text with what stands in brackets behind it.
pub(super) fn definition(value: &str) -> Result<Definition, String> {
    let (text, rest) = line::quoted(value).ok_or("def: expected a text in double quotes")?;
    let sources = references(rest);
    let json = object(&[("val", Some(Member::Text(&text))), ("xrefs", sources.as_deref().map(Member::Json))]);
    Ok(Definition { text, sources, json })
}

/// `"text" SCOPE TYPE [sources]`, of which only the text must be there.
pub(super) fn synonym(tag: &str, value: &str) -> Result<String, String> {
    let (text, rest) = line::quoted(value).ok_or_else(|| format!("{tag}: expected a text in double quotes"))?;
    let words = rest.split_once('[').map_or(rest, |(words, _)| words);
    let mut words = words.split_whitespace().peekable();
    let scope = match tag {
        "synonym" => words.next_if(|word| scope(word).is_some()).and_then(scope),
        of_old => scope(&of_old.trim_end_matches("_synonym").to_uppercase()),
    };
    let kind = words.next().map(line::plain);
    Ok(object(&[
        ("pred", Some(Member::Text(scope.unwrap_or("hasRelatedSynonym")))),
        ("synonymType", kind.as_deref().map(Member::Text)),
        ("val", Some(Member::Text(&text))),
        ("xrefs", references(rest).as_deref().map(Member::Json)),
    ]))
}

fn scope(word: &str) -> Option<&'static str> {
    Some(match word {
        "EXACT" => "hasExactSynonym",
        "BROAD" => "hasBroadSynonym",
        "NARROW" => "hasNarrowSynonym",
        "RELATED" => "hasRelatedSynonym",
        _ => return None,
    })
}

/// The ids in brackets as a set; `None` where there are none. Descriptions behind the ids are left out.
fn references(rest: &str) -> Option<String> {
    let start = rest.find('[')?;
    let list = rest[start + 1..].trim_end();
    let sources = line::split_sources(list.strip_suffix(']').unwrap_or(list));
    let mut ids: Vec<String> = sources.iter().map(|source| json(&line::plain(line::without_text(source)))).collect();
    set(&mut ids)
}

/// `ID "description"`, of which only the id must be there.
pub(super) fn xref(value: &str) -> Result<String, String> {
    let id = line::without_text(value);
    let described = value[id.len()..].trim();
    let label = line::quoted(described).map(|(text, _)| text);
    let id = line::plain(id);
    if id.is_empty() {
        return Err("xref: expected an id".into());
    }
    Ok(object(&[("lbl", label.as_deref().map(Member::Text)), ("val", Some(Member::Text(&id)))]))
}

/// `PROPERTY "text" TYPE`, or `PROPERTY ID`.
pub(super) fn property_value(value: &str) -> Result<String, String> {
    let problem = || "property_value: expected a property and a value".to_string();
    let (property, rest) = value.split_once(char::is_whitespace).ok_or_else(problem)?;
    let rest = rest.trim_start();
    let text = match line::quoted(rest) {
        Some((text, _)) => text,
        None => line::plain(rest.split_whitespace().next().ok_or_else(problem)?),
    };
    Ok(self::property(&normal(&line::plain(property)), &text))
}

/// A value of a property.
pub(super) fn property(property: &str, value: &str) -> String {
    object(&[("pred", Some(Member::Text(property))), ("val", Some(Member::Text(&normal(value))))])
}

/// A class, or a relation and a class.
pub(super) fn intersection(value: &str) -> Result<String, String> {
    let parts: Vec<String> =
        value.split_whitespace().take(2).map(|part| normal(&line::plain(part)).into_owned()).collect();
    if parts.is_empty() {
        return Err("intersection_of: expected a class, or a relation and a class".into());
    }
    Ok(json(&parts.join(" ")))
}
