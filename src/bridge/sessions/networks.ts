/**
 * Networks of sessions, by name, each with its fingerprint.
 *
 *     fingerprint = SHA-256(definition, dtype, sizes, weights, readout)
 *
 * A session is pinned to the fingerprint it began with. The definition is what rebuilds the network after a restart: plain JSON
 * with the kind, its options and the readout. Weights too large for dense copies enter by the states that they produce on a
 * fixed series.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Esn, Scaling } from '../../esn/index.js';
import { DeepTreeModel, type DeepTreeOptions, Es2n, EuSn, type Network, Nvar, Reservoir } from '../../network/index.js';
import { matrix } from '../../numeric/index.js';
import { LinearReadout } from '../../readout/index.js';
import { BridgeError } from '../messages/index.js';
import { hashValue } from './hash-value.js';
import { isModelDefinition, type ModelDefinition, openModel } from './models.js';

const kinds = { DeepTreeModel, Reservoir, Es2n, EuSn, Nvar };
const DENSE_BYTES = 64 * 2 ** 20;
const PROBE_STEPS = 32;

/** What rebuilds a network: JSON. */
export interface NetworkDefinition {
  /** The class of the network. */
  kind: keyof typeof kinds;
  /** Its options, as its constructor takes them. */
  options: Record<string, unknown>;
  /** Rows of weights (features x outputs) and one bias an output; left out, sessions answer the states. */
  readout?: { weights: number[][]; bias: number[] } | undefined;
}

export interface SessionNetwork {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly fingerprint: string;
  readonly network: Network;
  /** Null: the outputs are the states. */
  readonly readout: LinearReadout | null;
  /** What rebuilds it. */
  readonly definition: NetworkDefinition | ModelDefinition;
  /** The saved model that it is the network of; null for a definition. */
  readonly model: Esn | null;
  /** Of the model's file before it was opened (stampOf); null for a definition. */
  readonly stamp: string | null;
  /** Between the units of rows and those of the network; null where they are the same. */
  readonly inputScaling: Scaling | null;
  /** The same of what the readout gives. */
  readonly outputScaling: Scaling | null;
  close(): void;
}

/** The configuration's fields that the default network is made of. */
export interface TreeConfiguration {
  depth: number;
  units: number;
  inputs: number;
  seed: number;
}

/** The definition of the processor's Deep Tree: all of its levels, in f32. `model` are its further options. */
export function treeDefinition(
  { depth, units, inputs, seed }: TreeConfiguration,
  model: Partial<DeepTreeOptions> = {},
): NetworkDefinition {
  const given = Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined));
  const tree = { dtype: 'f32', units, inputs, seed, leak: 0.5, biasScaling: 0.1, ...given };
  return { kind: 'DeepTreeModel', options: 'parents' in given ? tree : { depth, ...tree } };
}

/**
 * Builds a network off the JavaScript thread, or opens a saved model. The definition of a Deep Tree that it keeps says which
 * membranes the input reaches. Errors: those of its constructor or of its file; BridgeError `impossible` for another kind.
 */
export async function buildNetwork(
  name: string,
  definition: NetworkDefinition | ModelDefinition,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<SessionNetwork> {
  if (isModelDefinition(definition)) return openModel(name, definition);
  const whole = withInputTo('all', definition);
  return build(name, whole, whole, signal);
}

/**
 * The network of a stored session. A stored Deep Tree without `inputTo` is one of a version whose default was 'skin'.
 * Errors: as buildNetwork's.
 */
export async function rebuildNetwork(
  name: string,
  stored: NetworkDefinition | ModelDefinition,
): Promise<SessionNetwork> {
  if (isModelDefinition(stored)) return openModel(name, stored);
  return build(name, withInputTo('skin', stored), stored);
}

function withInputTo(inputTo: 'skin' | 'all', definition: NetworkDefinition): NetworkDefinition {
  if (definition.kind !== 'DeepTreeModel') return definition;
  const { options } = definition;
  return { ...definition, options: { ...options, inputTo: options['inputTo'] ?? inputTo } };
}

/** `definition` is what the fingerprint is taken of. */
async function build(
  name: string,
  built: NetworkDefinition,
  definition: NetworkDefinition,
  signal?: AbortSignal,
): Promise<SessionNetwork> {
  const Kind = kinds[definition.kind] as unknown as { constructAsync(options: object, run: object): Promise<Network> };
  if (!Object.hasOwn(kinds, definition.kind)) {
    throw new BridgeError('impossible', `Expected one of ${Object.keys(kinds).join(', ')} as the kind of ${name}`);
  }
  const network = await Kind.constructAsync(built.options, { signal });
  const readout = definition.readout === undefined ? null : readoutOf(definition.readout, network);
  return {
    ...{ name, network, readout, definition, fingerprint: fingerprintOf(network, readout, definition) },
    ...{ model: null, stamp: null, inputScaling: null, outputScaling: null },
    close: () => network.close(),
  };
}

function readoutOf({ weights, bias }: NonNullable<NetworkDefinition['readout']>, network: Network): LinearReadout {
  const inputs = weights.length - network.featureSize;
  if (inputs !== 0 && inputs !== network.inputs) {
    throw new BridgeError(
      'impossible',
      `Expected ${network.featureSize} rows of readout.weights, or as many and the inputs`,
    );
  }
  const rows = matrix(weights.length, bias.length, weights);
  return new LinearReadout({ states: network.featureSize, inputs, weights: rows, bias });
}

export function fingerprintOf(network: Network, readout: LinearReadout | null, definition: NetworkDefinition): string {
  const hash = createHash('sha256');
  const { dtype, inputs, stateSize, featureSize } = network;
  hash.update(JSON.stringify([sorted(definition), dtype, inputs, stateSize, featureSize]));
  hashWeights(hash, network);
  if (readout !== null) hashValue(hash, [readout.weights.data, readout.bias]);
  return hash.digest('hex');
}

function hashWeights(hash: Hash, network: Network): void {
  const { membranes, weights } = network as Network & {
    membranes?: readonly { units: number }[];
    weights?: (membrane?: number) => object;
  };
  const largest = Math.max(...(membranes?.map(({ units }) => units) ?? [network.stateSize]));
  if (weights === undefined || 8 * largest ** 2 > DENSE_BYTES) {
    hashValue(hash, network.runBatch([probe(network.inputs)], {})[0]!.data);
  } else if (membranes === undefined) {
    hashValue(hash, weights.call(network));
  } else {
    for (const index of membranes.keys()) hashValue(hash, weights.call(network, index));
  }
}

/** Fixed numbers in [-1, 1) of a linear congruential generator. */
function probe(inputs: number): number[][] {
  let word = 1;
  const next = () => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 31 - 1;
  };
  return Array.from({ length: PROBE_STEPS }, () => Array.from({ length: inputs }, next));
}

/** The same JSON for the same definition, whatever the order of its keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]));
}
