/**
 * A trained Esn as one C99 header: no other file, no allocation, libm alone. It compiles as C++ too.
 *
 *     NAME_state n;  NAME_resume(&n);            the state that was exported; NAME_reset(&n) is that at rest
 *     NAME_step(&n, input, output);              one step of predict
 *     NAME_forecast(&n, steps, out);             steps x outputs, with the inputs beyond the outputs after the steps where there are any
 *
 * Numbers agree with those of the Esn to rounding; states are float or double, as the dtype of the network is.
 */
import { argumentError, checkKeys } from '../errors/index.js';
import { cNetworkOf, cText, type State, table } from '../network/index.js';
import type { LinearReadout } from '../readout/index.js';
import type { Scaling } from './scaling.js';

/** Options of toC: the prefix of all names. */
export interface CHeaderOptions {
  /** Begins every name in the header: a C identifier of up to 40 characters. Default 'esn'. */
  name?: string | undefined;
}

interface Parts {
  state: State;
  readout: LinearReadout;
  scaling: Scaling | null;
}

export function cHeaderOf({ state, readout, scaling }: Parts, options: CHeaderOptions): string {
  checkKeys(options, ['name'], 'toC');
  const { name = 'esn' } = options;
  if (typeof name !== 'string' || !/^[A-Za-z_]\w{0,39}$/.test(name)) {
    throw argumentError('a C identifier of up to 40 characters', 'name', name);
  }
  state.checkIdle();
  const { network } = state;
  const { inputs, stateSize, featureSize, dtype } = network;
  const { outputs } = readout;
  const { members, tables, functions } = cNetworkOf(network, name, state.gates);
  const upper = name.toUpperCase();
  const sizes = { INPUTS: inputs, OUTPUTS: outputs, FEATURES: featureSize, STATE: stateSize };
  tables.push(
    table(`${name}_real`, `${name}_start`, state.data),
    table('double', `${name}_weights`, readout.weights.data),
    table('double', `${name}_intercept`, readout.bias),
  );
  if (scaling) {
    tables.push(table('double', `${name}_offset`, scaling.offset), table('double', `${name}_factor`, scaling.factor));
  }
  return [
    `/* An echo state network, written by dtesn: ${inputs} inputs, ${featureSize} features, ${outputs} outputs. */`,
    `#ifndef ${upper}_H\n#define ${upper}_H\n\n#include <math.h>\n#include <string.h>`,
    Object.entries(sizes)
      .map(([size, value]) => `#define ${upper}_${size} ${value}`)
      .join('\n'),
    `typedef ${dtype === 'f32' ? 'float' : 'double'} ${name}_real;`,
    `typedef struct {\n  ${name}_real x[${stateSize}];\n  ${members.join('\n  ')}\n  ${name}_real u[${inputs}], f[${featureSize}];\n} ${name}_state;`,
    ...tables,
    arithmetic(name, dtype === 'f32' ? 'f' : ''),
    ...functions,
    ...callable(name, { inputs, outputs, stateSize, featureSize, isScaled: scaling !== null }),
    `#endif\n`,
  ].join('\n\n');
}

/** Activations and products; `f` ends the names of libm's functions of floats. */
function arithmetic(name: string, f: string): string {
  const activation = (called: string, body: string) =>
    `static inline ${name}_real ${name}_${called}(${name}_real z) { return ${body}; }`;
  return [
    activation('tanh', `tanh${f}(z)`),
    activation('sigmoid', `1 / (1 + exp${f}(-z))`),
    activation('relu', 'z > 0 ? z : 0'),
    activation('identity', 'z'),
    activation('sine', `sin${f}(z)`),
    activation('softplus', `(z > 0 ? z : 0) + log1p${f}(exp${f}(-fabs${f}(z)))`),
    cText(
      `static inline void ${name}_dense(const ${name}_real *w, int rows, int cols, const ${name}_real *x, ${name}_real *y)`,
      [
        'for (int i = 0; i < rows; ++i, w += cols) {',
        `  ${name}_real sum = 0;`,
        '  for (int k = 0; k < cols; ++k) sum += w[k] * x[k];',
        '  y[i] += sum;',
        '}',
      ],
    ),
    cText(
      `static inline void ${name}_sparse(const unsigned *offsets, const unsigned *columns, const ${name}_real *w, int rows,\n    const ${name}_real *x, ${name}_real *y)`,
      [
        'for (int i = 0; i < rows; ++i) {',
        `  ${name}_real sum = 0;`,
        '  for (unsigned k = offsets[i]; k < offsets[i + 1]; ++k) sum += w[k] * x[columns[k]];',
        '  y[i] += sum;',
        '}',
      ],
    ),
  ].join('\n');
}

interface Sizes {
  inputs: number;
  outputs: number;
  stateSize: number;
  featureSize: number;
  isScaled: boolean;
}

function callable(name: string, { inputs, outputs, stateSize, featureSize, isScaled }: Sizes): string[] {
  const isFed = outputs <= inputs;
  const inward = (value: string, column: string) =>
    isScaled ? `(${value} - ${name}_offset[${column}]) / ${name}_factor[${column}]` : value;
  const outward = isScaled && isFed ? `output[o] * ${name}_factor[o] + ${name}_offset[o]` : null;
  const given = inputs - outputs;
  const functions = [
    `/* The state at rest. */\n${cText(`static inline void ${name}_reset(${name}_state *n)`, [`memset(n->x, 0, ${stateSize} * sizeof *n->x);`])}`,
    `/* The state that was exported. */\n${cText(`static inline void ${name}_resume(${name}_state *n)`, [`memcpy(n->x, ${name}_start, sizeof ${name}_start);`])}`,
    cText(`static inline void ${name}_read(${name}_state *n, double *output)`, [
      `${name}_features(n->x, n->f);`,
      `for (int o = 0; o < ${outputs}; ++o) {`,
      `  output[o] = ${name}_intercept[o];`,
      `  for (int i = 0; i < ${featureSize}; ++i) output[o] += n->f[i] * ${name}_weights[i * ${outputs} + o];`,
      '}',
    ]),
    `/* Moves the state by an input (${inputs}) and writes the outputs (${outputs}). */\n${cText(
      `static inline void ${name}_step(${name}_state *n, const double *input, double *output)`,
      [
        `for (int i = 0; i < ${inputs}; ++i) n->u[i] = (${name}_real)(${inward('input[i]', 'i')});`,
        `${name}_advance(n, n->u);`,
        `${name}_read(n, output);`,
        ...(outward === null ? [] : [`for (int o = 0; o < ${outputs}; ++o) output[o] = ${outward};`]),
      ],
    )}`,
  ];
  if (!isFed) return functions;
  const known = given > 0 ? ', const double *inputs' : '';
  functions.push(
    `/* steps x ${outputs} outputs into out, each fed back${given > 0 ? ` beside a row of inputs (steps x ${given})` : ''}. */\n${cText(
      `static inline void ${name}_forecast(${name}_state *n, int steps${known}, double *out)`,
      [
        `double last[${outputs}];`,
        `${name}_read(n, last);`,
        `for (int t = 0; t < steps; ++t, out += ${outputs}) {`,
        `  double *const output = out;`,
        `  memcpy(output, last, sizeof last);`,
        `  for (int i = 0; i < ${outputs}; ++i) n->u[i] = (${name}_real)last[i];`,
        ...(given > 0
          ? [
              `  for (int i = 0; i < ${given}; ++i) n->u[${outputs} + i] = (${name}_real)(${inward(`inputs[t * ${given} + i]`, `${outputs} + i`)});`,
            ]
          : []),
        `  ${name}_advance(n, n->u);`,
        `  ${name}_read(n, last);`,
        ...(outward === null ? [] : [`  for (int o = 0; o < ${outputs}; ++o) output[o] = ${outward};`]),
        '}',
      ],
    )}`,
  );
  return functions;
}
