/** The entry points of the package by their names: `dtesn` is index, `dtesn/engine` is engine. */
export const entries = {
  index: 'src/index.ts',
  engine: 'src/entry-points/engine.ts',
  simulator: 'src/entry-points/simulator.ts',
  datasets: 'src/datasets/index.ts',
  initializers: 'src/initializers/index.ts',
  scores: 'src/scores/index.ts',
  plots: 'src/plots/index.ts',
  bridge: 'src/bridge/index.ts',
  'bridge-client': 'src/bridge/client/index.ts',
};
