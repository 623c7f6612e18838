/** Gateways before simulated engines, in virtual time. */
export { type ClosedLoopResult, closedLoop, type TtftStatistics } from './closed-loop.js';
export type {
  AdmitPolicy,
  ClosedLoopEngine,
  ClosedLoopOptions,
  ClosedLoopOutcome,
  ClosedLoopPolicy,
  ClosedLoopProgress,
  ClosedLoopRequest,
  PickPolicy,
} from './options.js';
