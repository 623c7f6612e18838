/** The source of each entry point by the name of its file in dist. */
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

/** The same by the names that are imported: `dtesn` is index, `dtesn/engine` is engine. */
export const entryPoints = Object.fromEntries(
  Object.entries(entries).map(([file, source]) => [file === 'index' ? 'dtesn' : `dtesn/${file}`, source]),
);
