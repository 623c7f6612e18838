/**
 * What a probe answers, from the heartbeat alone: no engine, source, breaker, disk or queue has a part in it.
 *
 *     /livez, /healthz    503 when the last beat is older than livenessMs, outside of building and recovering; else 200
 *     /readyz, /health    200 when the last beat is younger than 2 s, the listeners are bound, the default network is built,
 *                         the state is recovered and the phase is serving; else 503
 *     ?verbose            each condition, the age of the beat and the progress beside it
 */
import type { HeartbeatView } from './heartbeat-view.js';

export interface ProbeAnswer {
  status: 200 | 503;
  /** JSON. */
  body: string;
}

/**
 * The answer to GET of a path with its query, `now` on the clock of the beats; null for a path that is no probe.
 * Law: names nothing outside of itself, for its text runs in the probe thread too.
 */
export function probeAnswer(view: HeartbeatView, target: string, now: number): ProbeAnswer | null {
  const [path, query = ''] = target.split('?') as [string, string?];
  const isLiveness = path === '/livez' || path === '/healthz';
  if (!isLiveness && path !== '/readyz' && path !== '/health') return null;
  const { phase } = view;
  const ageMs = Math.max(0, Math.round(now - view.beatMs));
  const starts = phase === 'building' || phase === 'recovering';
  const conditions: Record<string, boolean> = isLiveness
    ? { heartbeat: starts || ageMs <= view.livenessMs }
    : {
        heartbeat: ageMs < 2000,
        listeners: view.listeners,
        network: view.network,
        state: view.state,
        serving: phase === 'serving',
      };
  const failed = Object.keys(conditions).filter((name) => !conditions[name]);
  const good = failed.length === 0;
  const code =
    failed[0] === 'heartbeat' ? 'stalled' : phase === 'draining' || phase === 'stopping' ? 'draining' : 'starting';
  const body = {
    status: good ? 'ok' : 'unavailable',
    phase,
    ...(!good && { error: { code, message: `Not ${isLiveness ? 'live' : 'ready'}: ${failed.join(', ')}` } }),
    ...(/(^|&)verbose(=|&|$)/.test(query) && {
      conditions,
      heartbeatAgeMs: ageMs,
      progress: { done: view.done, total: view.total === 0 ? null : view.total },
    }),
  };
  return { status: good ? 200 : 503, body: `${JSON.stringify(body)}\n` };
}
