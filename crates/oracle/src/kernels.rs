//! The operations written as their definitions: plain loops in `f64` on row-major slices, no fusion and no threads.
//!
//! Slow on purpose. The fast operations are tested against these, and their gradients against finite differences of
//! these.

/// Rows of `x [V, width]` by index.
pub fn gather(x: &[f64], width: usize, index: &[u32]) -> Vec<f64> {
    index.iter().flat_map(|&i| &x[i as usize * width..(i as usize + 1) * width]).copied().collect()
}

/// Sums of the rows of `x [M, width]` by index, `[rows, width]`.
pub fn scatter_sum(x: &[f64], width: usize, index: &[u32], rows: usize) -> Vec<f64> {
    let mut out = vec![0.0; rows * width];
    for (i, &row) in index.iter().enumerate() {
        for k in 0..width {
            out[row as usize * width + k] += x[i * width + k];
        }
    }
    out
}

/// Means of runs of rows of `x [M, width]`; 0 for an empty run.
pub fn segment_mean(x: &[f64], width: usize, offsets: &[u32]) -> Vec<f64> {
    let mut out = vec![0.0; (offsets.len() - 1) * width];
    for s in 0..offsets.len() - 1 {
        let run = offsets[s] as usize..offsets[s + 1] as usize;
        for i in run.clone() {
            for k in 0..width {
                out[s * width + k] += x[i * width + k] / run.len() as f64;
            }
        }
    }
    out
}

/// `x [M, inner]` times `w [R, inner, outer]` by runs of rows of one type, plus `b [R, outer]`.
pub fn typed_linear(x: &[f64], offsets: &[u32], w: &[f64], b: Option<&[f64]>, [inner, outer]: [usize; 2]) -> Vec<f64> {
    let rows = offsets.last().map_or(0, |last| *last as usize);
    let mut out = vec![0.0; rows * outer];
    for kind in 0..offsets.len() - 1 {
        for row in offsets[kind] as usize..offsets[kind + 1] as usize {
            for o in 0..outer {
                let bias = b.map_or(0.0, |b| b[kind * outer + o]);
                let product = (0..inner).map(|i| x[row * inner + i] * w[(kind * inner + i) * outer + o]);
                out[row * outer + o] = bias + product.sum::<f64>();
            }
        }
    }
    out
}

/// The inputs of [`neighborhood_attention`]; see the fast operation of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Neighborhood<'a> {
    /// `[V, d]`.
    pub entries: &'a [f64],
    /// `[Q, H d_h]`.
    pub query: &'a [f64],
    /// `[R, H, d_h, F]`.
    pub keys: &'a [f64],
    /// `[R, H, F, d_h]`.
    pub values: &'a [f64],
    /// `[R, H]`.
    pub prior: &'a [f64],
    /// `[Q, H]`.
    pub sink: Option<&'a [f64]>,
    /// `[E]`.
    pub gate: Option<&'a [f64]>,
    /// `[E, W]`.
    pub edges: Option<&'a [f64]>,
    /// E: entry of each neighbor.
    pub entry: &'a [u32],
    /// Q + 1 offsets into pairs.
    pub root_pairs: &'a [u32],
    /// P + 1 offsets into neighbors.
    pub pair_neighbors: &'a [u32],
    /// P: relation of each pair.
    pub pair_relation: &'a [u32],
    /// Of each neighbor's edge, E gaps, cycles a tick, and ticks of the logarithm.
    pub ages: Option<(&'a [f64], &'a [f64], f64)>,
    /// H, d_h and d.
    pub sizes: [usize; 3],
}

impl Neighborhood<'_> {
    /// The token of neighbor j: its entry, its age, the features of its edge.
    fn token(&self, j: usize) -> Vec<f64> {
        let ([_, _, d], entry) = (self.sizes, self.entry[j] as usize);
        let mut token = self.entries[entry * d..(entry + 1) * d].to_vec();
        if let Some((gap, frequencies, scale)) = self.ages {
            token.extend(time_encoding(&gap[j..=j], frequencies));
            token.push((gap[j] / scale).ln_1p());
        }
        if let Some(edges) = self.edges {
            let width = edges.len() / self.entry.len();
            token.extend_from_slice(&edges[j * width..(j + 1) * width]);
        }
        token
    }

    /// Key and value of one head, `K_rh f` and `V_rh f`.
    fn key_and_value(&self, relation: usize, h: usize, token: &[f64]) -> [Vec<f64>; 2] {
        let ([heads, d_h, _], f) = (self.sizes, token.len());
        let at = (relation * heads + h) * d_h * f;
        let key = |a: usize| (0..f).map(|k| self.keys[at + a * f + k] * token[k]).sum();
        let value = |a: usize| (0..f).map(|k| self.values[at + k * d_h + a] * token[k]).sum();
        [(0..d_h).map(key).collect(), (0..d_h).map(value).collect()]
    }
}

/// Outputs `[Q, H d_h]`, weights of neighbors `[E, H]` and weights of sinks `[Q, H]`.
pub fn neighborhood_attention(input: Neighborhood<'_>) -> [Vec<f64>; 3] {
    let Neighborhood { query, prior, sink, gate, root_pairs, pair_neighbors, pair_relation, .. } = input;
    let [heads, d_h, _] = input.sizes;
    let roots = root_pairs.len() - 1;
    let (mut out, mut alphas) = (vec![0.0; query.len()], vec![0.0; input.entry.len() * heads]);
    let mut sinks = vec![0.0; roots * heads];
    for (q, h) in (0..roots).flat_map(|q| (0..heads).map(move |h| (q, h))) {
        let at = (q * heads + h) * d_h;
        let (mut members, mut scores, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for p in root_pairs[q] as usize..root_pairs[q + 1] as usize {
            let relation = pair_relation[p] as usize;
            for j in pair_neighbors[p] as usize..pair_neighbors[p + 1] as usize {
                let [key, value] = input.key_and_value(relation, h, &input.token(j));
                let product: f64 = (0..d_h).map(|a| query[at + a] * key[a]).sum();
                members.push(j);
                scores.push(product / (d_h as f64).sqrt() + prior[relation * heads + h]);
                values.push(value);
            }
        }
        let nothing = sink.map_or(f64::NEG_INFINITY, |sink| sink[q * heads + h]);
        let top = scores.iter().copied().fold(nothing, f64::max);
        if top == f64::NEG_INFINITY {
            continue; // Nothing to attend to.
        }
        let share = |j: usize, score: f64| gate.map_or(1.0, |gate| gate[j]) * (score - top).exp();
        let shares = members.iter().zip(&scores).map(|(&j, &score)| share(j, score));
        let total = shares.sum::<f64>() + (nothing - top).exp();
        for ((&j, &score), value) in members.iter().zip(&scores).zip(&values) {
            let alpha = share(j, score) / total;
            alphas[j * heads + h] = alpha;
            (0..d_h).for_each(|a| out[at + a] += alpha * value[a]);
        }
        sinks[q * heads + h] = (nothing - top).exp() / total;
    }
    [out, alphas, sinks]
}

/// The inputs of [`selective_scan`]; see the fast operation of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// `[T, D]`.
    pub x: &'a [f64],
    /// `[T, D]`.
    pub delta: &'a [f64],
    /// `[T, N]`.
    pub b: &'a [f64],
    /// `[T, N]`.
    pub c: &'a [f64],
    /// `[T, D]`.
    pub g: Option<&'a [f64]>,
    /// `[T]`.
    pub gap: &'a [f64],
    /// `[D]`.
    pub kappa: &'a [f64],
    /// `[D, N]`.
    pub a: &'a [f64],
    /// `[D]`.
    pub dskip: &'a [f64],
    /// `[S, D, N]`.
    pub h0: &'a [f64],
    /// S + 1 offsets into tokens.
    pub segments: &'a [u32],
}

/// Outputs `[T, D]` and last states `[S, D, N]`.
pub fn selective_scan(input: Scan<'_>) -> [Vec<f64>; 2] {
    let channels = input.kappa.len();
    let states = input.a.len() / channels.max(1);
    let mut y = vec![0.0; input.x.len()];
    let mut h = input.h0.to_vec();
    for s in 0..input.segments.len() - 1 {
        for t in input.segments[s] as usize..input.segments[s + 1] as usize {
            for d in 0..channels {
                let at = t * channels + d;
                let step = input.delta[at] + input.kappa[d] * input.gap[t];
                let write = input.g.unwrap_or(input.delta)[at] * input.x[at];
                y[at] = input.dskip[d] * input.x[at];
                for n in 0..states {
                    let h = &mut h[(s * channels + d) * states + n];
                    *h = (-step * input.a[d * states + n]).exp() * *h + write * input.b[t * states + n];
                    y[at] += *h * input.c[t * states + n];
                }
            }
        }
    }
    [y, h]
}

/// The states `[T, D]` of the gated recurrence on `x [T, 3 D]`, `u [D, 3 D]`, `bias [D]`, `h0 [S, D]`.
pub fn gated_recurrence(x: &[f64], u: &[f64], bias: &[f64], h0: &[f64], segments: &[u32]) -> Vec<f64> {
    let d = bias.len();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut out = Vec::new();
    for s in 0..segments.len() - 1 {
        let mut h = h0[s * d..(s + 1) * d].to_vec();
        for t in segments[s] as usize..segments[s + 1] as usize {
            let brought = |k: usize, c: usize| (0..d).map(|i| h[i] * u[i * 3 * d + k * d + c]).sum::<f64>();
            let at = |k: usize, c: usize| x[t * 3 * d + k * d + c];
            h = (0..d)
                .map(|c| {
                    let (r, z) = (sigmoid(at(0, c) + brought(0, c)), sigmoid(at(1, c) + brought(1, c)));
                    let n = (at(2, c) + r * (brought(2, c) + bias[c])).tanh();
                    (1.0 - z) * n + z * h[c]
                })
                .collect();
            out.extend_from_slice(&h);
        }
    }
    out
}

/// Rows of `x [M, weight.len()]` over their root mean square, times `weight`.
pub fn rms_norm(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let width = weight.len();
    let row = |x: &[f64]| {
        let square = x.iter().map(|x| x * x).sum::<f64>() / width as f64;
        let scale = 1.0 / (square + 1e-6).sqrt();
        x.iter().zip(weight).map(|(x, w)| x * scale * w).collect::<Vec<_>>()
    };
    x.chunks_exact(width.max(1)).flat_map(row).collect()
}

/// `x sigmoid(x)` of every element.
pub fn silu(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x / (1.0 + (-x).exp())).collect()
}

/// `log(1 + e^x)` of every element.
pub fn softplus(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x.exp().ln_1p()).collect()
}

/// `cos(2 pi frac(freq * gap))`, `[gaps, freqs]`.
pub fn time_encoding(gaps: &[f64], freqs: &[f64]) -> Vec<f64> {
    let cosine = |gap: &f64, freq: &f64| (std::f64::consts::TAU * (gap * freq).fract()).cos();
    gaps.iter().flat_map(|gap| freqs.iter().map(move |freq| cosine(gap, freq))).collect()
}

/// AdamW (Loshchilov and Hutter 2019) on some weights: one step for each gradient. The settings are step size, decay of the two
/// moments, epsilon and weight decay.
pub fn adamw(weights: &[f32], gradients: &[Vec<f32>], [rate, b1, b2, epsilon, decay]: [f64; 5]) -> Vec<f64> {
    let mut weights: Vec<f64> = weights.iter().map(|weight| f64::from(*weight)).collect();
    for (i, weight) in weights.iter_mut().enumerate() {
        let (mut first, mut second) = (0.0, 0.0);
        for (time, gradient) in (1..).zip(gradients) {
            let gradient = f64::from(gradient[i]);
            first = b1 * first + (1.0 - b1) * gradient;
            second = b2 * second + (1.0 - b2) * gradient * gradient;
            let (mean, square) = (first / (1.0 - b1.powi(time)), second / (1.0 - b2.powi(time)));
            *weight -= rate * (mean / (square.sqrt() + epsilon) + decay * *weight);
        }
    }
    weights
}

/// The sum of rows of tables, each with the row that each of `n` pairs reads, if any: `[n, width]`, not below 0.
pub fn relu_of_sums(tables: &[(&[f64], &[Option<u32>])], n: usize, width: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * width];
    for (table, reads) in tables {
        for (pair, row) in reads.iter().enumerate() {
            let Some(row) = row else { continue };
            for k in 0..width {
                out[pair * width + k] += table[*row as usize * width + k];
            }
        }
    }
    out.iter().map(|x| x.max(0.0)).collect()
}

/// `w_rho . h + z_s diag(r_rho) z_d` of pairs with hidden rows h `[C, width]`, from w and r `[R, width]` and z `[Q, width]`.
pub fn pair_scores(
    hidden: &[f64],
    [w, r, z]: [&[f64]; 3],
    relation: &[u32],
    ends: [&[u32]; 2],
    width: usize,
) -> Vec<f64> {
    let at = |values: &[f64], row: u32, k: usize| values[row as usize * width + k];
    let score = |pair: usize| -> f64 {
        let (relation, source, destination) = (relation[pair], ends[0][pair], ends[1][pair]);
        let scored = (0..width).map(|k| hidden[pair * width + k] * at(w, relation, k)).sum::<f64>();
        let matched = (0..width).map(|k| at(z, source, k) * at(r, relation, k) * at(z, destination, k)).sum::<f64>();
        scored + matched
    };
    (0..relation.len()).map(score).collect()
}
