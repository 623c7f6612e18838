/** Requests and answers of one engine, shared by whoever asks. */
import { describe, expect, test } from 'vitest';
import { type Engine, scraperOf } from '../../../src/engine/index.js';
import { ManualClock } from '../../manual-clock.js';

interface Request {
  answer: (running: number) => void;
  fail: (error: Error) => void;
  aborted: () => boolean;
}

/** An engine whose every /metrics waits until the test answers it. */
function openEngine() {
  const requests: Request[] = [];
  const metrics = ({ signal }: { signal?: AbortSignal } = {}) =>
    new Promise<Uint8Array>((resolve, reject) => {
      requests.push({
        answer: (running) => resolve(Buffer.from(`vllm:num_requests_running ${running}\n`)),
        fail: reject,
        aborted: () => signal?.aborted === true,
      });
    });
  return { engine: { label: 'x', metrics, health: async () => {} } as unknown as Engine, requests };
}

const setUp = () => {
  const clock = new ManualClock();
  const { engine, requests } = openEngine();
  return { clock, engine, requests, scraper: scraperOf(engine, clock) };
};

describe('a request under way', () => {
  test('serves all who ask meanwhile, parsed once', async () => {
    const { engine, clock, requests, scraper } = setUp();
    const both = [scraper.scrape(), scraperOf(engine, clock).scrape()];
    requests[0]!.answer(3);
    const [one, other] = await Promise.all(both);
    expect(requests.length).toBe(1);
    expect(other).toBe(one);
    expect(one).toMatchObject({ timeSeconds: 0, figures: { running: 3 } });
  });

  test('goes on when one of those who wait aborts, and ends when the last one does', async () => {
    const { requests, scraper } = setUp();
    const aborts = [new AbortController(), new AbortController(), new AbortController()];
    const [first, second] = aborts.map(({ signal }) => scraper.scrape({ signal }));
    aborts[0]!.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(requests[0]!.aborted()).toBe(false);
    requests[0]!.answer(1);
    expect((await second)?.figures.running).toBe(1);

    const alone = scraper.scrape({ signal: aborts[2]!.signal });
    aborts[2]!.abort(new Error('enough'));
    await expect(alone).rejects.toThrow('enough');
    expect(requests.length).toBe(2);
    expect(requests[1]!.aborted()).toBe(true);
  });

  test('is not joined when it began more than a second ago', async () => {
    const { clock, requests, scraper } = setUp();
    const hanging = scraper.scrape();
    await clock.pass(1000);
    void scraper.scrape();
    expect(requests.length).toBe(1);
    await clock.pass(1);
    const next = scraper.scrape();
    expect(requests.length).toBe(2);
    requests[1]!.answer(2);
    expect((await next).figures.running).toBe(2);
    requests[0]!.answer(1);
    expect((await hanging).figures.running).toBe(1);
  });

  test('that fails, fails for all who wait, and the next who asks makes another', async () => {
    const { requests, scraper } = setUp();
    const both = [scraper.scrape(), scraper.scrape()];
    requests[0]!.fail(new Error('broken'));
    for (const { reason } of (await Promise.allSettled(both)) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ message: 'broken' });
    }
    const again = scraper.scrape();
    requests[1]!.answer(4);
    expect((await again).figures.running).toBe(4);
  });
});

describe('a known scrape', () => {
  test('serves who allows its age, and no other', async () => {
    const { clock, requests, scraper } = setUp();
    const first = scraper.scrape();
    requests[0]!.answer(1);
    await first;
    await clock.pass(400);
    expect(await scraper.scrape({ maxAgeMs: 401 })).toBe(await first);
    expect(scraper.known(400)).toBeNull();
    void scraper.scrape({ maxAgeMs: 400 });
    expect(requests.length).toBe(2);
  });

  test('is forgotten when a later request fails, and kept when it is only aborted', async () => {
    const { requests, scraper } = setUp();
    const first = scraper.scrape();
    requests[0]!.answer(1);
    await first;
    const abort = new AbortController();
    const aborted = scraper.scrape({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    requests[1]!.fail(new Error('aborted'));
    await new Promise((turn) => setImmediate(turn));
    expect(scraper.known(1000)).toBe(await first);
    const broken = scraper.scrape();
    requests[2]!.fail(new Error('broken'));
    await expect(broken).rejects.toThrow('broken');
    expect(scraper.known(1000)).toBeNull();
  });

  test('is not of another clock, nor of another engine', async () => {
    const { engine, requests, scraper } = setUp();
    const first = scraper.scrape();
    requests[0]!.answer(1);
    await first;
    expect(scraperOf(engine, new ManualClock()).known(1000)).toBeNull();
    expect(scraperOf({ ...engine }).known(1000)).toBeNull();
  });
});
