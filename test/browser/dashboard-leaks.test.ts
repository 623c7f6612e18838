/** What the dashboard holds over time: heap after a collection, nodes and listeners, as the browser counts them. */
import type { Browser, CDPSession } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openBrowser, openPage } from './browser.js';
import { FakeBridge } from './fake-bridge.js';

let browser: Browser;
const minuteMs = 60_000;

interface Held {
  JSHeapUsedSize: number;
  Nodes: number;
  JSEventListeners: number;
}

async function held(session: CDPSession): Promise<Held> {
  for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value])) as unknown as Held;
}

describe.skipIf(!hasChromium)('the dashboard over time (skipped: chromium is not installed)', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** With states and restarts every other second. */
  async function grown(fromMs: number, untilMs: number): Promise<Record<keyof Held, number>> {
    const bridge = new FakeBridge(['a', 'b', 'c']);
    await bridge.start();
    const changes = setInterval(() => {
      const isBusy = bridge.engines[1]!.state === 'busy';
      bridge.setState('b', isBusy ? 'saturated' : 'busy', [isBusy ? 'requests wait' : '8 requests run']);
      bridge.restartEngine('a');
    }, 2000);
    try {
      await using open = await openPage(browser, bridge.url);
      const session = await open.page.context().newCDPSession(open.page);
      await session.send('Performance.enable');
      await open.page.waitForTimeout(fromMs);
      const before = await held(session);
      await open.page.waitForTimeout(untilMs - fromMs);
      const after = await held(session);
      console.log(
        'held by the page',
        JSON.stringify({ before, after }, ['before', 'after', 'JSHeapUsedSize', 'Nodes', 'JSEventListeners']),
      );
      const names = ['JSHeapUsedSize', 'Nodes', 'JSEventListeners'] as const;
      return Object.fromEntries(names.map((name) => [name, after[name] / before[name] - 1])) as Record<
        keyof Held,
        number
      >;
    } finally {
      clearInterval(changes);
      await bridge.stop();
    }
  }

  test('heap, nodes and listeners differ by less than 5 % between the second and the tenth minute', {
    tags: ['slow'],
    timeout: 11 * minuteMs,
  }, async () => {
    const growth = await grown(2 * minuteMs, 10 * minuteMs);
    for (const share of Object.values(growth)) expect(Math.abs(share)).toBeLessThan(0.05);
  });
});
