import { describe, expect, test } from 'vitest';
import { deriveRates, parsePrometheus, type Rates } from '../../../src/engine/index.js';
import fc from '../../property/fast-check.js';

interface State {
  start: number;
  running: number;
  waiting: number;
  usage: number;
  prompt: number;
  cached: number;
  generated: number;
  stop: number;
  error: number;
  preempted: number;
  queries: number;
  hits: number;
  drafted: number;
  accepted: number;
  steps: number;
  stepTokens: number;
  /** Observations of the TTFT up to 0.1, 0.5, 1 and in all. */
  ttft: [number, number, number, number];
  ttftSum: number;
  created: number;
  bounds: [string, string, string];
}

const start: State = {
  ...{
    start: 1000,
    running: 10,
    waiting: 4,
    usage: 0.25,
    prompt: 5000,
    cached: 1000,
    generated: 9000,
    stop: 90,
    error: 1,
  },
  ...{ preempted: 2, queries: 4000, hits: 1000, drafted: 400, accepted: 300, steps: 700, stepTokens: 14000 },
  ...{ ttft: [40, 80, 90, 91], ttftSum: 30, created: 1001, bounds: ['0.1', '0.5', '1.0'] },
};
/** Two seconds later. */
const later: State = {
  ...start,
  ...{ running: 12, waiting: 6, usage: 0.5, prompt: 6000, cached: 1250, generated: 9600, stop: 98, error: 3 },
  ...{ preempted: 3, queries: 4200, hits: 1150, drafted: 500, accepted: 380, steps: 750, stepTokens: 15600 },
  ...{ ttft: [40, 84, 98, 101], ttftSum: 38 },
};

function text(states: Record<string, State>, prefix = 'vllm:'): string {
  const lines = [`process_start_time_seconds ${Object.values(states)[0]?.start ?? 0}`];
  const gauge = (name: string, of: (state: State) => number, type = 'gauge') => {
    lines.push(`# TYPE ${prefix}${name} ${type}`);
    for (const [engine, state] of Object.entries(states))
      lines.push(`${prefix}${name}{engine="${engine}"} ${of(state)}`);
  };
  const counter = (name: string, of: (state: State) => number) => gauge(`${name}_total`, of, 'counter');
  gauge('num_requests_running', (state) => state.running);
  gauge('num_requests_waiting', (state) => state.waiting);
  gauge('kv_cache_usage_perc', (state) => state.usage);
  counter('prompt_tokens', (state) => state.prompt);
  gauge('prompt_tokens_created', (state) => state.created);
  counter('prompt_tokens_cached', (state) => state.cached);
  counter('generation_tokens', (state) => state.generated);
  counter('num_preemptions', (state) => state.preempted);
  counter('prefix_cache_queries', (state) => state.queries);
  counter('prefix_cache_hits', (state) => state.hits);
  counter('spec_decode_num_draft_tokens', (state) => state.drafted);
  counter('spec_decode_num_accepted_tokens', (state) => state.accepted);
  lines.push(`# TYPE ${prefix}request_success_total counter`);
  for (const [engine, { stop, error }] of Object.entries(states)) {
    lines.push(`${prefix}request_success_total{engine="${engine}",finished_reason="stop"} ${stop}`);
    // A client exposes a reason when it first occurs.
    if (error > 1) lines.push(`${prefix}request_success_total{engine="${engine}",finished_reason="error"} ${error}`);
  }
  lines.push(`# TYPE ${prefix}iteration_tokens_total histogram`);
  for (const [engine, { steps, stepTokens }] of Object.entries(states)) {
    lines.push(`${prefix}iteration_tokens_total_bucket{engine="${engine}",le="+Inf"} ${steps}`);
    lines.push(`${prefix}iteration_tokens_total_sum{engine="${engine}"} ${stepTokens}`);
    lines.push(`${prefix}iteration_tokens_total_count{engine="${engine}"} ${steps}`);
  }
  lines.push(`# TYPE ${prefix}time_to_first_token_seconds histogram`);
  for (const [engine, { ttft, ttftSum, bounds }] of Object.entries(states)) {
    const name = `${prefix}time_to_first_token_seconds`;
    for (const [i, le] of [...bounds, '+Inf'].entries())
      lines.push(`${name}_bucket{engine="${engine}",le="${le}"} ${ttft[i]}`);
    lines.push(`${name}_sum{engine="${engine}"} ${ttftSum}`, `${name}_count{engine="${engine}"} ${ttft[3]}`);
  }
  for (const engine of Object.keys(states)) {
    lines.push(`${prefix}cache_config_info{block_size="16",engine="${engine}",num_gpu_blocks="1000"} 1`);
  }
  return `${lines.join('\n')}\n`;
}

function rates(before: Record<string, State>, after: Record<string, State>, seconds = 2, prefix = 'vllm:'): Rates {
  const scrape = (states: Record<string, State>, time: number) => ({
    metrics: parsePrometheus(text(states, prefix)),
    timeSeconds: time,
  });
  return deriveRates(scrape(before, 50), scrape(after, 50 + seconds));
}

const twoScrapes = [
  ...['promptTokensPerSecond', 'generationTokensPerSecond', 'finishesPerSecond', 'finishesPerSecondByReason'],
  ...['preemptionsPerSecond', 'arrivalsPerSecond', 'prefixHitRatio', 'cachedShare', 'stepsPerSecond', 'tokensPerStep'],
  ...[
    'specAcceptance',
    'timeToFirstTokenSeconds',
    'interTokenSeconds',
    'queueSeconds',
    'e2eSeconds',
    'kvTokensGrowthPerSecond',
  ],
  ...['drainSeconds', 'heartbeat'],
];

test('two scrapes give the rates of the engine per second', () => {
  const { engines, ...all } = rates({ 0: start }, { 0: later });
  expect(all).toEqual({
    ...{ seconds: 2, reset: false, resetReason: null, promptTokensPerSecond: 500, generationTokensPerSecond: 300 },
    ...{ finishesPerSecond: 5.5, finishesPerSecondByReason: { stop: 4, error: 1.5 }, preemptionsPerSecond: 0.5 },
    ...{ arrivalsPerSecond: 7.5, prefixHitRatio: 0.75, cachedShare: 0.25, stepsPerSecond: 25, tokensPerStep: 32 },
    ...{
      specAcceptance: 0.8,
      kvTokensFree: 8000,
      kvTokensGrowthPerSecond: 2000,
      drainSeconds: 6 / 5.5,
      heartbeat: true,
    },
    timeToFirstTokenSeconds: { count: 10, mean: 0.8, p50: 0.5 + 0.5 / 4, p90: 1, p99: 1 },
    ...{ interTokenSeconds: null, queueSeconds: null, e2eSeconds: null },
    unknown: ['interTokenSeconds', 'queueSeconds', 'e2eSeconds'],
  });
  expect(engines).toEqual([{ engine: '0', ...all, seconds: undefined }]);
});

test('rates of two engines are summed, and ratios and quantiles are computed over both', () => {
  const { engines, ...all } = rates({ 0: start, 1: start }, { 0: later, 1: { ...start, generated: 9100, steps: 710 } });
  expect(engines.map(({ generationTokensPerSecond }) => generationTokensPerSecond)).toEqual([300, 50]);
  expect(all).toMatchObject({ generationTokensPerSecond: 350, stepsPerSecond: 30, prefixHitRatio: 0.75 });
  expect(all.timeToFirstTokenSeconds).toEqual(engines[0]!.timeToFirstTokenSeconds);
  expect(all).toMatchObject({ kvTokensFree: 8000 + 12000, kvTokensGrowthPerSecond: 2000, drainSeconds: 10 / 5.5 });
});

test('a window in which nothing happened has rates of 0 and no ratios, means or quantiles', () => {
  const idle = { ...start, running: 0, waiting: 0 };
  expect(rates({ 0: idle }, { 0: idle })).toMatchObject({
    ...{ reset: false, generationTokensPerSecond: 0, arrivalsPerSecond: 0, finishesPerSecond: 0, drainSeconds: 0 },
    ...{ prefixHitRatio: null, cachedShare: null, tokensPerStep: null, specAcceptance: null, heartbeat: null },
    timeToFirstTokenSeconds: { count: 0, mean: null, p50: null, p90: null, p99: null },
  });
});

test('the drain time is unknown when requests wait and none finished', () => {
  expect(rates({ 0: start }, { 0: start }).drainSeconds).toBeNull();
});

test('every rate is unknown, not infinite, when no time has passed', () => {
  const all = rates({ 0: start }, { 0: later }, 0);
  expect(all).toMatchObject({ reset: false, seconds: 0, kvTokensFree: 8000 });
  expect(all.unknown).toEqual(expect.arrayContaining(twoScrapes));
});

describe('heartbeat', () => {
  test('the heartbeat is false when requests run and no step is counted', () => {
    expect(rates({ 0: start }, { 0: { ...start, waiting: 9 } }).heartbeat).toBe(false);
  });

  test('one hung engine makes the heartbeat of all false while another engine moves', () => {
    const { heartbeat, unknown, engines } = rates({ 0: start, 1: start }, { 0: later, 1: start });
    expect(engines.map(({ heartbeat }) => heartbeat)).toEqual([true, false]);
    expect(heartbeat).toBe(false);
    expect(unknown).not.toContain('heartbeat');
  });

  test('the heartbeat is not false for an engine that had no requests in the first scrape', () => {
    expect(rates({ 0: { ...start, running: 0 } }, { 0: start }).heartbeat).toBeNull();
  });
});

describe('a reset', () => {
  test.each([
    ['the process started again', { start: 1020 }, /process_start_time/],
    ['a counter decreased', { generated: 100 }, /generationTokens.* decreased from 9000 to 100/],
    ['one of several series decreased, though their sum grew', { stop: 80, error: 50 }, /stop.* decreased/],
    ['a time of creation changed', { created: 1020 }, /prompt_tokens_created.* changed/],
    ['the buckets changed', { bounds: ['0.1', '0.5', '2.0'] }, /buckets .* changed/],
    ['a bucket decreased', { ttft: [39, 84, 98, 101] }, /bucket le=0.1 .* decreased/],
  ] as [string, Partial<State>, RegExp][])('a reset is detected when %s', (_, change, why) => {
    const { reset, resetReason, unknown, kvTokensFree, engines } = rates({ 0: start }, { 0: { ...later, ...change } });
    expect(reset).toBe(true);
    expect(resetReason).toMatch(why);
    expect(unknown).toEqual(expect.arrayContaining(twoScrapes));
    expect(kvTokensFree).toBe(8000);
    expect(engines[0]).toMatchObject({ reset: true, generationTokensPerSecond: null });
  });

  test('a reset is detected when the set of engines changed', () => {
    expect(rates({ 0: start }, { 0: later, 1: start })).toMatchObject({
      ...{ reset: true, resetReason: 'the engines changed from 0 to 0,1', generationTokensPerSecond: null },
      engines: [
        { engine: '0', reset: true },
        { engine: '1', reset: true },
      ],
    });
  });

  test('a reset is detected when the KV capacity changed although every counter rose', () => {
    const scrape = (blocks: string, state: State, time: number) => ({
      metrics: parsePrometheus(text({ 0: state }).replace('num_gpu_blocks="1000"', `num_gpu_blocks="${blocks}"`)),
      timeSeconds: time,
    });
    const { reset, resetReason } = deriveRates(scrape('1000', start, 50), scrape('900', later, 52));
    expect(reset).toBe(true);
    expect(resetReason).toMatch(/capacity of the KV cache changed/);
  });

  test('a start time that appears or disappears is not a reset', () => {
    const scrape = (state: State, time: number, hidden: boolean) => {
      const body = text({ 0: state });
      return { metrics: parsePrometheus(hidden ? body.slice(body.indexOf('\n') + 1) : body), timeSeconds: time };
    };
    for (const hidden of [true, false]) {
      const { reset, generationTokensPerSecond } = deriveRates(scrape(start, 50, hidden), scrape(later, 52, !hidden));
      expect([reset, generationTokensPerSecond]).toEqual([false, 300]);
    }
  });

  test('a reset of one engine leaves the rates of the other engine', () => {
    const all = rates({ 0: start, 1: start }, { 0: later, 1: { ...later, generated: 5 } });
    expect(all).toMatchObject({ reset: true, generationTokensPerSecond: null });
    expect(all.resetReason).toMatch(/^engine 1: /);
    expect(all.engines).toMatchObject([{ reset: false, generationTokensPerSecond: 300 }, { reset: true }]);
  });

  test('a histogram sum that decreased is not a reset, because the clock of the engine may step back', () => {
    const { reset, timeToFirstTokenSeconds } = rates({ 0: start }, { 0: { ...later, ttftSum: 29 } });
    expect(reset).toBe(false);
    expect(timeToFirstTokenSeconds?.mean).toBeCloseTo(-0.1, 12);
  });
});

test('no rate is negative for any two scrapes, and every rate of rising counters is known', () => {
  const number = fc.nat(1000);
  const state = fc.record({
    prompt: number,
    generated: number,
    stop: number,
    preempted: number,
    steps: number,
    running: number,
    waiting: number,
  });
  fc.assert(
    fc.property(state, state, fc.boolean(), (a, b, rising) => {
      const counters = ['prompt', 'generated', 'stop', 'preempted', 'steps'] as const;
      const grown = Object.fromEntries(counters.map((name) => [name, a[name] + b[name]]));
      const figures = rates({ 0: { ...start, ...a } }, { 0: { ...start, ...b, ...(rising && grown) } });
      if (rising) expect(figures.reset).toBe(false);
      for (const [name, value] of Object.entries(figures)) {
        if (!name.endsWith('PerSecond') || name === 'kvTokensGrowthPerSecond') continue;
        if (rising && name !== 'arrivalsPerSecond') expect(value, name).not.toBeNull();
        if (value !== null) expect(value, name).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('the mean time per token of llama.cpp comes from its counter of seconds', () => {
  const scrape = (tokens: number, spent: number, time: number) => ({
    timeSeconds: time,
    metrics: parsePrometheus(
      `llamacpp:requests_processing 1\nllamacpp:tokens_predicted_total ${tokens}\nllamacpp:tokens_predicted_seconds_total ${spent}\n`,
    ),
  });
  const all = deriveRates(scrape(100, 5, 0), scrape(150, 6, 1));
  expect(all.interTokenSeconds).toEqual({ count: 50, mean: 0.02, p50: null, p90: null, p99: null });
  expect(all).toMatchObject({ generationTokensPerSecond: 50, heartbeat: true, finishesPerSecond: null });
});

test('metrics without series of an engine give only unknown figures', () => {
  const metrics = parsePrometheus('python_info 1\n');
  const all = deriveRates({ metrics, timeSeconds: 1 }, { metrics, timeSeconds: 2 });
  expect(all).toMatchObject({ reset: false, engines: [], generationTokensPerSecond: null, heartbeat: null });
});

test('scrapes in the wrong order and values that are not scrapes are refused', () => {
  const metrics = parsePrometheus(text({ 0: start }));
  expect(() => deriveRates({ metrics, timeSeconds: 2 }, { metrics, timeSeconds: 1 })).toThrow(
    'Expected a time of at least 2 (before.timeSeconds) for after.timeSeconds but received 1',
  );
  expect(() => deriveRates({ metrics: {} as never, timeSeconds: 1 }, { metrics, timeSeconds: 2 })).toThrow(
    'what parsePrometheus returned',
  );
  expect(() => deriveRates({ metrics, timeSeconds: Number.NaN }, { metrics, timeSeconds: 2 })).toThrow(
    'a monotonic time in seconds',
  );
});
