/** Reservoirs: the leaky echo state network and what measures it. */
export { type Matrix, matrix } from './matrix.js';
export { checkMemory } from './memory.js';
export {
  isStructured,
  leakSchema,
  leakText,
  type Precision,
  regionShape,
  resolveTopology,
  spectralRadiusSchema,
  spectralRadiusText,
  type Topology,
  unitsSchema,
  unitsText,
} from './options.js';
export {
  type DrawnReservoirOptions,
  type GivenReservoirOptions,
  leakOf,
  Reservoir,
  type ReservoirOptions,
  type ReservoirWeights,
} from './reservoir.js';
export {
  type RunAsyncOptions,
  type RunBatchOptions,
  type RunOptions,
  SeriesRunner,
  type StreamTable,
} from './runner.js';
export { readSeries, type SeriesInput } from './series.js';
export { spectralRadius } from './spectral-radius.js';
