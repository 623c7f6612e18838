/**
 * The dashboard of the command `dtesn bridge`, beside a simulated engine whose faults are injected.
 *
 * @module-tag slow
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineSimulator } from '../../src/simulator/index.js';
import { runningBridge } from '../bridge/running-bridge.js';
import { hasChromium, openBrowser, openPage } from './browser.js';

let browser: Browser;

interface StatusAnswer {
  model: { inputs: number };
}

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

  test('sessions, their rows and processed inputs of the bridge are shown with their rates', async () => {
    await using bridge = await runningBridge();
    const post = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${bridge.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(answer.ok).toBe(true);
      return (await answer.json()) as { id: string };
    };
    const status = async () => (await (await fetch(`${bridge.url}/v1/status`)).json()) as StatusAnswer;
    const { id } = await post('/v1/sessions', {});
    const { inputs: width } = (await status()).model;
    const rows = Array.from({ length: 100 }, () => new Array<number>(width).fill(0.1));
    await using open = await openPage(browser, bridge.url);
    const fact = (name: string) => open.page.locator('#bridge dl > div', { hasText: new RegExp(`^${name}`) });
    for (let from = 0; from < 1500; from += 100) {
      await post(`/v1/sessions/${id}/steps`, { from, rows });
      await post('/v1/process', { text: `input ${from}` });
      await open.page.waitForTimeout(200);
    }
    await fact('Session rows per second')
      .locator('dd', { hasText: /[1-9]\S*\/s/ })
      .waitFor();
    await fact('Inputs per second')
      .locator('dd', { hasText: /[1-9]\S*\/s/ })
      .waitFor();
    await fact('Input steps per second')
      .locator('dd', { hasText: /[1-9]\S*\/s/ })
      .waitFor();
    await fact('Count').locator('dd', { hasText: /^1$/ }).waitFor();
    await fact('Rows applied')
      .locator('dd', { hasText: /^1500$/ })
      .waitFor();
    await fact('Finished').locator('dd', { hasText: /^15$/ }).waitFor();
    // Without more of them the rates are zero after their ten seconds.
    await fact('Session rows per second')
      .locator('dd', { hasText: /^0\/s$/ })
      .waitFor({ timeout: 15_000 });
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
