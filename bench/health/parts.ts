/** What the lab takes from the inside of the package: the engine's core without a server, and the monitor's rules without a clock. */

export { healthSample } from '../../src/monitor/anomalies/health-sample.js';
export { AnomalyDetector } from '../../src/monitor/anomalies/index.js';
export { LoadChart } from '../../src/monitor/anomalies/load-chart.js';
export { PartialHangRule } from '../../src/monitor/anomalies/partial-hang-rule.js';
export { thresholdRules } from '../../src/monitor/anomalies/threshold-rule.js';
export { EngineStateTracker } from '../../src/monitor/index.js';
export { ReservoirLoad } from '../../src/outlook/charts/index.js';
export { BurstyArrivals, PATIENCE_SECONDS } from '../../src/simulator/arrivals.js';
export { EngineCore } from '../../src/simulator/engine-core.js';
export { RandomStream } from '../../src/simulator/random-stream.js';
export { parseTrace } from '../../src/simulator/trace.js';
