/** Probes of the command while its main thread is blocked, and while the model works without a pause. */
import { describe, expect, test } from 'vitest';
import { freePort } from '../durability/state-bridge.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';
import { atSignal, blockFor } from './preload.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function withProbe(env: NodeJS.ProcessEnv): Promise<{ bridge: RunningBridge; probe: string }> {
  const address = `127.0.0.1:${await freePort()}`;
  const bridge = await runningBridge({ probe: address, env });
  return { bridge, probe: `http://${address}` };
}

interface Seen {
  atMs: number;
  live: number;
  ready: number;
}

/** Asks both probes for as long as `going` says; each answer must come within 3 s, the limit of deploy/. */
async function watch(probe: string, going: () => boolean): Promise<Seen[]> {
  const seen: Seen[] = [];
  const start = performance.now();
  const ask = async (path: string) => {
    const { status } = await fetch(probe + path, { signal: AbortSignal.timeout(3000) });
    return status;
  };
  while (going()) {
    const [live, ready] = [await ask('/livez'), await ask('/readyz')];
    seen.push({ atMs: performance.now() - start, live, ready });
    await pause(50);
  }
  return seen;
}

describe('the probe listener of the command', () => {
  test('says within 3 s that a blocked main thread is not ready, after livenessMs that it is not live, and both again after', {
    tags: ['slow'],
  }, async () => {
    const { bridge, probe } = await withProbe({ DTESN_BRIDGE_LIVENESS_MS: '3500', ...atSignal(blockFor(5000)) });
    await using _ = bridge;
    bridge.process.kill('SIGUSR2');
    const end = performance.now() + 7000;
    const seen = await watch(probe, () => performance.now() < end);
    const unready = seen.find(({ ready }) => ready === 503)!;
    const dead = seen.find(({ live }) => live === 503)!;
    expect(unready.atMs).toBeLessThan(3000);
    expect(seen.filter(({ atMs }) => atMs < unready.atMs).every(({ live }) => live === 200)).toBe(true);
    expect(dead.atMs).toBeGreaterThan(unready.atMs);
    expect(dead.atMs).toBeGreaterThan(3000);
    expect(seen.at(-1)).toMatchObject({ live: 200, ready: 200 });
  });

  /** Series and rows of sessions without a pause for so long. */
  async function underWork(ms: number): Promise<Seen[]> {
    const { bridge, probe } = await withProbe({ DTESN_UNITS: '1024' });
    await using _ = bridge;
    const end = performance.now() + ms;
    const going = () => performance.now() < end;
    const json = { 'content-type': 'application/json' };
    const frame = (shape: string) => ({
      'content-type': 'application/octet-stream',
      accept: 'application/octet-stream',
      'x-dtesn-dtype': 'f32',
      'x-dtesn-shape': shape,
    });
    const series = async () => {
      let count = 0;
      for (; going(); count++) {
        const body = new Float32Array(8 * 8000 * 16).fill(0.1);
        const answer = await fetch(`${bridge.url}/v1/process/batch`, {
          method: 'POST',
          headers: frame('8,8000,16'),
          body,
        });
        expect(answer.status, await answer.text()).toBe(200);
      }
      return count;
    };
    const rows = async (id: string) => {
      await fetch(`${bridge.url}/v1/sessions`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ id, outputs: [0] }),
      });
      let from = 0;
      for (; going(); from += 4000) {
        const answer = await fetch(`${bridge.url}/v1/sessions/${id}/steps`, {
          method: 'POST',
          headers: { ...frame('4000,16'), 'x-dtesn-from': String(from) },
          body: new Float32Array(4000 * 16).fill(0.1),
        });
        expect(answer.status, `${from}: ${await answer.text()}`).toBe(200);
      }
      return from;
    };
    const [seen, ...done] = await Promise.all([watch(probe, going), series(), series(), rows('a'), rows('b')]);
    for (const count of done) expect(count).toBeGreaterThan(0);
    return seen;
  }

  test('says that all is well through seconds of native work', { tags: ['slow'] }, async () => {
    const seen = await underWork(6000);
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.filter(({ live, ready }) => live !== 200 || ready !== 200)).toEqual([]);
  });

  test('says that all is well through a minute of native work', { tags: ['slow'], timeout: 120_000 }, async () => {
    const seen = await underWork(60_000);
    expect(seen.length).toBeGreaterThan(200);
    expect(seen.filter(({ live, ready }) => live !== 200 || ready !== 200)).toEqual([]);
  });
});
