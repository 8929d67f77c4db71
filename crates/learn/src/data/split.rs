//! The three parts of the predicted links.

/// Borders of the three parts, as numbers of target events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Split {
    /// First event of the validation part.
    pub train_end: usize,
    /// First event of the test part.
    pub val_end: usize,
    /// Number of events.
    pub end: usize,
}

impl Split {
    /// By share of the count; a border moves forward to the next change of time.
    pub fn by_share(times: &[i64], shares: [f64; 2]) -> Split {
        let border = |share: f64| {
            let mut at = (times.len() as f64 * share) as usize;
            while at > 0 && at < times.len() && times[at] == times[at - 1] {
                at += 1;
            }
            at.min(times.len())
        };
        Split { train_end: border(shares[0]), val_end: border(shares[1]), end: times.len() }
    }

    /// By the last time of the training part and of the validation part.
    pub fn by_time(times: &[i64], last: [i64; 2]) -> Split {
        let border = |time: i64| times.partition_point(|&t| t <= time);
        Split { train_end: border(last[0]), val_end: border(last[1]), end: times.len() }
    }
}
