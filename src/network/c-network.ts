/**
 * The C99 source of a network: its weights as constant tables, and two functions over a struct NAME_state whose member `x` is the state.
 *
 *     NAME_advance(n, u)     one step
 *     NAME_features(x, f)    the features of a state
 *
 * The order of sums differs from that of the native kernels, so that numbers agree to rounding.
 * Errors: RangeError ERR_DTESN_ARGUMENT for more weights than a source file should hold and for elementary differentials; TypeError for a network that came by a handle.
 */
import { rangeError } from '../errors/index.js';
import { type Floats, floats, type NativeRegionSpec } from '../native/index.js';
import { cText, numbersOf, table } from './c-tables.js';
import type { Featured } from './featured.js';
import { compileFeatures, sourceOf } from './features.js';
import type { Network } from './network.js';

/** Weights of a source file. */
const MOST_WEIGHTS = 4_194_304;

/** The parts of a source file, in their order. */
export interface CNetwork {
  /** Members of the struct beside the state. */
  members: string[];
  tables: string[];
  functions: string[];
}

/** `gates`: of the state; regions that are closed are left out. */
export function cNetworkOf(network: Network, name: string, gates: Uint8Array | null): CNetwork {
  const parts: CNetwork = { members: [], tables: [], functions: [] };
  const top = layer(network, name, gates, parts);
  parts.functions.push(
    `static inline void ${name}_advance(${name}_state *n, const ${name}_real *u) { ${name}_advance_${top}(n, u); }`,
    `static inline void ${name}_features(const ${name}_real *x, ${name}_real *f) { ${name}_features_${top}(x, f); }`,
  );
  return parts;
}

/** Adds a network and those within; returns its number. */
function layer(network: Network, name: string, gates: Uint8Array | null, parts: CNetwork): number {
  if (network.within !== null) {
    const below = layer(network.within, name, gates, parts);
    featured(network as unknown as Featured, network.within, name, below, parts);
    return below + 1;
  }
  const { spec } = network.recipe();
  if (spec?.kind === 'nvar') vectorAutoregression(network, spec, name, parts);
  if (spec?.kind === 'regions') {
    const weights = spec.regions.reduce((sum, { units, parent }) => {
      const above = parent === undefined ? 0 : spec.regions[parent]!.units;
      return sum + units * (units + spec.inputs + 2 * above);
    }, 0);
    if (weights > MOST_WEIGHTS) {
      throw rangeError(`a network of at most ${MOST_WEIGHTS} places of weights for C`, 'network', weights);
    }
    regions(network, spec.regions, spec.parentFirst, name, gates, parts);
  }
  return 0;
}

function regions(
  network: Network,
  list: readonly NativeRegionSpec[],
  parentFirst: boolean,
  name: string,
  gates: Uint8Array | null,
  parts: CNetwork,
): void {
  const { inputs, stateSize, native, dtype } = network;
  const offsets: number[] = [];
  for (const { units } of list) offsets.push((offsets.at(-1) ?? 0) + units);
  offsets.unshift(0);
  const isOpen = (region: number) => gates === null || gates[region] !== 0;
  const keepsOld = !parentFirst && list.length > 1;
  const most = Math.max(...list.map(({ units }) => units));
  parts.members.push(`${name}_real drive[${most}], carried[${most}];`);
  if (keepsOld) parts.members.push(`${name}_real old[${stateSize}];`);
  const lines = [`${name}_real *const x = n->x;`, `${name}_real *const drive = n->drive;`];
  if (keepsOld) lines.push('memcpy(n->old, x, sizeof n->old);');
  const blocksOf = (i: number, parent: number) => {
    const size = list[i]!.units * list[parent]!.units;
    const [coupling, feedback] = [floats(dtype, size), floats(dtype, size)];
    native.blocks(i, coupling, feedback);
    return { coupling, feedback };
  };
  const add = (label: string, values: Floats, rows: number, cols: number, from: string, to = 'drive') =>
    lines.push(...product({ name, label, values, rows, cols, from, to }, parts));
  list.forEach((region, m) => {
    if (!isOpen(m)) return;
    const { units, parent, carry } = region;
    const [recurrent, input, bias] = [units * units, units * inputs, units].map((size) => floats(dtype, size));
    native.weights(m, recurrent!, input!, bias!);
    lines.push(`memset(drive, 0, ${units} * sizeof *drive);`);
    if (bias!.some((one) => one !== 0)) {
      parts.tables.push(table(`${name}_real`, `${name}_bias_${m}`, bias!));
      lines.push(`memcpy(drive, ${name}_bias_${m}, sizeof ${name}_bias_${m});`);
    }
    add(`input_${m}`, input!, units, inputs, 'u');
    add(`recurrent_${m}`, recurrent!, units, units, `x + ${offsets[m]}`);
    if (parent !== undefined && isOpen(parent)) {
      const from = `${keepsOld ? 'n->old' : 'x'} + ${offsets[parent]}`;
      add(`coupling_${m}`, blocksOf(m, parent).coupling, units, list[parent]!.units, from);
    }
    list.forEach((child, c) => {
      if (child.parent !== m || !isOpen(c)) return;
      add(`feedback_${c}`, blocksOf(c, m).feedback, units, child.units, `x + ${offsets[c]}`);
    });
    if (carry) {
      const values = floats(dtype, units * units);
      native.carry(m, values);
      lines.push(`memset(n->carried, 0, ${units} * sizeof *n->carried);`);
      add(`carry_${m}`, values, units, units, `x + ${offsets[m]}`, 'n->carried');
      lines.push(`memcpy(x + ${offsets[m]}, n->carried, ${units} * sizeof *x);`);
    }
    lines.push(...moves(region, m, offsets[m]!, name, parts));
  });
  parts.functions.push(
    ...[cText(`static inline void ${name}_advance_0(${name}_state *n, const ${name}_real *u)`, ['(void)u;', ...lines])],
    cText(`static inline void ${name}_features_0(const ${name}_real *x, ${name}_real *f)`, [
      `memcpy(f, x, ${stateSize} * sizeof *f);`,
    ]),
  );
}

/** x' = (1 - rate) x + rate f(drive), or x + rate f(drive), a loop for each segment of units. */
function moves({ law, rate, segments, units }: NativeRegionSpec, m: number, at: number, name: string, parts: CNetwork) {
  const isOne = rate.every((one) => one === rate[0]);
  if (!isOne) parts.tables.push(table(`${name}_real`, `${name}_rate_${m}`, rate));
  const a = isOne ? `(${name}_real)${numbersOf(rate.subarray(0, 1))}` : `${name}_rate_${m}[i]`;
  let begin = 0;
  return segments.map(({ units: some, activation }) => {
    const from = begin;
    begin = Math.min(units, begin + some);
    const kept = law === 'leaky' ? `(1 - ${a}) * x[${at} + i]` : `x[${at} + i]`;
    return `for (int i = ${from}; i < ${begin}; ++i) x[${at} + i] = ${kept} + ${a} * ${name}_${activation}(drive[i]);`;
  });
}

interface Product {
  name: string;
  label: string;
  values: Floats;
  rows: number;
  cols: number;
  from: string;
  to: string;
}

/** to += values from, with a table of all weights or, of those with many zeros, of the others. */
function product({ name, label, values, rows, cols, from, to }: Product, parts: CNetwork): string[] {
  const places = [...values.keys()].filter((at) => values[at] !== 0);
  if (places.length === 0) return [];
  const called = `${name}_${label}`;
  if (2 * places.length > values.length) {
    parts.tables.push(table(`${name}_real`, called, values));
    return [`${name}_dense(${called}, ${rows}, ${cols}, ${from}, ${to});`];
  }
  const offsets = new Uint32Array(rows + 1);
  for (const at of places) offsets[Math.floor(at / cols) + 1]! += 1;
  for (let i = 0; i < rows; i++) offsets[i + 1]! += offsets[i]!;
  parts.tables.push(
    table('unsigned', `${called}_offsets`, offsets),
    table(
      'unsigned',
      `${called}_columns`,
      places.map((at) => at % cols),
    ),
    table(
      `${name}_real`,
      called,
      values.constructor === Float32Array
        ? Float32Array.from(places, (at) => values[at]!)
        : Float64Array.from(places, (at) => values[at]!),
    ),
  );
  return [`${name}_sparse(${called}_offsets, ${called}_columns, ${called}, ${rows}, ${from}, ${to});`];
}

/** A delay line, newest first, and its monomials in combinations with replacement. */
function vectorAutoregression(
  { inputs, stateSize }: Network,
  { delay, order, strides }: { delay: number; order: number; strides: number },
  name: string,
  parts: CNetwork,
): void {
  const linear = delay * inputs;
  parts.functions.push(
    cText(`static inline void ${name}_advance_0(${name}_state *n, const ${name}_real *u)`, [
      `memmove(n->x + ${inputs}, n->x, ${stateSize - inputs} * sizeof *u);`,
      `memcpy(n->x, u, ${inputs} * sizeof *u);`,
    ]),
    cText(`static inline void ${name}_features_0(const ${name}_real *x, ${name}_real *f)`, [
      `int at[${order}] = {0};`,
      `for (int k = 0; k < ${delay}; ++k) memcpy(f + k * ${inputs}, x + k * ${strides * inputs}, ${inputs} * sizeof *f);`,
      `for (${name}_real *to = f + ${linear};; ++to) {`,
      '  *to = f[at[0]];',
      `  for (int k = 1; k < ${order}; ++k) *to *= f[at[k]];`,
      `  int last = ${order};`,
      `  while (last > 0 && at[last - 1] + 1 == ${linear}) --last;`,
      '  if (last == 0) return;',
      `  for (int k = ${order} - 1; k >= last - 1; --k) at[k] = at[last - 1] + 1;`,
      '}',
    ]),
  );
}

/** The lines of old rows, and products of the elements of a state. */
function featured(network: Featured, within: Network, name: string, below: number, parts: CNetwork): void {
  const { lines, offsets, factors, differentials } = compileFeatures(network.features, sourceOf(within));
  if (differentials > 0) throw rangeError('features without differentials() for C', 'features', network.features);
  const { inputs, featureSize: size } = within;
  const showsState = below === 0 && within.featureSize === within.stateSize && within.recipe().spec?.kind === 'regions';
  const present = showsState ? 0 : within.stateSize;
  const seen = present + size;
  const old = seen + lines[0] * inputs;
  const called = `${name}_factors_${below + 1}`;
  const advance: string[] = [`${name}_real *const x = n->x;`];
  if (lines[0] > 0) {
    advance.push(`memmove(x + ${seen + inputs}, x + ${seen}, ${(lines[0] - 1) * inputs} * sizeof *x);`);
    advance.push(`memcpy(x + ${seen}, u, ${inputs} * sizeof *x);`);
  }
  if (lines[1] > 0) {
    advance.push(`memmove(x + ${old + size}, x + ${old}, ${(lines[1] - 1) * size} * sizeof *x);`);
    advance.push(`memcpy(x + ${old}, x + ${present}, ${size} * sizeof *x);`);
  }
  advance.push(`${name}_advance_${below}(n, u);`);
  if (!showsState) advance.push(`${name}_features_${below}(x, x + ${present});`);
  advance.push('(void)x;');
  parts.tables.push(
    table('unsigned', `${called}_offsets`, offsets),
    table(
      'unsigned',
      called,
      Array.from(factors, (factor) => factor + present),
    ),
  );
  parts.functions.push(
    cText(`static inline void ${name}_advance_${below + 1}(${name}_state *n, const ${name}_real *u)`, advance),
    cText(`static inline void ${name}_features_${below + 1}(const ${name}_real *x, ${name}_real *f)`, [
      `for (int i = 0; i < ${offsets.length - 1}; ++i) {`,
      `  f[i] = x[${called}[${called}_offsets[i]]];`,
      `  for (unsigned k = ${called}_offsets[i] + 1; k < ${called}_offsets[i + 1]; ++k) f[i] *= x[${called}[k]];`,
      '}',
    ]),
  );
}
