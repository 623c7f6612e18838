/**
 * What `/readyz?verbose` of the main listeners says beside the conditions: engines, sources, disk and queue, as counts alone, for
 * the probes need no token. None of it turns the probe.
 */
import type { Parts } from './parts.js';

export function partsInDetail({ engines, contexts, sessions, runner }: Parts): object {
  const states: Record<string, number> = {};
  for (const { state } of engines.list()) states[state.name] = (states[state.name] ?? 0) + 1;
  const open = new Set<string>();
  let errors = 0;
  for (const { engine, sources } of contexts.figures()) {
    for (const { failures, providers } of Object.values(sources)) {
      for (const total of Object.values(failures)) errors += total;
      if (Object.values(providers).some(({ breakerOpen }) => breakerOpen)) open.add(engine);
    }
  }
  return {
    engines: states,
    sources: { errors, breakersOpen: open.size },
    disk: sessions.durability,
    queue: { waiting: runner.waiting, streams: runner.streams },
  };
}
