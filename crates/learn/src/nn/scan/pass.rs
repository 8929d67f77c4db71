use super::pieces::{CHUNK, Piece};
use super::shape::{G, H0, Shape, from_scratch, into_scratch};
use super::token::{Pass, Row, State, Token, advance_kept, step, step_backward};
use crate::nn::lanes::{add, madd, multiversion};

/// Gradients of the parameters that every token shares, in scratch layout: one task's part of the sum.
pub(super) struct Shared {
    pub(super) a: Vec<f32>,
    pub(super) kappa: Vec<f32>,
    pub(super) dskip: Vec<f32>,
}

impl Shared {
    pub(super) fn zeros(shape: Shape) -> Self {
        let row = || vec![0.0; shape.padded()];
        Self { a: vec![0.0; shape.scratch()], kappa: row(), dskip: row() }
    }

    /// The sum in the order of the tasks.
    pub(super) fn total(parts: &[Self], shape: Shape) -> Self {
        let mut total = Self::zeros(shape);
        for part in parts {
            add(&mut total.a, &part.a);
            add(&mut total.kappa, &part.kappa);
            add(&mut total.dskip, &part.dskip);
        }
        total
    }
}

/// Where pieces and chunks start.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    /// The states between the chunks of the task.
    pub(super) kept: &'a [f32],
    /// The states at all borders.
    pub(super) borders: &'a [f32],
}

/// What a task reads on the way back alone.
#[derive(Clone, Copy)]
pub(super) struct Back<'a> {
    pub(super) start: Start<'a>,
    /// The gradient of y.
    pub(super) grad: &'a [f32],
    /// The gradient of the last states, if they are read.
    pub(super) last_grad: Option<&'a [f32]>,
    /// The gradients of the states at all borders.
    pub(super) lams: &'a [f32],
}

/// The gradients that one task writes.
pub(super) struct Parts<'a> {
    pub(super) x: &'a mut [f32],
    pub(super) delta: &'a mut [f32],
    pub(super) g: &'a mut [f32],
    pub(super) b: &'a mut [f32],
    pub(super) c: &'a mut [f32],
    pub(super) h0: &'a mut [f32],
    pub(super) shared: &'a mut Shared,
}

/// The state that a piece starts from.
fn load_start(h: &mut [f32], pass: Pass<'_>, piece: &Piece, borders: &[f32]) {
    match piece.start {
        Some(border) => h.copy_from_slice(&borders[border * h.len()..][..h.len()]),
        None => into_scratch(h, pass.shape.state_of(pass.inputs[H0], piece.segment), pass.shape),
    }
}

multiversion! {
    /// Goes through the pieces of a task, and leaves y, the last states of segments that end here and, where there is room,
    /// the states between chunks.
    pub(super) fn scan(
        pass: Pass<'_>, pieces: &[Piece], borders: &[f32], out: (&mut [f32], &mut [f32], &mut [f32]),
    ) = scan_body
}

#[inline(always)]
fn scan_body<const FMA: bool>(
    pass: Pass<'_>,
    pieces: &[Piece],
    borders: &[f32],
    (y, last, kept): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (shape, padded, size) = (pass.shape, pass.shape.padded(), pass.shape.scratch());
    let mut token = Token::new(pass);
    let (mut h, mut out) = (vec![0.0; size], vec![0.0; padded]);
    let mut lasts = last.chunks_exact_mut(shape.state().max(1));
    let mut kept = kept.chunks_exact_mut(size.max(1));
    let mut ys = y.chunks_exact_mut(shape.channels.max(1));
    for piece in pieces {
        load_start(&mut h, pass, piece, borders);
        for t in piece.tokens.clone() {
            let i = t - piece.tokens.start;
            if i > 0
                && i.is_multiple_of(CHUNK)
                && let Some(kept) = kept.next()
            {
                kept.copy_from_slice(&h);
            }
            token.load::<FMA>(pass, t);
            for ((out, dskip), x) in out.iter_mut().zip(&token.dskip).zip(&token.x) {
                *out = dskip * x;
            }
            let (b, c) = pass.directions(t);
            for (n, h) in h.chunks_exact_mut(padded).enumerate() {
                step::<FMA>(h, &mut out, &token, &pass.rates[n * padded..][..padded], b[n], c[n]);
            }
            if let Some(y) = ys.next() {
                y.copy_from_slice(&out[..shape.channels]);
            }
        }
        if piece.end.is_none()
            && let Some(last) = lasts.next()
        {
            from_scratch(last, &h, shape);
        }
    }
}

/// States of the tokens of one chunk, made again: the state before the first, then one after each; and the decays between.
struct Chunk {
    states: Vec<f32>,
    decays: Vec<f32>,
}

impl Chunk {
    #[inline(always)]
    fn load<const FMA: bool>(&mut self, pass: Pass<'_>, token: &mut Token, tokens: std::ops::Range<usize>) {
        let (padded, size) = (pass.shape.padded(), pass.shape.scratch());
        for (i, t) in tokens.enumerate() {
            token.load::<FMA>(pass, t);
            let (b, _) = pass.directions(t);
            let (before, after) = self.states[i * size..(i + 2) * size].split_at_mut(size);
            let decay = &mut self.decays[i * size..][..size];
            for (n, b) in b.iter().enumerate() {
                let lanes = n * padded..(n + 1) * padded;
                let out = (&mut after[lanes.clone()], &mut decay[lanes.clone()]);
                advance_kept::<FMA>(&before[lanes.clone()], out, token, &pass.rates[lanes], *b);
            }
        }
    }
}

multiversion! {
    /// Goes back through the pieces of a task.
    pub(super) fn scan_backward(pass: Pass<'_>, pieces: &[Piece], back: Back<'_>, out: Parts<'_>) = scan_backward_body
}

/// The backward pass of a token needs the state before it: dividing by the decay would lose it.
#[inline(always)]
fn scan_backward_body<const FMA: bool>(pass: Pass<'_>, pieces: &[Piece], back: Back<'_>, mut out: Parts<'_>) {
    let (shape, size) = (pass.shape, pass.shape.scratch());
    let (mut token, mut row, mut lam) = (Token::new(pass), Row::new(shape), vec![0.0; size]);
    let mut chunk = Chunk { states: vec![0.0; (CHUNK + 1) * size], decays: vec![0.0; CHUNK * size] };
    let first = pieces.first().map_or(0, |piece| piece.tokens.start);
    let (mut n_kept, mut n_firsts) = (0, 0);
    for piece in pieces {
        match (piece.end, back.last_grad) {
            (Some(border), _) => lam.copy_from_slice(&back.lams[border * size..][..size]),
            (None, Some(grad)) => into_scratch(&mut lam, shape.state_of(grad, piece.segment), shape),
            (None, None) => lam.fill(0.0),
        }
        for (i, tokens) in piece.chunks().enumerate().rev() {
            let start = &mut chunk.states[..size];
            match i {
                0 => load_start(start, pass, piece, back.start.borders),
                _ => start.copy_from_slice(&back.start.kept[(n_kept + i - 1) * size..][..size]),
            }
            chunk.load::<FMA>(pass, &mut token, tokens.clone());
            for t in tokens.clone().rev() {
                let at = (t - tokens.start) * size;
                token.load::<FMA>(pass, t);
                row.clear(pass.row(back.grad, t));
                let states = (&chunk.states[at..at + 2 * size], &chunk.decays[at..at + size]);
                token_backward::<FMA>(pass, (t, t - first), states, &mut lam, (&mut row, &token), &mut out);
            }
        }
        n_kept += piece.n_kept();
        if piece.start.is_none() {
            from_scratch(&mut out.h0[n_firsts * shape.state()..][..shape.state()], &lam, shape);
            n_firsts += 1;
        }
    }
}

/// Carries the gradient of the state over token t, which is the i-th of its task.
#[inline(always)]
fn token_backward<const FMA: bool>(
    pass: Pass<'_>,
    (t, i): (usize, usize),
    (states, decay): (&[f32], &[f32]),
    lam: &mut [f32],
    (row, token): (&mut Row, &Token),
    out: &mut Parts<'_>,
) {
    let (shape, padded, size) = (pass.shape, pass.shape.padded(), pass.shape.scratch());
    let (before, after) = states.split_at(size);
    let (b, c) = pass.directions(t);
    for n in 0..shape.states {
        let lanes = n * padded..(n + 1) * padded;
        let state = State {
            rates: &pass.rates[lanes.clone()],
            decay: &decay[lanes.clone()],
            before: &before[lanes.clone()],
            after: &after[lanes.clone()],
            lam: &mut lam[lanes.clone()],
            da: &mut out.shared.a[lanes],
            b: b[n],
            c: c[n],
        };
        let (db, dc) = step_backward::<FMA>(state, row, token);
        out.b[i * shape.states + n] = db;
        out.c[i * shape.states + n] = dc;
    }
    let lanes = i * shape.channels..(i + 1) * shape.channels;
    let gate = pass.inputs.get(G).map(|g| (pass.row(g, t), &mut out.g[lanes.clone()]));
    let grads = TokenGrads { shared: out.shared, x: &mut out.x[lanes.clone()], delta: &mut out.delta[lanes], gate };
    finish_token::<FMA>(row, token, pass.gap[t], grads);
}

/// The gradients of one token's rows.
struct TokenGrads<'a> {
    shared: &'a mut Shared,
    x: &'a mut [f32],
    delta: &'a mut [f32],
    /// The write gate, and its gradient; none where it is tied to `delta`.
    gate: Option<(&'a [f32], &'a mut [f32])>,
}

/// Turns the sums of a token into the gradients of its rows.
#[inline(always)]
fn finish_token<const FMA: bool>(row: &Row, token: &Token, gap: f32, grads: TokenGrads<'_>) {
    let TokenGrads { shared, x: dx, delta: ddelta, gate } = grads;
    let g = gate.as_ref().map_or(&token.delta[..], |(g, _)| g);
    for i in 0..dx.len() {
        dx[i] = madd::<FMA>(g[i], row.dwrite[i], token.dskip[i] * row.grad[i]);
        ddelta[i] = row.dstep[i];
        shared.kappa[i] = madd::<FMA>(gap, row.dstep[i], shared.kappa[i]);
        shared.dskip[i] = madd::<FMA>(token.x[i], row.grad[i], shared.dskip[i]);
    }
    let writes = token.x.iter().zip(&row.dwrite);
    match gate {
        Some((_, dgate)) => dgate.iter_mut().zip(writes).for_each(|(dgate, (x, dwrite))| *dgate = x * dwrite),
        None => {
            ddelta.iter_mut().zip(writes).for_each(|(dgate, (x, dwrite))| *dgate = madd::<FMA>(*x, *dwrite, *dgate))
        }
    }
}
