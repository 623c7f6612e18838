/** The dashboard of the command `dtesn bridge`, beside a simulated engine whose faults are injected. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineSimulator } from '../../src/simulator/index.js';
import { runningBridge } from '../bridge/running-bridge.js';
import { hasChromium, openBrowser, openPage } from './browser.js';

let browser: Browser;

describe.skipIf(!hasChromium)('the dashboard of a running bridge (skipped: chromium is not installed)', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  test('a hang of the engine is shown within 5 s of its injection', async () => {
    const engine = await EngineSimulator.start({ load: 0.5, warmUpSeconds: 20, seed: 4 });
    await using bridge = await runningBridge({ args: ['--engine', engine.url] });
    await using open = await openPage(browser, bridge.url);
    const { page, problems, origins } = open;
    await page.locator('#verdict', { hasText: 'The engine answers' }).waitFor();
    await page.locator('#plan details').first().waitFor();
    await page.locator('#sources-summary', { hasText: /of 5 sources answered/ }).waitFor();
    await page.waitForTimeout(2000);
    await engine.inject({ kind: 'hang' });
    await page.locator('#verdict', { hasText: 'is hung' }).waitFor({ timeout: 5000 });
    expect((await page.locator('#engines-rows').allInnerTexts()).join()).toContain('hung');
    await page.locator('#events', { hasText: '→ hung' }).waitFor();
    expect(problems).toEqual([]);
    expect([...origins]).toEqual([bridge.url]);
    await engine.close();
  });

  test('a bridge without an engine says that all of it is a simulation', async () => {
    await using bridge = await runningBridge();
    await using open = await openPage(browser, bridge.url);
    await open.page.locator('#notices', { hasText: 'Simulation: every engine here is simulated' }).waitFor();
    await open.page.locator('#membranes-summary', { hasText: 'Nothing was processed yet' }).waitFor();
    const answer = await fetch(`${bridge.url}/v1/process`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'what the membranes are busy with' }),
    });
    expect(answer.status).toBe(200);
    await open.page.locator('#membranes li').first().waitFor();
    expect(await open.page.locator('#membranes-summary').textContent()).toMatch(/\d+ of \d+ active/);
  });

  test('the page outlives kill -9 of the bridge and its next process', async () => {
    const bridge = await runningBridge();
    await using open = await openPage(browser, bridge.url);
    const { page, problems } = open;
    await page.locator('#events-state', { hasText: 'live' }).waitFor();
    await bridge.end('SIGKILL');
    await page.locator('#verdict', { hasText: 'does not answer since' }).waitFor();
    await using next = await runningBridge({ listen: [new URL(bridge.url).host] });
    expect(next.url).toBe(bridge.url);
    await page.locator('#events', { hasText: 'the bridge is a new process' }).waitFor();
    await page.locator('#connection', { hasText: 'live' }).waitFor();
    await page.locator('#events-state', { hasText: 'live' }).waitFor();
    expect(problems).toEqual([]);
  });
});
