//! Ids of terms: short where that is safe.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

/// IRIs of OBO ontologies begin so. They and the ids of OBO text are two forms of the same thing.
const OBO: &str = "http://purl.obolibrary.org/obo/";

/// Whether an id is an IRI of the web.
pub(crate) fn is_iri(id: &str) -> bool {
    id.starts_with("http://") || id.starts_with("https://")
}

/// An id in the one form that both formats share: `http://purl.obolibrary.org/obo/CL_0000001` is `CL:0000001`; all other
/// ids are as they stand.
pub(crate) fn normal(id: &str) -> Cow<'_, str> {
    let local = id.strip_prefix(OBO).filter(|local| !local.contains(['#', '/']));
    match local.and_then(|local| with_colon(local, has_digit)) {
        Some(short) => Cow::Owned(short),
        None => Cow::Borrowed(id),
    }
}

/// The value of a property that may be an id: in its normal form, and of a name in an ontology
/// (`http://purl.obolibrary.org/obo/cl#abbreviation`, or one of oboInOwl) the name alone, as OBO text has it.
pub(crate) fn value(text: &str) -> Cow<'_, str> {
    const NAMES: [&str; 2] = [OBO, "http://www.geneontology.org/formats/oboInOwl"];
    let of_ontology = NAMES.iter().any(|start| text.starts_with(start));
    match text.split_once('#') {
        Some((_, name)) if of_ontology && !name.is_empty() => Cow::Borrowed(name),
        _ => normal(text),
    }
}

/// The short form of a normal id: of an IRI the fragment, else the last part of the path, `GO_7` as `GO:7`.
pub(crate) fn short(id: &str) -> Cow<'_, str> {
    let part = last_part(id);
    if part.len() == id.len() || part.is_empty() || is_iri(part) {
        return Cow::Borrowed(id);
    }
    match with_colon(part, is_number) {
        Some(short) => Cow::Owned(short),
        None => Cow::Borrowed(part),
    }
}

fn last_part(id: &str) -> &str {
    match id.split_once('#') {
        _ if !is_iri(id) => id,
        Some((_, fragment)) => fragment,
        None => id.rsplit('/').next().unwrap_or(id),
    }
}

/// `PREFIX:LOCAL` of `PREFIX_LOCAL`, where the local part looks like one. Behind a prefix that has an underscore itself
/// there are only digits.
fn with_colon(text: &str, is_local: fn(&str) -> bool) -> Option<String> {
    let (prefix, local) = text.rsplit_once('_')?;
    let fits = if prefix.contains('_') { is_number(local) } else { is_local(local) };
    (fits && !prefix.is_empty()).then(|| format!("{prefix}:{local}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Which short forms of a file are safe to use. Two different ids of a file never become one: a short form belongs to
/// the id that is written so, else to the only IRI that ends so, else to none of them.
#[derive(Default)]
pub(crate) struct Ids {
    owners: FxHashMap<Box<str>, Owner>,
    clashes: usize,
    /// The first short form that several ids wanted, and the one that asked for it then.
    example: Option<(Box<str>, Box<str>)>,
}

#[derive(PartialEq, Eq)]
enum Owner {
    /// The id that is written so.
    Itself,
    /// This IRI.
    Iri(Box<str>),
    /// Several IRIs end so: each keeps its whole form.
    NoOne,
}

impl Ids {
    /// Takes note of a normal id that the file holds. Files of which no id is an IRI need no notes.
    pub(crate) fn note(&mut self, id: &str) {
        let short = short(id);
        let itself = short.len() == id.len();
        let claim = if itself { Owner::Itself } else { Owner::Iri(id.into()) };
        let Some(known) = self.owners.get_mut(&*short) else {
            self.owners.insert(short.into(), claim);
            return;
        };
        if *known == claim {
            return;
        }
        if self.example.is_none() {
            self.example = Some(((&*short).into(), id.into()));
        }
        let is_new = matches!(known, Owner::Iri(_)) || itself;
        self.clashes += usize::from(is_new || (*known == Owner::Itself));
        if itself {
            *known = Owner::Itself;
        } else if *known != Owner::Itself {
            *known = Owner::NoOne;
        }
    }

    /// The id under which a normal id of the file is known.
    pub(crate) fn id<'a>(&self, id: &'a str) -> Cow<'a, str> {
        let short = short(id);
        if short.len() == id.len() {
            return short;
        }
        match self.owners.get(&*short) {
            Some(Owner::Iri(owner)) if **owner != *id => Cow::Borrowed(id),
            Some(Owner::Itself | Owner::NoOne) => Cow::Borrowed(id),
            _ => short,
        }
    }

    /// What people should know of ids that keep their whole form.
    pub(crate) fn warning(&self) -> Option<String> {
        let (short, iri) = self.example.as_ref()?;
        Some(format!(
            "several ids end in `{short}`, one of them is {iri}: IRIs whose short form is not theirs alone keep their \
             whole form ({} such in the file)",
            super::count(self.clashes, "case", "cases")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_obo_ontologies_have_one_form() {
        for (given, expected) in [
            ("http://purl.obolibrary.org/obo/CL_0000001", "CL:0000001"),
            ("http://purl.obolibrary.org/obo/PR_P04637", "PR:P04637"),
            ("http://purl.obolibrary.org/obo/NCBITaxon_Union_0000020", "NCBITaxon_Union:0000020"),
            ("CL:0000001", "CL:0000001"),
        ] {
            assert_eq!(normal(given), expected);
        }
        for as_it_stands in [
            "http://purl.obolibrary.org/obo/depicted_by",
            "http://purl.obolibrary.org/obo/cl#CL_1",
            "http://purl.obolibrary.org/obo/_1",
            "https://purl.obolibrary.org/obo/CL_1",
            "http://a.org/CL_1",
            "",
        ] {
            assert_eq!(normal(as_it_stands), as_it_stands);
        }
    }

    #[test]
    fn short_forms_are_the_last_part() {
        for (given, expected) in [
            ("https://a.org/b#GO_7", "GO:7"),
            ("http://a.org/b/part", "part"),
            ("http://a.org/CL_x", "CL_x"),
            ("http://a.org/CL_1_2", "CL_1:2"),
            ("http://a.org/", "http://a.org/"),
            ("http://a.org#", "http://a.org#"),
            ("http://a.org#http://b.org/1", "http://a.org#http://b.org/1"),
            ("CL:1", "CL:1"),
            ("is_a", "is_a"),
        ] {
            assert_eq!(short(given), expected);
        }
        assert_eq!(value("http://purl.obolibrary.org/obo/cl#PLURAL"), "PLURAL");
        assert_eq!(value("http://www.geneontology.org/formats/oboInOwl#created_by"), "created_by");
        assert_eq!(value("http://purl.org/dc/terms/date"), "http://purl.org/dc/terms/date");
    }

    fn found(given: &[&str]) -> Vec<String> {
        let mut ids = Ids::default();
        given.iter().for_each(|id| ids.note(id));
        given.iter().map(|id| ids.id(id).into_owned()).collect()
    }

    #[test]
    fn two_ids_never_become_one() {
        let (a, b, c) = ("http://a.org/hgnc/1", "http://a.org/ncbigene/1", "http://b.org/x#1");
        assert_eq!(found(&[a]), ["1"]);
        assert_eq!(found(&[a, a]), ["1", "1"]);
        assert_eq!(found(&[a, b]), [a, b]);
        assert_eq!(found(&[b, a, c]), [b, a, c]);
        for order in [[a, "1", b], ["1", a, b], [a, b, "1"]] {
            assert_eq!(found(&order), order, "an id that is written so has the short form");
        }
        let mut ids = Ids::default();
        [a, b, c, "1", "CL:1", "http://a.org/CL_1"].iter().for_each(|id| ids.note(id));
        assert_eq!(ids.id("http://c.org/1"), "http://c.org/1", "one that was not noted takes nothing away");
        assert!(ids.warning().is_some_and(|message| message.contains("`1`")), "{:?}", ids.warning());
        assert_eq!(Ids::default().warning(), None);
    }
}
