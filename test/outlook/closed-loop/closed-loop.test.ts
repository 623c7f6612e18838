import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineMetrics, parsePrometheus } from '../../../src/engine/index.js';
import { coreFigures } from '../../../src/outlook/closed-loop/core-figures.js';
import { type ClosedLoopOptions, type ClosedLoopOutcome, closedLoop } from '../../../src/outlook/index.js';
import { EngineSimulation, metricsText } from '../../../src/simulator/index.js';

const code = fileURLToPath(new URL('../../../../shared/data/azure-llm-2023-code.csv', import.meta.url));
const missing = existsSync(code) ? false : 'skipped: ../shared/data has no Azure trace';

let folder = '';
let trace = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dtesn-loop-'));
  trace = path.join(folder, 'small.jsonl');
  // Requests of 500 to 4,500 tokens, some of them at one moment.
  const lines = Array.from({ length: 600 }, (_, i) => {
    const timestamp = 1000 * Math.floor(i / 3) + 10 * (i % 3 === 2 ? 1 : 0);
    return JSON.stringify({ timestamp, input_length: 500 + 1000 * (i % 5), output_length: 10 + (i % 40) });
  });
  await writeFile(trace, lines.join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

const small = (more: Partial<ClosedLoopOptions> = {}): ClosedLoopOptions => ({ trace, load: 0.8, seed: 3, ...more });

describe('a closed loop', () => {
  test('equal options give equal results, and another seed gives another one', async () => {
    const options = small({
      engines: [{ speed: 1 }, { speed: 0.5 }],
      policy: { pick: true, admit: true },
      visible: 0.7,
    });
    const [first, second] = [await closedLoop(options), await closedLoop(options)];
    expect(second).toEqual(first);
    expect(await closedLoop({ ...options, seed: 4 })).not.toEqual(first);
  });

  test('70 % of a trace come, in the time that its load asks for', async () => {
    const [half, full] = [await closedLoop(small({ load: 0.5 })), await closedLoop(small({ load: 1 }))];
    expect(full.requests).toBe(half.requests);
    expect(full.requests / 600).toBeGreaterThan(0.65);
    expect(full.requests / 600).toBeLessThan(0.75);
    expect(half.seconds / full.seconds).toBeCloseTo(2, 1);
  });

  test('load 1 is what the engines serve when they are flooded', async () => {
    const flooded = await closedLoop(small({ load: 100, engines: 2 }));
    const loaded = await closedLoop(small({ load: 1, engines: 2 }));
    const [most, rate] = [flooded.served / flooded.seconds, loaded.requests / loaded.seconds];
    expect(most / rate).toBeGreaterThan(0.85);
    expect(most / rate).toBeLessThan(1.15);
  });

  test('each request is rejected, served or lost, and is told of once', async () => {
    const outcomes: ClosedLoopOutcome[] = [];
    const result = await closedLoop(
      small({ load: 5, policy: { admit: true }, onOutcome: (one) => outcomes.push(one) }),
    );
    expect(outcomes.map(({ request }) => request.index).sort((a, b) => a - b)).toEqual(
      Array.from({ length: result.requests }, (_, i) => i),
    );
    expect(outcomes.filter(({ engine }) => engine === null).length / result.requests).toBe(result.rejected);
    expect(outcomes.filter(({ ttftSeconds }) => ttftSeconds !== null).length).toBe(result.served);
    const good = outcomes.filter(({ ttftSeconds }) => ttftSeconds !== null && ttftSeconds <= 2).length;
    expect(good / result.requests).toBe(result.goodput);
  });

  test('a client leaves after a minute, which counts as a minute', async () => {
    const { ttft, served, requests } = await closedLoop(small({ load: 100 }));
    expect(served).toBeLessThan(requests);
    expect(ttft.p99).toBe(60);
  });

  test('admission keeps what it takes within the limit where nothing does without it', async () => {
    const none = await closedLoop(small({ load: 3 }));
    const ours = await closedLoop(small({ load: 3, policy: { admit: true } }));
    const oracle = await closedLoop(small({ load: 3, policy: { admit: 'oracle' } }));
    expect(ours.goodput! / none.goodput!).toBeGreaterThan(3);
    expect(oracle.goodput! - ours.goodput!).toBeLessThan(0.1);
  });

  test('a policy is given what the gateway sees', async () => {
    const seen = new Set<string>();
    await closedLoop(
      small({
        engines: 2,
        policy: {
          pick: (request, engines, now) => {
            expect(request.promptTokens).toBeGreaterThan(0);
            for (const engine of engines) {
              expect(now - engine.readSeconds!).toBeLessThanOrEqual(1);
              expect(engine.inFlight).toBeGreaterThanOrEqual(engine.waitingRequests);
              expect(engine.inFlight).toBe(engine.predictor.inFlight);
              expect(engine.waitingTokens === 0).toBe(engine.waitingRequests === 0);
            }
            seen.add('pick');
            return request.index % 2;
          },
          admit: (request, engines) => {
            expect(engines.map(({ index }) => index)).toEqual([request.index % 2]);
            seen.add('admit');
            return true;
          },
        },
      }),
    );
    expect([...seen].sort()).toEqual(['admit', 'pick']);
  });

  test('requests that the gateway does not see go to the engines without its rules', async () => {
    const { rejected, served, requests } = await closedLoop(small({ visible: 0, policy: { admit: () => false } }));
    expect(rejected).toBe(0);
    expect(served).toBe(requests);
    const half = await closedLoop(small({ visible: 0.5, policy: { admit: () => false } }));
    expect(half.rejected).toBeGreaterThan(0.4);
    expect(half.rejected).toBeLessThan(0.6);
  });

  test('a slowdown makes the second half slower', async () => {
    const halves = { first: [] as number[], second: [] as number[] };
    const { seconds } = await closedLoop(small({ load: 0.4 }));
    const onOutcome = ({ ttftSeconds, atSeconds }: ClosedLoopOutcome) =>
      halves[atSeconds < seconds / 2 ? 'first' : 'second'].push(ttftSeconds!);
    await closedLoop(small({ load: 0.4, slowdown: 2, onOutcome }));
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(halves.second) / mean(halves.first)).toBeGreaterThan(1.8);
  });

  test.each(['crash', 'hang', 'dead', 'scaling', 'sleep', '5xx'] as const)(
    'of two engines, one with the fault %s, the other one serves most',
    async (kind) => {
      const faults = [{ kind, atSeconds: 20, durationSeconds: 30, engine: 0 }];
      const outcomes: ClosedLoopOutcome[] = [];
      const onOutcome = (one: ClosedLoopOutcome) => outcomes.push(one);
      const { goodput } = await closedLoop(small({ load: 0.3, engines: 2, policy: { pick: true }, faults, onOutcome }));
      const during = outcomes.filter(({ atSeconds }) => atSeconds > 26 && atSeconds < 48);
      expect(during.filter(({ engine }) => engine === 1).length / during.length).toBeGreaterThan(0.7);
      expect(goodput).toBeGreaterThan(0.7);
    },
  );

  test('after a restart the counters of the engine begin again and its predictor has forgotten', async () => {
    const samples: number[] = [];
    const faults = [{ kind: 'restart', atSeconds: 30 }] as const;
    const admit = (
      _: unknown,
      [engine]: readonly { predictor: { predict(tokens: number, now: number): { samples: number } } }[],
      now: number,
    ) => {
      if (now > 35 && samples.length < 1) samples.push(engine!.predictor.predict(1000, now).samples);
      return true;
    };
    await closedLoop(small({ load: 0.5, faults, policy: { admit } }));
    expect(samples[0]).toBeLessThan(30);
  });

  test('a trace of one request, and one whose requests come at one moment, run', async () => {
    const one = path.join(folder, 'one.jsonl');
    await writeFile(one, '{"timestamp":5,"input_length":100,"output_length":1}');
    expect(await closedLoop({ trace: one })).toMatchObject({ requests: 1, goodput: 1, served: 1 });
    const moment = path.join(folder, 'moment.jsonl');
    await writeFile(
      moment,
      Array.from({ length: 50 }, () => '{"timestamp":5,"input_length":100,"output_length":1}').join('\n'),
    );
    const result = await closedLoop({ trace: moment, load: 0.5 });
    expect(result.served).toBe(result.requests);
  });

  test('the least and the greatest options end', async () => {
    const slow = await closedLoop(small({ load: 0.001, engines: [{ speed: 0.01 }], slowdown: 100 }));
    expect(slow.seconds).toBeLessThanOrEqual(86_400 + 60);
    const fast = await closedLoop(
      small({
        load: 100,
        engines: Array.from({ length: 64 }, () => ({ speed: 100 })),
        policy: { pick: true, admit: true },
      }),
    );
    expect(fast.requests).toBeGreaterThan(300);
    const hung = await closedLoop(small({ faults: [{ kind: 'hang' }] }));
    expect(hung).toMatchObject({ served: 0, goodput: 0, ttft: { mean: 60 } });
  });

  test('its signal ends it', async () => {
    await expect(closedLoop(small({ signal: AbortSignal.abort(new Error('enough')) }))).rejects.toThrow('enough');
    const controller = new AbortController();
    const running = closedLoop({
      trace: 'mmpp',
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('later')),
    });
    await expect(running).rejects.toThrow('later');
  });

  test.each<[string, object, string]>([
    ['no trace', { trace: undefined }, 'trace'],
    ['a load of 0', { load: 0 }, 'load'],
    ['no engine', { engines: 0 }, 'engines'],
    ['an unknown field of an engine', { engines: [{ pace: 1 }] }, 'engines'],
    ['another word for a policy', { policy: { admit: 'always' } }, 'policy'],
    ['an unknown policy', { policy: { route: true } }, 'policy'],
    ['a fault of an engine that is not there', { faults: [{ kind: 'hang', engine: 1 }] }, 'engine of a fault'],
    ['an unknown fault', { faults: [{ kind: 'fire' }] }, 'kind'],
    ['a share above 1', { visible: 1.5 }, 'visible'],
    ['an unknown option', { lode: 1 }, 'did you mean load?'],
    ['a policy that picks no engine', { policy: { pick: () => 7 } }, 'policy.pick'],
    ['a policy that returns nothing', { policy: { admit: () => undefined } }, 'policy.admit'],
  ])('%s is an error that names it', async (_, more, named) => {
    await expect(closedLoop({ ...small(), ...more } as ClosedLoopOptions)).rejects.toThrow(named);
  });

  test('a file that is no trace is an error with its line', async () => {
    const wrong = path.join(folder, 'wrong.csv');
    await writeFile(wrong, 'a,b\n');
    await expect(closedLoop({ trace: wrong })).rejects.toMatchObject({ code: 'ERR_DTESN_TRACE' });
    await expect(closedLoop({ trace: path.join(folder, 'none.csv') })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('the figures of a core are those that a scrape of its metrics gives', () => {
  const sizes = { maxModelLen: 8192, maxNumSeqs: 64, maxBatchedTokens: 2048, kvBlocks: 5120, blockSize: 16 };
  const simulation = new EngineSimulation({ ...sizes, seed: 2, load: 1.2 });
  simulation.advanceTo(120);
  const text = metricsText(simulation, { modelName: 'm', startTime: 1000 });
  const { processStartSeconds, ...scraped } = engineMetrics(parsePrometheus(text));
  const { processStartSeconds: started, ...direct } = coreFigures(simulation.engines[0]!, 1000);
  expect(direct).toEqual(scraped);
  expect(started).toBe(processStartSeconds);
});

test('a copy of an engine goes its own way and leaves the engine as it was', () => {
  const sizes = { maxModelLen: 8192, maxNumSeqs: 64, maxBatchedTokens: 2048, kvBlocks: 5120, blockSize: 16 };
  const [simulation, twin] = [1, 2].map(() => new EngineSimulation({ ...sizes, seed: 2, load: 1.2 }));
  for (const one of [simulation!, twin!]) one.advanceTo(60);
  const [core] = simulation!.engines;
  const copy = core!.fork();
  copy.advanceTo(90);
  expect(copy.statistics.generatedTokens).toBeGreaterThan(0);
  simulation!.advanceTo(100);
  twin!.advanceTo(100);
  expect(simulation!.engines[0]!.statistics).toEqual(twin!.engines[0]!.statistics);
});

// The rates of the recorded hour of code, one seed: docs/outlook.md has the means.
test('on the recorded hour of code, admission serves 60 % within 2 s and the slowdown does not break it', {
  tags: ['slow'],
  skip: missing !== false,
}, async () => {
  const ours = await closedLoop({ trace: code, load: 0.7, seed: 7, policy: { admit: true } });
  const slowed = await closedLoop({ trace: code, load: 0.7, seed: 7, slowdown: 1.8, policy: { admit: true } });
  expect(ours.goodput).toBeGreaterThan(0.62);
  expect(slowed.goodput).toBeGreaterThan(0.53);
});
