/** Why an engine was chosen, in one sentence. */
import type { EngineStateName } from '../../monitor/index.js';
import type { FleetChoice } from '../../outlook/index.js';

/** `meets`: whether the engine meets the objectives of the request, null where that is not known. */
export function pickReason(
  { reason, cost, candidates, ttft }: FleetChoice,
  state: EngineStateName,
  meets: boolean | null,
): string {
  const objectives = meets === null ? '' : `, which ${meets ? 'meets' : 'misses'} the objectives`;
  const expected = ttft === undefined ? '' : `, first token expected in ${Math.round(ttft.ms)} ms`;
  const costs = `at cost ${cost.toFixed(2)} while ${state}${expected}${objectives}`;
  if (reason === 'only') return `the only engine that can serve, ${costs}`;
  if (reason === 'cheapest') return `the cheapest of ${candidates} engines, ${costs}`;
  if (reason === 'session') return `the session's engine of ${candidates}, ${costs}`;
  return `the cheapest of ${candidates} engines, ${costs}: the session's own engine costs too much now`;
}
