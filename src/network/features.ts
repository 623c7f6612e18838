/**
 * Features: what a readout reads of a network, made of elements of its states and inputs.
 *
 *     'states'      x(t)                          'inputs'      u(t)
 *     'squares'     x_i(t)²                       firstStates(n)      the first n of x(t)
 *     delays(k)     u(t - 1), ..., u(t - k)       products(...) x_i x_k, or all monomials of the inputs
 *     nlat(1..3)    x(t) with every other element replaced by a product
 *     differentials(n)                            F(τ)(x(t)) for each rooted tree τ to the order n
 *
 * Each is compiled to products of places in [x(t), u(t), u(t - 1), ..., x(t - 1), x(t - 2), ..., F(τ1), F(τ2), ...]
 * (native/network/featured.h).
 */
import { argumentError, checkKeys, checkWhole, didYouMean, rangeError } from '../errors/index.js';
import { checkMemory } from '../numeric/index.js';
import { treeTable } from '../trees/index.js';
import { MAX_ORDER, type Network } from './network.js';

/** A feature with parameters, as delays, products, nlat, firstStates and differentials make it: a plain object. */
export type FeaturePart =
  | { readonly feature: 'delays'; readonly count: number; readonly of: 'inputs' | 'states'; readonly stride: number }
  | { readonly feature: 'monomials'; readonly of: 'inputs' | 'states'; readonly order: number }
  | { readonly feature: 'products'; readonly factors: readonly (readonly number[])[] }
  | { readonly feature: 'nlat'; readonly version: 1 | 2 | 3 }
  | { readonly feature: 'first'; readonly count: number }
  | { readonly feature: 'differentials'; readonly order: number };

/**
 * What a readout reads: 'states' x(t), 'inputs' u(t), 'squares' x_i(t)², or a part of delays, products, nlat, firstStates or
 * differentials.
 */
export type Feature = 'states' | 'inputs' | 'squares' | FeaturePart;

/** Options of delays: which rows, and the steps between them. */
export interface DelaysOptions {
  /** Rows of the inputs or of the states. Default 'inputs'. */
  of?: 'inputs' | 'states' | undefined;
  /** Steps between two rows, 1 or more. Default 1. */
  stride?: number | undefined;
}

/** Options of products: monomials of which elements, and of how many factors. */
export interface ProductsOptions {
  /** Elements of the inputs or of the states. Default 'inputs'. */
  of?: 'inputs' | 'states' | undefined;
  /** Factors of each monomial, 1 to 8. Default 2. */
  order?: number | undefined;
}

/**
 * The rows before: u(t - stride), ..., u(t - count stride), or those of the states. Before a state has taken so many steps
 * they are zeros. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export function delays(count: number, options: DelaysOptions = {}): FeaturePart {
  checkKeys(options, ['of', 'stride'], 'delays');
  const { of = 'inputs', stride = 1 } = options;
  checkWhole(count, 'count', 1, 1_000_000);
  checkWhole(stride, 'stride', 1, 1_000_000);
  return { feature: 'delays', count, of: checkedOf(of), stride };
}

/**
 * Products of elements: given ones of the states, `products([[0, 1], [2, 2, 5]])`, or every monomial of `order` factors of
 * the inputs (or states), in the order of combinations with replacement. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export function products(factors: readonly (readonly number[])[] | ProductsOptions = {}): FeaturePart {
  if (Array.isArray(factors)) {
    for (const [i, one] of factors.entries()) {
      if (!Array.isArray(one) || one.length === 0) throw argumentError('an array of indices', `products[${i}]`, one);
      for (const index of one) checkWhole(index, `products[${i}]`, 0);
    }
    return { feature: 'products', factors: factors.map((one: readonly number[]) => [...one]) };
  }
  checkKeys(factors, ['of', 'order'], 'products');
  const { of = 'inputs', order = 2 } = factors as ProductsOptions;
  checkWhole(order, 'order', 1, 8);
  return { feature: 'monomials', of: checkedOf(of), order };
}

/**
 * Nonlinear transformations of the states, which replace every other element (counted from 1, odd i):
 *
 *     nlat(1)   x_i²        nlat(2)   x_(i-1) x_(i-2)        nlat(3)   x_(i-1) x_(i+1)
 *
 * Elements without such neighbours stay as they are. Sources: Pathak et al. (2017), Chaos 27, 121102; Chattopadhyay et al.
 * (2020), Nonlinear Processes in Geophysics 27. Errors: RangeError ERR_DTESN_ARGUMENT for another version.
 */
export function nlat(version: 1 | 2 | 3): FeaturePart {
  checkWhole(version, 'version', 1, 3);
  return { feature: 'nlat', version };
}

/**
 * The first `count` elements of the states: of a Deep Tree, the membranes of the upper levels. Errors: TypeError or
 * RangeError ERR_DTESN_ARGUMENT.
 */
export function firstStates(count: number): FeaturePart {
  checkWhole(count, 'count', 1);
  return { feature: 'first', count };
}

/**
 * Elementary differentials of the flow whose Euler step the network takes, at the state after the step and under its input:
 *
 *     x' = f(x) = L x + φ(W x + W_in u(t) + b)       F(•) = f,   F([τ1 .. τk]) = f^(k)(F(τ1), .., F(τk))       at x(t)
 *
 * one row a rooted tree, in the order of `rootedTrees`: those of order 1 first. A row has a number for each unit, so that
 * the feature has 1, 2, 4, 8, 17, 37, 85, 200, 486 or 1205 times the units for the orders 1 to 10. They are what
 * `network.differentials` returns: L is -1 for leaky networks, W the assembled block matrix of a Deep Tree, and rows of
 * closed membranes are 0. A step costs 1, 2, 3, 5, 9, 18, 38, 86, 201 or 487 more products with W.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for an order that is not 1 to 10; of a Featured, TypeError ERR_DTESN_ARGUMENT for a
 * network without a flow (an Nvar, a Featured). `esn.toC()` refuses them.
 * Source: Hairer, Lubich, Wanner (2006), Geometric Numerical Integration, III.1.
 */
export function differentials(order: number): FeaturePart {
  checkWhole(order, 'order', 1, MAX_ORDER);
  return { feature: 'differentials', order };
}

/** What features are made of. */
export interface FeatureSource {
  inputs: number;
  featureSize: number;
  owner: string;
  hasFlow: boolean;
}

export function sourceOf({ inputs, featureSize, owner, native }: Network): FeatureSource {
  return { inputs, featureSize, owner, hasFlow: native.hasFlow };
}

/** Features as the native network takes them: rows that are kept, the order of differentials, the factors of each feature. */
export interface CompiledFeatures {
  lines: [inputs: number, features: number];
  /** 0 for none. */
  differentials: number;
  offsets: Uint32Array;
  factors: Uint32Array;
}

/** An element of a row: of the states or of the inputs, so many steps ago, or of the differentials of this step. */
type Element = { of: 'states' | 'inputs' | 'differentials'; at: number; ago: number };

/** Factors of all features: each takes some 300 bytes while they are compiled. */
const MOST_FACTORS = 2 ** 22;

const knownFeatures = "'states', 'inputs', 'squares', delays(), products(), nlat(), firstStates() or differentials()";

export function compileFeatures(list: readonly Feature[], source: FeatureSource): CompiledFeatures {
  if (!Array.isArray(list) || list.length === 0) throw argumentError('an array of features', 'features', list);
  const features: Element[][] = [];
  let all = 0;
  for (const [i, one] of list.entries()) {
    for (const feature of featureOf(one, source, `features[${i}]`)) {
      features.push(feature);
      all += feature.length;
    }
    checkFactors(all, 'features');
  }
  const oldest = (of: Element['of']) =>
    features.reduce(
      (most, one) => one.reduce((m, element) => (element.of === of ? Math.max(m, element.ago) : m), most),
      -1,
    );
  const lines: [number, number] = [oldest('inputs') + 1, Math.max(oldest('states'), 0)];
  const { inputs, featureSize } = source;
  checkMemory(8 * (lines[0] * inputs + lines[1] * featureSize), 'a state with delayed rows');
  const old = featureSize + lines[0] * inputs;
  const place = ({ of, at, ago }: Element) => {
    if (of === 'inputs') return featureSize + ago * inputs + at;
    if (of === 'differentials') return old + lines[1] * featureSize + at;
    return ago === 0 ? at : old + (ago - 1) * featureSize + at;
  };
  const offsets = new Uint32Array(features.length + 1);
  const factors: number[] = [];
  for (const [i, elements] of features.entries()) {
    for (const element of elements) factors.push(place(element));
    offsets[i + 1] = factors.length;
  }
  return { lines, differentials: orderOf(list), offsets, factors: Uint32Array.from(factors) };
}

/** The largest order of differentials in a list; 0 without any. */
function orderOf(list: readonly Feature[]): number {
  const orderAlone = (one: Feature) => (typeof one === 'object' && one.feature === 'differentials' ? one.order : 0);
  return list.reduce((most, one) => Math.max(most, orderAlone(one)), 0);
}

/** Each feature of one entry, as its factors. */
function featureOf(entry: Feature, source: FeatureSource, argument: string): Element[][] {
  const { inputs, featureSize } = source;
  if (entry === 'states') return row('states', featureSize);
  if (entry === 'inputs') return row('inputs', inputs);
  if (entry === 'squares') return row('states', featureSize).map(([x]) => [x!, x!]);
  if (typeof entry === 'string') {
    const hint = didYouMean(entry, ['states', 'inputs', 'squares']);
    throw rangeError(`${knownFeatures}${hint}`, argument, entry);
  }
  const width = (of: Element['of']) => (of === 'inputs' ? inputs : featureSize);
  switch (entry?.feature) {
    case 'delays':
      delays(entry.count, { of: entry.of, stride: entry.stride });
      checkFactors(entry.count * width(entry.of), argument);
      return Array.from({ length: entry.count }, (_, k) =>
        row(entry.of, width(entry.of), (k + 1) * entry.stride),
      ).flat();
    case 'monomials':
      products({ of: entry.of, order: entry.order });
      return monomials(row(entry.of, width(entry.of)).flat(), entry.order, argument);
    case 'products':
      products(entry.factors);
      return entry.factors.map((one) => one.map((at) => state(at, source, argument)));
    case 'nlat':
      nlat(entry.version);
      return row('states', featureSize).map(([x], i) => transformed(x!, i, entry.version, featureSize));
    case 'differentials':
      return flowRows(entry.order, source, argument);
    case 'first':
      firstStates(entry.count);
      state(entry.count - 1, source, argument);
      return row('states', entry.count);
    default:
      throw argumentError(knownFeatures, argument, entry);
  }
}

/** F(τ) of each tree: `featureSize` elements a tree, since a network with a flow shows its state. */
function flowRows(order: number, { featureSize, hasFlow, owner }: FeatureSource, argument: string): Element[][] {
  checkWhole(order, `${argument}.order`, 1, MAX_ORDER);
  if (!hasFlow) throw argumentError('features of a network with a flow for differentials()', argument, owner);
  const width = treeTable(order).order.length * featureSize;
  checkFactors(width, argument);
  return row('differentials', width);
}

function checkFactors(count: number, argument: string): void {
  if (!(count <= MOST_FACTORS)) throw rangeError(`features of at most ${MOST_FACTORS} factors`, argument, count);
}

function row(of: Element['of'], width: number, ago = 0): Element[][] {
  return Array.from({ length: width }, (_, at) => [{ of, at, ago }]);
}

function state(at: number, { featureSize, owner }: FeatureSource, argument: string): Element {
  if (at < featureSize) return { of: 'states', at, ago: 0 };
  throw rangeError(`indices below ${featureSize} (features of ${owner})`, argument, at);
}

function transformed(x: Element, i: number, version: 1 | 2 | 3, size: number): Element[] {
  const near = (step: number): Element => ({ ...x, at: i + step });
  if (i % 2 === 1) return [x];
  if (version === 1) return [x, x];
  if (i < 2) return [x];
  if (version === 2) return [near(-1), near(-2)];
  return i + 1 < size ? [near(-1), near(1)] : [x];
}

function monomials(elements: Element[], order: number, argument: string): Element[][] {
  let count = 1;
  for (let i = 1; i <= order; i++) count *= (elements.length + i - 1) / i;
  checkFactors(order * count, argument);
  let partial: { from: number; factors: Element[] }[] = [{ from: 0, factors: [] }];
  for (let i = 0; i < order; i++) {
    partial = partial.flatMap(({ from, factors }) =>
      elements.slice(from).map((element, k) => ({ from: from + k, factors: [...factors, element] })),
    );
  }
  return partial.map(({ factors }) => factors);
}

function checkedOf(of: unknown): 'inputs' | 'states' {
  if (of === 'inputs' || of === 'states') return of;
  throw rangeError("'inputs' or 'states'", 'of', of);
}
