// Runs reservoirs on the instruction set that DTESN_ISA names and prints their states: the parent compares.
import { createRequire } from 'node:module';
import path from 'node:path';
import { nativeReservoir } from './native-network.mjs';

const addon = createRequire(import.meta.url)('node-gyp-build')(path.resolve(import.meta.dirname, '../..'));
const cases = JSON.parse(process.argv[2]);

const states = cases.map(({ dtype, leak, steps, ...spec }) => {
  const Floats = dtype === 'f32' ? Float32Array : Float64Array;
  const { network, state } = nativeReservoir(addon, { dtype, leak, ...spec });
  const series = Floats.from({ length: steps * spec.inputs }, (_, i) => Math.sin(i * i));
  const out = new Floats(steps * spec.units);
  state.run(series, out, null, null);
  const recurrent = new Floats(spec.units ** 2);
  const input = new Floats(spec.units * spec.inputs);
  const bias = new Floats(spec.units);
  network.weights(0, recurrent, input, bias);
  const bytes = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
  return {
    states: bytes(out),
    series: bytes(series),
    recurrent: bytes(recurrent),
    input: bytes(input),
    bias: bytes(bias),
  };
});
process.stdout.write(JSON.stringify({ isa: addon.isa, states }));
