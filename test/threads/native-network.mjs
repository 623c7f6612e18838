// The raw addon's network and state of one drawn reservoir, from the options that TypeScript would have resolved.
export function nativeReservoir(addon, { dtype = 'f32', leak, units, inputs, seed = 1, stream = 0, ...spec }) {
  const Floats = dtype === 'f32' ? Float32Array : Float64Array;
  const {
    topology = 'dense',
    spectralRadius = 0.9,
    density = 1,
    blockRows = 8,
    inputScaling = 1,
    biasScaling = 0,
  } = spec;
  const region = {
    ...{ units, law: 'leaky', rate: leak ? Floats.from(leak) : new Floats(units).fill(1) },
    segments: [{ units, activation: 'tanh' }],
    recurrent: { kind: 'topology', topology, spectralRadius, density, blockRows },
    ...{ input: { kind: 'uniform', scaling: inputScaling }, bias: biasScaling, seed, stream },
  };
  const network = new (dtype === 'f32' ? addon.Network32 : addon.Network64)({
    ...{ kind: 'regions', inputs, parentFirst: true, regions: [region] },
  });
  const data = new Floats(new SharedArrayBuffer(units * Floats.BYTES_PER_ELEMENT));
  const state = new (dtype === 'f32' ? addon.State32 : addon.State64)(network, data, null);
  return { network, state, data };
}
