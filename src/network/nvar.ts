/**
 * Nonlinear vector autoregression (next generation reservoir computing): the last inputs and their monomials, no
 * weights.
 */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { checkMemory } from '../numeric/index.js';
import { type ClaimedNetwork, planOf, registerKind } from './handle.js';
import { Network } from './network.js';
import { type RegionOptions, regionShape } from './options.js';
import type { NetworkPlan } from './plan.js';

export const optionsSchema = z.object({
  inputs: regionShape.inputs,
  delay: z.int().min(1).max(1_000_000).describe('a whole number from 1 to 1000000'),
  order: z.int().min(1).max(64).default(2).describe('a whole number from 1 to 64'),
  strides: z.int().min(1).max(1_000_000).default(1).describe('a whole number from 1 to 1000000'),
  dtype: regionShape.dtype,
  state: regionShape.state,
});

/** Options of Nvar: the length and spacing of the delay line, and the order of the monomials. */
export interface NvarOptions extends Pick<RegionOptions, 'inputs' | 'dtype'> {
  /** Inputs that are kept, the present one among them, 1 to 1,000,000. Required. */
  delay: number;
  /** Factors of each monomial, 1 to 64. Default 2. */
  order?: number | undefined;
  /** Steps between two inputs that are kept, 1 to 1,000,000. Default 1. */
  strides?: number | undefined;
  /** Where the delay line lies: stateSize elements on shared memory. Default: fresh zeros. */
  state?: Float32Array | Float64Array | undefined;
}

/** The fields that a handle of a shared Nvar carries. */
export interface NvarFacts {
  delay: number;
  order: number;
  strides: number;
}

/**
 * Nonlinear vector autoregression (next generation reservoir computing): the last inputs and their monomials, no weights.
 *
 *     linear(t)   = [u(t), u(t - strides), ..., u(t - (delay - 1) strides)]          newest first, delay x inputs numbers
 *     features(t) = [linear, every monomial of exactly `order` factors of linear, in combinations with replacement]
 *
 * featureSize is delay inputs + C(delay inputs + order - 1, order); there is no constant (a readout's intercept is
 * one). The state is the delay line, (delay - 1) strides + 1 inputs, newest first; it holds zeros until it is full.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option, DtesnError ERR_DTESN_MEMORY for more monomials than
 * fit in memory.
 * Source: Gauthier, Bollt, Griffith, Barbosa (2021), "Next generation reservoir computing", Nature Communications 12, 5564.
 */
export class Nvar extends Network<NvarFacts> {
  constructor(options: NvarOptions) {
    super(planOf(options as NvarOptions | ClaimedNetwork, planNvar));
  }

  /** Inputs that are kept, the present one among them. */
  get delay(): number {
    return this.facts.delay;
  }

  /** Factors of each monomial. */
  get order(): number {
    return this.facts.order;
  }

  /** Steps between two inputs that are kept. */
  get strides(): number {
    return this.facts.strides;
  }
}

registerKind('Nvar', Nvar, planNvar);

function planNvar(options: NvarOptions): NetworkPlan<NvarFacts> {
  const { inputs, delay, order, strides, dtype, state } = checkOptions(optionsSchema, options, 'Nvar');
  let monomials = 1;
  for (let i = 1; i <= order; i++) monomials *= (delay * inputs + i - 1) / i;
  checkMemory((order * monomials + delay * strides * inputs) * 8, `${monomials.toPrecision(3)} monomials`);
  const facts = { delay, order, strides };
  return { kind: 'Nvar', dtype, spec: { kind: 'nvar', inputs, ...facts }, facts, own: { data: state } };
}
