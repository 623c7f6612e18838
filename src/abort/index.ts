/** Waiting that ends: time limits and pauses that follow a signal, the clock they read, and work that several callers wait for. */
export { pause, untilAborted, withOwnSignal, withTimeLimit } from './bounded-signal.js';
export { type Clock, processMs, systemClock, wallMs } from './clock.js';
export { clockOption } from './clock-option.js';
export { SharedWork } from './shared-work.js';
