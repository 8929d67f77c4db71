//! The intervals of one key after the other: which of them fit together, and which of them end.

use timeweft_graph::Time;

/// From when to when a row is so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// The number of its key.
    pub(super) key: u32,
    pub(super) from: Time,
    /// [`Time::FOREVER`] where it has no end yet.
    pub(super) to: Time,
    pub(super) line: u64,
    /// Whether it says that its key is not there.
    pub(super) is_gap: bool,
}

/// What becomes of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It holds from a time on; where no other row follows at once, its key ends at a time.
    Holds { from: Time, ends: Option<Time> },
    /// It says nothing that others do not say.
    Silent,
    /// It contradicts others, or itself.
    Rejected(String),
}

/// The verdicts on all rows of a table, in the order in which they were given. Where rows tell no ends, each holds until the
/// next one of its key.
pub(super) fn verdicts(spans: &[Option<Span>], has_ends: bool, show: impl Fn(Time) -> String) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::Silent; spans.len()];
    let mut order: Vec<(Span, usize)> =
        spans.iter().enumerate().filter_map(|(at, span)| span.map(|span| (span, at))).collect();
    order.sort_by_key(|(span, _)| (span.key, span.from, span.line));
    for at in 1..if has_ends { 0 } else { order.len() } {
        let next = order[at].0;
        if order[at - 1].0.key == next.key && order[at - 1].0.from < next.from {
            order[at - 1].0.to = next.from;
        }
    }
    let mut last: Option<(Span, usize)> = None;
    for (span, at) in order {
        let before = last.filter(|(before, _)| before.key == span.key);
        if let Some(problem) = problem(&span, before.map(|(before, _)| before), &show) {
            verdicts[at] = Verdict::Rejected(problem);
            continue;
        }
        // What holds until another row of its key does not end.
        if let Some((before, before_at)) = before
            && before.to == span.from
            && !span.is_gap
            && let Verdict::Holds { ends, .. } = &mut verdicts[before_at]
        {
            *ends = None;
        }
        if !span.is_gap {
            let ends = Some(span.to).filter(|to| *to != Time::FOREVER);
            verdicts[at] = Verdict::Holds { from: span.from, ends };
        }
        last = Some((span, at));
    }
    verdicts
}

fn problem(span: &Span, before: Option<Span>, show: &impl Fn(Time) -> String) -> Option<String> {
    let Span { from, to, .. } = *span;
    if to <= from {
        return Some(format!("it is valid until {}, which is not after {}, from when on it is", show(to), show(from)));
    }
    let before = before?;
    if (before.from, before.to, before.is_gap) == (from, to, span.is_gap) {
        return Some(format!("it repeats the interval of row {}: leave one of them out", before.line));
    }
    (from < before.to).then(|| {
        let until = if before.to == Time::FOREVER { "without an end".into() } else { format!("until {}", show(before.to)) };
        format!(
            "from {} on it is valid together with row {} of the same key, which is valid from {} {until}: correct one of them",
            show(from),
            before.line,
            show(before.from)
        )
    })
}
