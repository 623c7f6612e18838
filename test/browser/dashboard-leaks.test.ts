/** What the dashboard holds over time: heap after a collection, nodes and listeners, as the browser counts them. */
import type { Browser, CDPSession, Page } from 'playwright-core';
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

  // Measured 3.2 % of 2.2 MB for the heap, in which snapshots show compiled code alone; nodes and listeners stayed as they were.
  test('heap, nodes and listeners differ by less than 5 % between the second and the tenth minute', {
    tags: ['slow', 'long'],
    timeout: 11 * minuteMs,
  }, async () => {
    const bridge = new FakeBridge(['a', 'b', 'c']);
    await bridge.start();
    const changes = setInterval(() => change(bridge), 2000);
    try {
      await using open = await openPage(browser, bridge.url);
      const session = await measuring(open.page);
      await open.page.waitForTimeout(2 * minuteMs);
      const before = await held(session);
      await open.page.waitForTimeout(8 * minuteMs);
      const after = await held(session);
      for (const name of ['JSHeapUsedSize', 'Nodes', 'JSEventListeners'] as const) {
        expect(
          Math.abs(after[name] / before[name] - 1),
          JSON.stringify({ before: before[name], after: after[name] }),
        ).toBeLessThan(0.05);
      }
    } finally {
      clearInterval(changes);
      await bridge.stop();
    }
  });

  test('a hundred readings, with events among them, leave no node and no listener behind', {
    timeout: 60_000,
  }, async () => {
    const bridge = new FakeBridge(['a', 'b', 'c']);
    await bridge.start();
    try {
      await using open = await openPage(browser, bridge.url);
      await open.page.locator('#plan details').first().waitFor();
      const session = await measuring(open.page);
      for (let i = 0; i < 60; i++) change(bridge);
      await open.page.locator('#events li').nth(99).waitFor();
      await readings(open.page, 20);
      const before = await held(session);
      for (let i = 0; i < 10; i++) {
        change(bridge);
        await readings(open.page, 10);
      }
      const after = await held(session);
      expect(bridge.requests.filter((path) => path === 'GET /v1/engines').length).toBeGreaterThan(100);
      expect(after.JSEventListeners).toBe(before.JSEventListeners);
      expect(Math.abs(after.Nodes / before.Nodes - 1)).toBeLessThan(0.05);
    } finally {
      await bridge.stop();
    }
  });
});

/** A change of a state and a restart. */
function change(bridge: FakeBridge): void {
  const isBusy = bridge.engines[1]!.state === 'busy';
  bridge.setState('b', isBusy ? 'saturated' : 'busy', [isBusy ? 'requests wait' : '8 requests run']);
  bridge.restartEngine('a');
}

/** A page that becomes visible reads at once. */
async function readings(page: Page, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const answered = page.waitForResponse((response) => response.url().endsWith('/v1/status'));
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    await answered;
  }
}

async function measuring(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  return session;
}
