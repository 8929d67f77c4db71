//! The model, and the one line that it is: batch -> encoder -> aggregator -> memory -> gnn -> prediction.
//!
//! Slow reference: `timeweft_oracle_model::ReferenceModel`, the same in plain tensor operations.

use std::ops::Range;

use crate::model::batch::{expand, expand_in_slices};
use crate::model::counters::Counted;
use crate::model::gnn::GnnInput;
use crate::model::gnn::distinct_roots::DistinctRoots;
use crate::model::gnn::neighborhood::Root;
use crate::model::layers::Init;
use crate::model::predictor::Pairs;
use crate::model::versions::Peers;
use crate::nn::{self, Buffer, Tensor, module};
use crate::{
    Aggregator, Config, Gnn, GraphContext, IdentityTable, Memory, MessageEncoder, Messages, Neighborhood, Predictor,
    Query, Scanned, Settled, Tokens, VectorStore,
};

/// The Heterogeneous Temporal Graph Network: its five learned stages, and who is who.
#[derive(Clone, Debug)]
pub struct Htgn {
    /// Identity of nodes, read by the first four stages.
    pub identity: Option<IdentityTable>,
    /// Stage 1.
    pub encoder: MessageEncoder,
    /// Stage 2.
    pub aggregator: Aggregator,
    /// Stage 3.
    pub memory: Memory,
    /// Stage 4.
    pub gnn: Gnn,
    /// Stage 5.
    pub predictor: Predictor,
}

module!(Htgn { identity, encoder, aggregator, memory, gnn, predictor });

impl Htgn {
    /// A model with starting weights for a graph.
    pub fn new(config: &Config, graph: &GraphContext) -> Htgn {
        Htgn::with(&mut Init::new(config.train.seed), config, graph)
    }

    /// A model with weights that are made so.
    pub(crate) fn with(init: &mut Init, config: &Config, graph: &GraphContext) -> Htgn {
        let model = &config.model;
        Htgn {
            identity: IdentityTable::new(init, model, graph),
            encoder: MessageEncoder::new(init, model, graph),
            aggregator: Aggregator::new(init, model, graph),
            memory: Memory::new(init, model, graph),
            gnn: Gnn::new(init, model, graph),
            predictor: Predictor::new(init, model, graph),
        }
    }
}

/// A batch of facts as the memory takes it in. Nothing is committed yet: predict strictly before update.
pub struct Remembered {
    /// Its tokens.
    pub tokens: Tokens,
    /// What the scan made of them; `None` for no facts, or no memory.
    pub scanned: Option<Scanned>,
    /// Facts up to here will be in.
    absorbs: usize,
}

/// What answers are read from: the weights, the graph, and memory as of a place in its facts.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The weights.
    pub model: &'a Htgn,
    /// The graph.
    pub graph: &'a GraphContext,
    /// The memory of everything before.
    pub store: &'a VectorStore,
}

impl Reader<'_> {
    /// Stages 1 to 3: facts to versions of memory.
    pub fn remember(self, facts: Range<usize>) -> Remembered {
        debug_assert_eq!(facts.start, self.store.absorbed(), "every fact is taken in once");
        let absorbs = facts.end;
        self.remember_messages(expand(self.graph, facts, self.store), absorbs)
    }

    /// The same of messages that are laid out, of facts up to number `absorbs`.
    pub(crate) fn remember_messages(self, (messages, tokens): (Messages, Tokens), absorbs: usize) -> Remembered {
        let scanned = self.scan(&messages, &tokens);
        Remembered { tokens, scanned, absorbs }
    }

    /// Stages 1 to 3 of messages that are laid out. Where messages carry their peers' memory, the first round of message passing
    /// knows it as of before the batch, and each later one as the round before it left it.
    fn scan(self, messages: &Messages, tokens: &Tokens) -> Option<Scanned> {
        let Reader { model, graph, store } = self;
        let config = graph.config();
        if tokens.node.is_empty() || !config.memory {
            return None;
        }
        let (time_encoder, identity) = (&graph.statistics.time_encoder, model.identity.as_ref());
        let round = |before: Option<&Scanned>| {
            let known = if before.is_some() { tokens } else { &Tokens::none() };
            let peers = (config.sweeps > 0).then(|| Peers::read(graph, (messages, tokens), known, store));
            // Where no message is about a token of the batch, another round changes nothing.
            if before.is_some() && !peers.as_ref().is_some_and(|peers| peers.within) {
                return None;
            }
            let peers = peers.as_ref().map(|peers| (peers, table(model, &peers.stored, before)));
            let encoded = model.encoder.forward(messages, peers, time_encoder, identity);
            let aggregated = model.aggregator.forward(encoded, tokens, identity);
            Some(model.memory.forward(aggregated, tokens, store, time_encoder))
        };
        let mut scanned = round(None);
        for _ in 1..config.sweeps {
            let Some(next) = round(scanned.as_ref()) else { break };
            scanned = Some(next);
        }
        scanned
    }

    /// Stages 4 and 5: logits `[C]` of queries, each with what was strictly before its `as_of`. `noise` is the key of a training
    /// step's noise, if the model has any.
    pub fn answer(self, remembered: &Remembered, queries: &[Query], noise: Option<u64>) -> Tensor<1> {
        let (roots, pairs) = ask(self.graph, queries);
        let neighborhood = self.neighborhood(remembered, &roots);
        let embeddings = self.embed(remembered, &neighborhood, noise);
        self.score(embeddings, queries, &pairs.measure(queries, &neighborhood.root_read))
    }

    /// What roots read.
    pub fn neighborhood(self, remembered: &Remembered, roots: &[Root]) -> Neighborhood {
        Neighborhood::read(self.graph, roots, &remembered.tokens, self.store)
    }

    /// Stage 4: embeddings `[Q, d]` of roots; `noise` as in [`Reader::answer`].
    pub fn embed(self, remembered: &Remembered, neighborhood: &Neighborhood, noise: Option<u64>) -> Tensor<2> {
        let Reader { model, graph, .. } = self;
        model.gnn.forward(GnnInput {
            table: memory_table(model, remembered, neighborhood),
            neighborhood,
            time_encoder: &graph.statistics.time_encoder,
            identity: model.identity.as_ref(),
            noise,
        })
    }

    /// Stage 5: logits `[C]` of queries whose roots are embedded already, and how long ago.
    pub fn score(self, embeddings: Tensor<2>, queries: &[Query], pairs: &Pairs) -> Tensor<1> {
        let counted = self.model.predictor.has_counters().then(|| Counted::of(self.graph, queries));
        self.score_counted(embeddings, pairs, counted.as_ref())
    }

    /// The same of queries that are counted already, if they are.
    pub(crate) fn score_counted(self, embeddings: Tensor<2>, pairs: &Pairs, counted: Option<&Counted>) -> Tensor<1> {
        self.model.predictor.forward(embeddings, pairs, &self.graph.statistics.time_encoder, counted)
    }
}

/// Takes in facts that are all of one time in slices of at least `size` messages, for less memory and with the same result:
/// all slices read what was before that time, and are committed together.
pub fn absorb_in_slices(model: &Htgn, graph: &GraphContext, facts: Range<usize>, store: &mut VectorStore, size: usize) {
    let absorbs = facts.end;
    let reader = Reader { model, graph, store };
    let slices = expand_in_slices(graph, facts, store, size);
    let settled: Vec<Settled> = slices
        .map(|(messages, tokens)| {
            let scanned = reader.scan(&messages, &tokens);
            Remembered { tokens, scanned, absorbs }.settle()
        })
        .collect();
    settled.iter().for_each(|settled| store.commit(settled));
}

/// The rows that a neighborhood's entries point into: stored memory, starts of the node types, tokens of the batch.
pub fn memory_table(model: &Htgn, remembered: &Remembered, neighborhood: &Neighborhood) -> Tensor<2> {
    table(model, &neighborhood.stored, remembered.scanned.as_ref())
}

fn table(model: &Htgn, stored: &[f32], scanned: Option<&Scanned>) -> Tensor<2> {
    let start = model.memory.start();
    let [_, d] = start.dims();
    let known = match stored {
        [] => start,
        stored => nn::below(Tensor::new(stored, [stored.len() / d, d]), start),
    };
    match scanned {
        Some(scanned) => nn::below(known, scanned.memory.clone()),
        None => known,
    }
}

/// The distinct roots of queries, and which roots each query pairs.
pub fn ask(graph: &GraphContext, queries: &[Query]) -> (Vec<Root>, Pairs) {
    let mut distinct = DistinctRoots::of(graph, queries);
    let mut pairs = Pairs::default();
    for query in queries {
        pairs.source.push(distinct.root(query.source, query.as_of));
        pairs.destination.push(distinct.root(query.destination, query.as_of));
        pairs.relation.push(graph.relation(query.edge_type, query.direction));
    }
    (distinct.roots, pairs)
}

impl Remembered {
    /// No facts: answers come from the store alone.
    pub fn nothing(store: &VectorStore) -> Remembered {
        Remembered { tokens: Tokens::none(), scanned: None, absorbs: store.absorbed() }
    }

    /// Forgets how it was made: no gradient goes back through it.
    pub(crate) fn detach(&mut self) {
        self.scanned = self
            .scanned
            .take()
            .map(|Scanned { memory, state }| Scanned { memory: memory.detached(), state: state.detached() });
    }

    /// The same, so that the store can take it back.
    pub(crate) fn commit_for_now(self, store: &mut VectorStore) {
        store.commit_for_now(&self.settle());
    }

    /// Commits the values of this forward pass, once.
    pub fn commit(self, store: &mut VectorStore) {
        let _running = nn::stage("commit");
        store.commit(&self.settle());
    }

    /// What it leaves of each receiver.
    fn settle(self) -> Settled {
        let ends = self.tokens.last_tokens();
        let last = self.tokens.last_times();
        let (state, memory) = match self.scanned {
            Some(scanned) => {
                let memory = nn::gather(scanned.memory.detached(), &ends);
                (scanned.state.into_values(), memory.into_values())
            }
            None => (Buffer::zeros(0), Buffer::zeros(0)),
        };
        Settled { receivers: self.tokens.receivers, state, memory, last, absorbed: self.absorbs }
    }
}
