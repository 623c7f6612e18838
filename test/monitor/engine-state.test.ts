/** The states of an engine, from observations a second apart. */
import { describe, expect, test } from 'vitest';
import type { EngineMetrics } from '../../src/engine/index.js';
import { canServe, EngineStateTracker, type Observation } from '../../src/monitor/index.js';

const idle: EngineMetrics = {
  engineType: 'aphrodite',
  running: 0,
  waiting: 0,
  waitingByReason: { capacity: 0, deferred: 0 },
  inferenceSeconds: 100,
  kvUsageMean: 0.1,
  kvUsageMax: 0.1,
  requestsByReason: { stop: 10 },
  requestsTotal: 10,
  errors: 0,
  promptTokens: 1000,
  generationTokens: 500,
  preemptions: 0,
  iterationCount: 100,
  sleeping: false,
  kvBlocks: { num: 100, blockSize: 16 },
  kvTokensCapacity: 1600,
  processStartSeconds: 1e9,
  engines: [],
  unknown: [],
};

/** Observations one second apart; each is what changed since an idle engine that answers. */
function watched(...seen: (Partial<EngineMetrics> | Partial<Observation>)[]) {
  const tracker = new EngineStateTracker(3.5);
  const states = seen.map((change, time) => {
    const isAnswer = 'health' in change || 'metrics' in change;
    const observation: Observation = isAnswer
      ? { health: 'ok', metrics: 'ok', figures: null, ...change, time }
      : { health: 'ok', metrics: 'ok', figures: { ...idle, ...(change as Partial<EngineMetrics>) }, time };
    return tracker.observe(observation);
  });
  return { names: states.map(({ name }) => name), states, tracker };
}

const down = { health: 'refused', metrics: 'refused' } as const;
const silent = { health: 'silent', metrics: 'silent' } as const;
const step = (n: number, more: Partial<EngineMetrics> = {}) => ({ running: 2, iterationCount: 100 + n, ...more });

test('an engine is ready when nothing runs and busy when something does', () => {
  expect(watched({}, step(5), {}).names.slice(0, 2)).toEqual(['ready', 'busy']);
});

test('an engine is loading while nothing listens, and dead when it had answered before', () => {
  expect(watched(down, down, {}, step(1), down, down).names).toEqual([
    ...['loading', 'loading', 'ready', 'busy', 'dead', 'dead'],
  ]);
});

test('a dead engine that answers again is restarting for one observation', () => {
  const { names, tracker } = watched({}, down, {}, {});
  expect(names).toEqual(['ready', 'dead', 'restarting', 'ready']);
  expect(tracker.restarts).toBe(1);
});

describe('a restart between two observations', () => {
  test.each<[string, Partial<EngineMetrics>]>([
    ['another start time', { processStartSeconds: 1e9 + 60 }],
    ['another KV capacity', { kvTokensCapacity: 3200 }],
    ['a counter that fell while the start time is unknown', { generationTokens: 3, processStartSeconds: null }],
  ])('a restart is recognised by %s', (_, after) => {
    expect(watched({}, after, after).names).toEqual(['ready', 'restarting', 'ready']);
  });
});

describe('a hang', () => {
  test('an engine is hung when requests run and no iteration is counted, whatever /health answers', () => {
    const { names, states } = watched(step(0), step(5), step(5), step(5), step(5), step(5));
    expect(names).toEqual(['busy', 'busy', 'busy', 'busy', 'busy', 'hung']);
    expect(states[5]!.evidence).toEqual(['2 requests run, but no iteration for 4.0 s']);
  });

  test('an engine is hung when it answers nothing, and not after one slow answer', () => {
    expect(watched(step(0), step(1), silent, step(2), silent).names).toEqual(Array(5).fill('busy'));
    expect(watched(step(0), silent, silent, silent, silent).names.at(-1)).toBe('hung');
  });

  test('an idle engine is not hung, and a hang ends with the next iteration', () => {
    expect(watched({}, {}, {}, {}, {}, {}, {}).names).toEqual(Array(7).fill('ready'));
    expect(watched(step(0), step(0), step(0), step(0), step(0), step(1)).names.at(-1)).toBe('busy');
  });

  test('an engine is hung when requests wait, none runs and nothing is counted', () => {
    const queue = (n: number) => ({ waiting: 3, iterationCount: 100 + n });
    const { states, names } = watched({}, queue(0), queue(0), queue(0), queue(0), queue(0));
    expect(names.at(-1)).toBe('hung');
    expect(states.at(-1)!.evidence).toEqual(['3 requests wait and none runs, but no iteration for 5.0 s']);
    expect(watched({}, queue(0), queue(1), queue(2), queue(3), queue(4), queue(5)).names.at(-1)).toBe('saturated');
  });

  test('an engine is hung when only the caller knows of requests in flight', () => {
    const flying = (inFlight: number, n = 0): Partial<Observation> => ({
      health: 'ok',
      figures: { ...idle, iterationCount: 100 + n },
      inFlight,
    });
    const { states, names } = watched(flying(0), ...Array(4).fill(flying(2)));
    expect(names).toEqual(['ready', 'ready', 'ready', 'ready', 'hung']);
    expect(states.at(-1)!.evidence).toEqual(['2 requests are in flight and none runs, but no iteration for 4.0 s']);
    expect(watched(...[0, 1, 2, 3, 4, 5].map((n) => flying(2, n))).names.at(-1)).toBe('ready');
    expect(watched(...Array(9).fill(flying(0))).names.at(-1)).toBe('ready');
    expect(watched(...Array(5).fill(flying(2)), flying(0)).names.at(-1)).toBe('ready');
  });

  test('an engine is hung when one rank hangs while another makes progress', () => {
    const ranks = (n: number) => {
      const rank = (engine: string, moved: number) => ({ ...idle, engine, running: 1, iterationCount: 100 + moved });
      return step(n, { engines: [rank('0', n), rank('1', 0)] });
    };
    const { states } = watched(...[0, 1, 2, 3, 4].map(ranks));
    expect(states.at(-1)).toMatchObject({
      name: 'hung',
      evidence: ['1 requests run on engine 1, but no iteration for 4.0 s'],
    });
  });

  test('an engine whose ranks have no counters of their own is hung when the totals stand still', () => {
    const unknown = { iterationCount: null, generationTokens: null, promptTokens: null };
    const rank = { ...idle, ...unknown, requestsTotal: null, preemptions: null, engine: '0', running: 2 };
    const at = (n: number) => step(n, { engines: [rank, { ...idle, engine: '', running: null, waiting: null }] });
    expect(watched(at(0), at(0), at(0), at(0), at(0)).names.at(-1)).toBe('hung');
    expect(watched(at(0), at(1), at(2), at(3), at(4)).names.at(-1)).toBe('busy');
  });

  test('an engine without an iteration counter is hung when its tokens stand still', () => {
    const old = (n: number) => ({ running: 1, iterationCount: null, generationTokens: 500 + n });
    expect(watched(old(0), old(1), old(2), old(3), old(4)).names.at(-1)).toBe('busy');
    expect(watched(old(0), old(0), old(0), old(0), old(0)).names.at(-1)).toBe('hung');
  });
});

describe('frozen metrics', () => {
  /** One scrape a second of an engine whose counters stand still after the second one; answers between scrapes. */
  function frozen(answers: number[], more: (second: number) => Partial<Observation> = () => ({}), seconds = 8) {
    const tracker = new EngineStateTracker(3.5);
    const figures = (time: number) => ({ ...idle, running: 2, iterationCount: 100 + Math.min(time, 1) });
    const names = Array.from({ length: seconds }, (_, time) => {
      for (const at of answers) if (at >= time && at < time + 1) tracker.answered(at);
      const seen = { time: time + 1, health: 'ok', metrics: 'ok', figures: figures(time), ...more(time) } as const;
      return tracker.observe(seen).name;
    });
    return { names, tracker };
  }

  test('an engine is frozen when answers come while no counter moves, and hung when none comes', () => {
    const { names, tracker } = frozen([3.4]);
    expect(names).toEqual([...Array(5).fill('busy'), ...Array(3).fill('frozen')]);
    expect(tracker.state.evidence).toEqual(['no counter moved for 6.0 s, but the caller had 1 answers meanwhile']);
    expect(canServe(tracker.state)).toBe(true);
    expect(frozen([]).names.slice(-3)).toEqual(Array(3).fill('hung'));
  });

  test('an answer within a second of the last movement may be what moved, and is no evidence', () => {
    expect(frozen([2.9]).names).not.toContain('frozen');
    expect(frozen([3.1]).names).toContain('frozen');
  });

  test('an answer after the scrape counts for the next one', () => {
    expect(frozen([5.9]).names.indexOf('frozen')).toBe(6);
  });

  test('an engine stays frozen until a counter moves', () => {
    const moved = { ...idle, running: 2, iterationCount: 200 };
    const { names } = frozen([3.4], (second) => (second === 9 ? { figures: moved } : {}), 10);
    expect(names.slice(-2)).toEqual(['frozen', 'busy']);
  });

  test('a frozen engine that leaves requests without an answer for a minute is hung', () => {
    const { names } = frozen([3.4], () => ({ inFlight: 1 }), 80);
    expect(names.slice(5, 60)).toEqual(Array(55).fill('frozen'));
    expect(names.at(-1)).toBe('hung');
    expect(frozen([3.4], () => ({ inFlight: 0 }), 80).names.at(-1)).toBe('frozen');
    expect(frozen([3.4, 60.5], () => ({ inFlight: 1 }), 80).names.at(-1)).toBe('frozen');
  });

  test('a restart ends it', () => {
    const { names } = frozen(
      [3.4],
      (second) => (second === 7 ? { figures: { ...idle, processStartSeconds: 2e9 } } : {}),
      9,
    );
    expect(names.slice(-2)).toEqual(['restarting', 'restarting']);
  });
});

describe('saturation', () => {
  const queue = (n: number) => step(n, { waiting: 3 });
  test('an engine is saturated after three observations with signs, until three without', () => {
    expect(watched(queue(0), queue(1), queue(2), step(3), step(4), step(5), step(6)).names).toEqual([
      ...['busy', 'busy', 'saturated', 'saturated', 'saturated', 'busy', 'busy'],
    ]);
  });

  test.each<[string, (n: number) => Partial<EngineMetrics>]>([
    ['a full KV memory', (n) => step(n, { kvUsageMax: 0.97 })],
    ['preemptions', (n) => step(n, { preemptions: n })],
  ])('an engine is saturated after three observations of %s', (_, sign) => {
    expect(watched(...[0, 1, 2, 3, 4].map(sign)).names.at(-1)).toBe('saturated');
  });
});

test.each<[string, Partial<EngineMetrics> | Partial<Observation>, string]>([
  ['a rank that sleeps', { sleeping: true }, 'sleeping'],
  ['elastic scaling', { health: 'scaling', metrics: 'scaling' }, 'scaling'],
  ['a health of 503', { health: 'unhealthy' }, 'dead'],
  ['a refused credential', { metrics: 'unauthorised' }, 'unauthorised'],
  ['metrics that cannot be read', { metrics: 'failed' }, 'unknown'],
  ['an engine without figures', { running: null }, 'unknown'],
])('%s has a state of its own', (_, answers, name) => {
  expect(watched({}, answers).names[1]).toBe(name);
});

test('sinceSeconds is the time when the state began', () => {
  expect(watched({}, step(1), step(2), step(3)).states.map(({ sinceSeconds }) => sinceSeconds)).toEqual([0, 1, 1, 1]);
});
