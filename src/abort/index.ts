/**
 * Waiting that ends: time limits and pauses that follow a signal, the clock they read, work that several callers wait for, and
 * breakers, which stop asking what fails.
 */
export { pause, untilAborted, withOwnSignal, withTimeLimit } from './bounded-signal.js';
export { CircuitBreaker, type Failure, type Pass } from './circuit-breaker.js';
export { type Clock, processMs, systemClock, wallMs } from './clock.js';
export { clockOption } from './clock-option.js';
export { lastingController } from './lasting-controller.js';
export { SharedWork } from './shared-work.js';
export { Underway } from './underway.js';
export { limitClock, waitingClock } from './waiting-clock.js';
