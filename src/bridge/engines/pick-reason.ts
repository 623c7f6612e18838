/** Why an engine was chosen, in one sentence. */
import type { EngineStateName, FleetChoice } from '../../monitor/index.js';

export function pickReason({ reason, cost, candidates }: FleetChoice, state: EngineStateName): string {
  const costs = `at cost ${cost.toFixed(2)} while ${state}`;
  if (reason === 'only') return `the only engine that can serve, ${costs}`;
  if (reason === 'cheapest') return `the cheapest of ${candidates} engines, ${costs}`;
  if (reason === 'session') return `the session's engine of ${candidates}, ${costs}`;
  return `the cheapest of ${candidates} engines, ${costs}: the session's own engine costs too much now`;
}
