/** When the first token of a request would come if it were sent now and nothing after it: by running a copy of the engine. */
import type { Arrival, EngineCore } from '../../simulator/index.js';

/** Seconds; Infinity where it would not come within `limit`. */
export function oracleSeconds(core: EngineCore, arrival: Arrival, now: number, limit: number): number {
  const copy = core.fork();
  const request = copy.submit({ ...arrival, time: now });
  while (request.firstTokenAt === null && copy.nextEvent <= now + limit) copy.advanceTo(copy.nextEvent);
  return request.firstTokenAt === null ? Number.POSITIVE_INFINITY : request.firstTokenAt - now;
}
