/** Policies of asking an engine: retries, circuit breaker, choice among providers, steady polls. */
export { EngineGuard } from './guarded-engine.js';
export { type Limits, ProviderChoice } from './provider-choice.js';
export { ModelWatch, RestartWatch, runOf } from './restart-signature.js';
export { steadyPoll } from './steady-poll.js';
