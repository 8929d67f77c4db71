//! Tests of the index. Each fast path is compared with a slow answer: that of the reference graph, of a recount of the log,
//! or of a look at all lives.

#![allow(clippy::unwrap_used)]

mod answers_equal_reference;
mod creates_by_chunk;
mod elements_equal_all_lives;
mod event_builders;
mod event_effects;
mod feature_rows;
mod feature_rows_equal_history;
mod hub_equals_all_lives;
mod key_order;
mod links_equal_all_lives;
mod many_features;
mod model_reads_equal_recount;
mod namespaces;
mod neighborhoods_equal_all_lives;
mod page_rank_equals_pushes;
mod pages_equal_sorted;
mod queries_equal_scan;
mod query_semantics;
mod random_lives;
mod samples_equal_all_lives;
mod sampling_frequencies;
mod sampling_semantics;
mod subgraphs_equal_fan_out;
mod timeline_equals_recount;
mod typed_words_equal_scan;
mod walks_take_allowed_edges;
mod ways_in_agree;
mod widening;
mod windows;
