/** Reservoirs on graphs: small worlds, clusters, bands. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import type { RandomNumbers } from '../random/index.js';
import { scaleTo } from './drawn.js';
import { type DenseInitializer, finite, randomOf, share, square } from './initializer.js';

/** What all reservoirs on graphs take. */
export interface GraphOptions {
  /** Radius that W is scaled to, above 0. Default: as drawn, weights uniform on [-1, 1). */
  spectralRadius?: number | undefined;
}

const shape = { spectralRadius: z.number().gt(0).optional().describe('a number above 0') };

/** Options of smallWorld: neighbours on the ring, and how many edges are moved. */
export interface SmallWorldOptions extends GraphOptions {
  /** Neighbours of each unit on the ring before rewiring, an even number: half of them on each side. Default 2. */
  neighbours?: number | undefined;
  /** Probability that an edge is moved to a random unit, in [0, 1]. Default 0.1. */
  rewire?: number | undefined;
}

const smallWorldSchema = z.object({
  ...shape,
  neighbours: z.int().min(2).multipleOf(2).default(2).describe('an even number, 2 or more'),
  rewire: share(0.1),
});

/**
 * A small world: a ring whose edges to the nearest neighbours are moved to random units with a small probability. Each edge has a weight
 * in each direction.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, or more neighbours than units; of the initializer RangeError
 * ERR_DTESN_SHAPE for a matrix that is not square, DtesnError ERR_DTESN_CONVERGENCE where a radius is asked for and theirs is 0.
 * Source: Watts & Strogatz (1998), "Collective dynamics of small-world networks", Nature 393; Kawai, Park & Asada (2019), "A small-world
 * topology enhances the echo state property and signal propagation in reservoir computing", Neural Networks 112.
 */
export function smallWorld(options: SmallWorldOptions = {}): DenseInitializer {
  const { neighbours, rewire, spectralRadius } = checkOptions(smallWorldSchema, options, 'smallWorld');
  return graph(spectralRadius, (weights, random) => {
    const n = weights.rows;
    if (neighbours >= n) throw rangeError(`at most ${n - 1} of ${n} units`, 'neighbours', neighbours);
    const joined = Array.from({ length: n }, () => new Set<number>());
    const join = (i: number, k: number) => {
      joined[i]!.add(k);
      joined[k]!.add(i);
    };
    for (let side = 1; side <= neighbours / 2; side++) for (let i = 0; i < n; i++) join(i, (i + side) % n);
    for (let side = 1; side <= neighbours / 2; side++) {
      for (let i = 0; i < n; i++) {
        const to = (i + side) % n;
        if (random.unit() >= rewire || joined[i]!.size >= n - 1 || !joined[i]!.has(to)) continue;
        let next = random.below(n);
        while (next === i || joined[i]!.has(next)) next = random.below(n);
        joined[i]!.delete(to);
        joined[to]!.delete(i);
        join(i, next);
      }
    }
    return (i, k) => joined[i]!.has(k);
  });
}

/** Options of cluster: how many groups, and how dense they are. */
export interface ClusterOptions extends GraphOptions {
  /** Groups of consecutive units, of equal size up to one. Default 3. */
  clusters?: number | undefined;
  /** Probability of a weight between two units of a group, in [0, 1]. Default 0.1. */
  within?: number | undefined;
  /** Probability of a weight between units of different groups, in [0, 1]. Default 0.01. */
  between?: number | undefined;
}

const clusterSchema = z.object({
  ...shape,
  clusters: z.int().min(1).default(3).describe('a whole number, 1 or more'),
  within: share(0.1),
  between: share(0.01),
});

/**
 * Clusters: groups of units that are densely joined inside and sparsely with each other.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, or more clusters than units; of the initializer RangeError
 * ERR_DTESN_SHAPE for a matrix that is not square, DtesnError ERR_DTESN_CONVERGENCE where a radius is asked for and theirs is 0.
 * Source: Deng & Zhang (2007), "Collective behavior of a small-world recurrent neural system with scale-free distribution", IEEE Trans.
 * Neural Networks 18(5); Rodriguez, Izquierdo & Ahn (2019), "Optimal modularity and memory capacity of neural reservoirs", Network
 * Neuroscience 3(2).
 */
export function cluster(options: ClusterOptions = {}): DenseInitializer {
  const { clusters, within, between, spectralRadius } = checkOptions(clusterSchema, options, 'cluster');
  return graph(spectralRadius, ({ rows }, random) => {
    if (clusters > rows) throw rangeError(`at most ${rows} (units)`, 'clusters', clusters);
    const groupOf = (i: number) => Math.floor((i * clusters) / rows);
    return (i, k) => random.unit() < (groupOf(i) === groupOf(k) ? within : between);
  });
}

/** Options of band: how far units are joined, on a line or a ring. */
export interface BandOptions extends GraphOptions {
  /** w: unit i reads units i - w to i + w, 0 or more. Default 1. */
  width?: number | undefined;
  /** Whether the units are a ring, so that the band goes around the corners (a halo). Default false. */
  periodic?: boolean | undefined;
}

const bandSchema = z.object({
  ...shape,
  width: z.int().min(0).default(1).describe('a whole number, 0 or more'),
  periodic: z.boolean().default(false).describe('true or false'),
});

/**
 * A band: units read only their neighbours on a line or a ring, as the sites of a spatial series do.
 *
 *     W[i, k] ~ U[-1, 1) where |i - k| ≤ width, the distance on the ring where it is periodic
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; of the initializer RangeError ERR_DTESN_SHAPE for a matrix that
 * is not square, DtesnError ERR_DTESN_CONVERGENCE where a radius is asked for and its own is 0.
 * Source: Pathak, Hunt et al. (2018), "Model-free prediction of large spatiotemporally chaotic systems from data", Physical Review Letters
 * 120 (local reservoirs with halos).
 */
export function band(options: BandOptions = {}): DenseInitializer {
  const { width, periodic, spectralRadius } = checkOptions(bandSchema, options, 'band');
  return graph(spectralRadius, ({ rows }) => (i, k) => {
    const distance = Math.abs(i - k);
    return (periodic ? Math.min(distance, rows - distance) : distance) <= width;
  });
}

type Joined = (i: number, k: number) => boolean;

/** Weights on [-1, 1) where units are joined: first the edges are drawn, then, row by row, each edge's weight. */
function graph(
  radius: number | undefined,
  edges: (weights: Matrix64, random: RandomNumbers) => Joined,
): DenseInitializer {
  return (rows, cols, seed = 0) => {
    const weights = square(rows, cols);
    const random = randomOf(seed);
    const joined = edges(weights, random);
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < cols; k++) if (joined(i, k)) weights.data[i * cols + k] = random.uniform(-1, 1);
    }
    if (radius !== undefined) scaleTo(weights, radius);
    return finite(weights);
  };
}
