/** Steady fetches for a listener: SourceFetcher.subscribe. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { SourceFetcher, type SourceFetcherOptions, type SourceSet } from '../../src/sources/index.js';
import { memoryEngine, never } from './memory-engine.js';
import { watchTimers } from './open-timers.js';

const fetchers: SourceFetcher[] = [];
function fetcherOf(engine: Engine | null, options: SourceFetcherOptions = {}): SourceFetcher {
  const fetcher = new SourceFetcher(engine, options);
  fetchers.push(fetcher);
  return fetcher;
}
afterEach(async () => {
  vi.restoreAllMocks();
  for (const fetcher of fetchers.splice(0)) await fetcher.close();
});
/** Lets what is under way go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a subscription', () => {
  const intervalMs = 20;

  test('a subscription delivers one fetch after the other until it is ended', async () => {
    const engine = memoryEngine();
    const fetcher = fetcherOf(engine);
    const sets: SourceSet[] = [];
    const end = fetcher.subscribe((set) => sets.push(set), { intervalMs: 600 });
    await expect.poll(() => sets.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    end();
    expect(sets.map(({ sources }) => sources.performance.state)).not.toContain('stale');
    expect(engine.asked['metrics']).toBe(sets.length);
    expect(engine.asked['tokenize']).toBe(1);
  });

  test('the turns of a subscription do not overlap: the next one waits for what the listener returns', async () => {
    const fetcher = fetcherOf(memoryEngine());
    let [inside, most, turns] = [0, 0, 0];
    const end = fetcher.subscribe(
      async () => {
        most = Math.max(most, ++inside);
        turns += 1;
        await new Promise((resolve) => setTimeout(resolve, 3 * intervalMs));
        inside -= 1;
      },
      { intervalMs },
    );
    await expect.poll(() => turns, { timeout: 20_000 }).toBeGreaterThan(3);
    end();
    expect(most).toBe(1);
  });

  test.each<[string, (fetcher: SourceFetcher, abort: AbortController, end: () => void) => unknown]>([
    ['what it returned', (_fetcher, _abort, end) => end()],
    ['its signal', (_fetcher, abort) => abort.abort()],
    ['close', (fetcher) => fetcher.close()],
  ])('ends with %s, in the middle of a question too, and leaves no timer', async (_, stop) => {
    const timers = watchTimers();
    const fetcher = fetcherOf(memoryEngine({ metrics: never }), { deadlineMs: 60_000 });
    const abort = new AbortController();
    let sets = 0;
    const end = fetcher.subscribe(() => (sets += 1), { intervalMs, signal: abort.signal });
    expect(timers.open).toBeGreaterThan(0);
    await stop(fetcher, abort, end);
    await fetcher.close();
    await turn();
    expect(timers.open).toBe(0);
    timers.end();
    expect(sets).toBe(0);
  });

  test('a subscription without a function, or to a closed fetcher, is refused', async () => {
    const fetcher = fetcherOf(null);
    expect(() => fetcher.subscribe(7 as never)).toThrow(/a function for listener/);
    expect(() => fetcher.subscribe(() => {}, { intervalMs: 0 })).toThrow(
      /milliseconds in \[10, 3600000\] for intervalMs/,
    );
    expect(() => fetcher.subscribe(() => {}, { signal: 1 as never })).toThrow(/an AbortSignal for signal/);
    await fetcher.close();
    expect(() => fetcher.subscribe(() => {})).toThrow(/closed/);
  });
});

describe('a listener of a subscription that throws', () => {
  const intervalMs = 10;
  test('a listener that throws is reported once, and the subscription continues', async () => {
    const fetcher = fetcherOf(null);
    const errors: unknown[] = [];
    let turns = 0;
    const end = fetcher.subscribe(
      async () => {
        turns += 1;
        throw new Error('mine');
      },
      { intervalMs, onError: (error) => errors.push((error as Error).message) },
    );
    await expect.poll(() => turns, { timeout: 20_000 }).toBeGreaterThan(5);
    end();
    expect(errors).toEqual(['mine']);
  });

  test('a listener that throws is a process warning without onError and when onError throws too', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const fetcher = fetcherOf(null);
    const listener = () => {
      throw new Error('mine');
    };
    const ends = [
      fetcher.subscribe(listener, { intervalMs }),
      fetcher.subscribe(listener, {
        intervalMs,
        onError: () => {
          throw new Error('worse');
        },
      }),
    ];
    await expect.poll(() => warned.mock.calls.length, { timeout: 20_000 }).toBe(3);
    for (const end of ends) end();
    const said = warned.mock.calls.map(([message]) => String(message));
    expect(said.join('\n')).toMatch(/listener of subscribe threw: Error: mine/);
    expect(said.join('\n')).toMatch(/Error: worse/);
  });
});
