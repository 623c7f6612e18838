/** Probes of orchestrators, answered by a thread of their own. */
export { Heartbeat, type HeartbeatOptions, type Readiness } from './heartbeat.js';
export { type HeartbeatView, heartbeatView, type Phase, phases } from './heartbeat-view.js';
export { type ProbeAnswer, probeAnswer } from './probe-answer.js';
export { Probes, type ProbesOptions } from './probes.js';
