/** Every instruction set of this machine gives the plain loops' states, and the same weights to the last bit. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { native } from '../../src/native/index.js';
import { plainRun, relativeError } from '../reference/reservoir.js';

const STEPS = 200;
const topologies = ['dense', 'sparse', 'block-sparse', 'cycle', 'permutation', 'hadamard'];

const cases = (['f32', 'f64'] as const).flatMap((dtype) =>
  topologies.flatMap((topology) =>
    [8, 16].flatMap((blockRows) =>
      (topology === 'hadamard' ? [4, 64, 256] : [5, 72, 131]).map((units) => ({
        ...{ dtype, topology, blockRows, units, inputs: 2, steps: STEPS, spectralRadius: 0.8, inputScaling: 1 },
        ...{ biasScaling: 0.1, density: topology === 'dense' ? 1 : 0.3, seed: 21, stream: 0 },
        leak: Array.from({ length: units }, (_, i) => 0.2 + (0.8 * i) / units),
      })),
    ),
  ),
);

interface Output {
  isa: string;
  states: { states: string; series: string; recurrent: string; input: string; bias: string }[];
}

function outputOf(isa: string): Output {
  const script = path.resolve(import.meta.dirname, '../threads/isa-states.mjs');
  const env = { ...process.env, DTESN_ISA: isa };
  return JSON.parse(
    execFileSync(process.execPath, [script, JSON.stringify(cases)], { encoding: 'utf8', env, maxBuffer: 1 << 28 }),
  );
}

function floatsOf(text: string, dtype: 'f32' | 'f64') {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return dtype === 'f32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

const scalar = outputOf('scalar');

describe.each(native.availableIsas)('on %s', (isa) => {
  const output = outputOf(isa);

  test('the reservoirs of every topology equal the plain loops over 200 steps', () => {
    expect(output.isa).toBe(isa);
    for (const [i, { dtype, units, inputs, leak, topology }] of cases.entries()) {
      const { states, series, recurrent, input, bias } = output.states[i]!;
      const weights = {
        units,
        inputs,
        recurrent: floatsOf(recurrent, dtype),
        input: floatsOf(input, dtype),
        bias: floatsOf(bias, dtype),
        leak: dtype === 'f32' ? Float32Array.from(leak) : leak,
      };
      const wanted = plainRun(weights, floatsOf(series, dtype), new Float64Array(units));
      const error = relativeError(floatsOf(states, dtype), wanted);
      expect(error, `${topology} ${dtype} ${units}`).toBeLessThan(dtype === 'f32' ? 1e-5 : 1e-12);
    }
  });

  test('the weights are those of the scalar set to the last bit', () => {
    for (const [i, { recurrent, input, bias }] of output.states.entries()) {
      const wanted = scalar.states[i]!;
      expect([recurrent, input, bias]).toEqual([wanted.recurrent, wanted.input, wanted.bias]);
    }
  });
});
