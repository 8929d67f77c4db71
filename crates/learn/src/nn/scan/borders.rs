//! States at the borders between the pieces of long segments. Given the steps the recurrence is linear: a piece takes a
//! state h to `exp(-a sum of steps) h + e`, e being where it ends from nothing. So all pieces find their e side by side, and
//! only the borders are walked one after the other (Blelloch 1990, as Mamba's scan does over its chunks).

use rayon::prelude::*;

use super::pieces::{Piece, Pieces};
use super::shape::{H0, Shape, into_scratch};
use super::token::{Pass, Row, Token, advance, retreat};
use crate::nn::arena::Buffer;
use crate::nn::lanes::{add, exp, madd, multiversion};

/// The state at every border, `[borders, N, padded D]`.
pub(super) fn states_at_borders(pass: Pass<'_>, pieces: &Pieces) -> Buffer {
    let size = pass.shape.scratch();
    let (mut states, mut steps) = room(pass.shape, pieces);
    let enders: Vec<&Piece> = pieces.pieces.iter().filter(|piece| piece.end.is_some()).collect();
    let parts = states.par_chunks_mut(size.max(1)).zip(steps.par_chunks_mut(pass.shape.padded().max(1)));
    parts.zip(&enders).for_each(|((state, steps), piece)| end_from_nothing(pass, piece, state, steps));
    let mut start = vec![0.0; size];
    for (at, (piece, steps)) in enders.iter().zip(steps.chunks_exact(pass.shape.padded().max(1))).enumerate() {
        match piece.start {
            Some(border) => start.copy_from_slice(&states[border * size..][..size]),
            None => into_scratch(&mut start, pass.shape.state_of(pass.inputs[H0], piece.segment), pass.shape),
        }
        carry(&mut states[at * size..][..size], &start, steps, pass.rates);
    }
    states
}

/// The gradient of the state at every border, from those of y and, if they are read, of the last states.
pub(super) fn gradients_at_borders(pass: Pass<'_>, pieces: &Pieces, grad: &[f32], last: Option<&[f32]>) -> Buffer {
    let size = pass.shape.scratch();
    let (mut lams, mut steps) = room(pass.shape, pieces);
    let starters: Vec<&Piece> = pieces.pieces.iter().filter(|piece| piece.start.is_some()).collect();
    let parts = lams.par_chunks_mut(size.max(1)).zip(steps.par_chunks_mut(pass.shape.padded().max(1)));
    parts.zip(&starters).for_each(|((lam, steps), piece)| start_from_nothing(pass, piece, grad, lam, steps));
    let mut end = vec![0.0; size];
    for (at, (piece, steps)) in starters.iter().zip(steps.chunks_exact(pass.shape.padded().max(1))).enumerate().rev() {
        match (piece.end, last) {
            (Some(border), _) => end.copy_from_slice(&lams[border * size..][..size]),
            (None, Some(last)) => into_scratch(&mut end, pass.shape.state_of(last, piece.segment), pass.shape),
            (None, None) => end.fill(0.0),
        }
        carry(&mut lams[at * size..][..size], &end, steps, pass.rates);
    }
    lams
}

/// States and sums of steps of every border.
fn room(shape: Shape, pieces: &Pieces) -> (Buffer, Buffer) {
    (Buffer::zeros(pieces.n_borders * shape.scratch()), Buffer::zeros(pieces.n_borders * shape.padded()))
}

multiversion! { fn end_from_nothing(pass: Pass<'_>, piece: &Piece, h: &mut [f32], steps: &mut [f32]) = end_body }

#[inline(always)]
fn end_body<const FMA: bool>(pass: Pass<'_>, piece: &Piece, h: &mut [f32], steps: &mut [f32]) {
    let padded = pass.shape.padded();
    let mut token = Token::new(pass);
    for t in piece.tokens.clone() {
        token.load::<FMA>(pass, t);
        add(steps, &token.step);
        let (b, _) = pass.directions(t);
        for (n, h) in h.chunks_exact_mut(padded).enumerate() {
            advance::<FMA>(h, &token, &pass.rates[n * padded..][..padded], b[n]);
        }
    }
}

multiversion! {
    fn start_from_nothing(pass: Pass<'_>, piece: &Piece, grad: &[f32], lam: &mut [f32], steps: &mut [f32]) = start_body
}

#[inline(always)]
fn start_body<const FMA: bool>(pass: Pass<'_>, piece: &Piece, grad: &[f32], lam: &mut [f32], steps: &mut [f32]) {
    let padded = pass.shape.padded();
    let (mut token, mut row) = (Token::new(pass), Row::new(pass.shape));
    for t in piece.tokens.clone().rev() {
        token.load::<FMA>(pass, t);
        row.clear(pass.row(grad, t));
        add(steps, &token.step);
        let (_, c) = pass.directions(t);
        for (n, lam) in lam.chunks_exact_mut(padded).enumerate() {
            retreat::<FMA>(lam, &row.grad, &token, &pass.rates[n * padded..][..padded], c[n]);
        }
    }
}

multiversion! { fn carry(to: &mut [f32], from: &[f32], steps: &[f32], rates: &[f32]) = carry_body }

/// `to += exp(-rates steps) from`.
#[inline(always)]
fn carry_body<const FMA: bool>(to: &mut [f32], from: &[f32], steps: &[f32], rates: &[f32]) {
    let padded = steps.len();
    let rows = to.chunks_exact_mut(padded).zip(from.chunks_exact(padded)).zip(rates.chunks_exact(padded));
    for ((to, from), rates) in rows {
        for (((to, from), rate), step) in to.iter_mut().zip(from).zip(rates).zip(steps) {
            *to = madd::<FMA>(exp::<FMA>(-step * rate), *from, *to);
        }
    }
}
