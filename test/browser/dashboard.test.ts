/** The dashboard in a real browser, on a server whose engines do what each test says. */
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { faintTexts, hasChromium, openBrowser, openPage } from './browser.js';
import { FakeBridge } from './fake-bridge.js';

/** With the spaces and breaks that a reader sees. */
const shownText = async (shown: Locator) => (await shown.allInnerTexts()).join('\n');

let browser: Browser;
let bridge: FakeBridge;

describe.skipIf(!hasChromium)('the dashboard (skipped: chromium is not installed)', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    bridge = new FakeBridge(['a', 'b']);
    await bridge.start();
  });
  afterEach(() => bridge.stop());

  test('each section shows what the bridge answers', async () => {
    await using open = await openPage(browser, bridge.url);
    const { page } = open;
    await page.locator('#verdict', { hasText: 'All 2 engines answer' }).waitFor();
    await page.locator('#plan', { hasText: 'batches are powers of two up to 64' }).waitFor();
    const row = page.locator('#engines-rows tr').first();
    expect(await shownText(row)).toMatch(/a[\s\S]*busy[\s\S]*since \d\d:\d\d:\d\d[\s\S]*8 requests run/);
    expect(await shownText(page.locator('#sources-summary'))).toBe('a: 5 of 5 sources answered, mean score 94 %');
    expect(await shownText(page.locator('#sources-rows'))).toContain('running fell while nothing finished');
    expect(await shownText(page.locator('#plan'))).toContain('absent: the source resources did not answer');
    expect(await shownText(page.locator('#membranes'))).toMatch(/12 · 128 units\s+0\.236[\s\S]*held/);
    expect(await shownText(page.locator('#bridge'))).toMatch(/Sessions[\s\S]*Count\s+1240/);
    const labels = await page
      .locator('.plot')
      .evaluateAll((plots) => plots.map((plot) => plot.getAttribute('aria-label')));
    expect(labels).toHaveLength(7);
    expect(labels[0]).toMatch(/^Requests: running \d+, waiting \d+$/);
  });

  test('rows, inputs and steps a second are the growth of the counters of the bridge', async () => {
    await using open = await openPage(browser, bridge.url);
    const rates = async () => {
      const rows = await open.page
        .locator('#bridge > div', { hasText: 'Throughput' })
        .locator('dl > div')
        .allInnerTexts();
      return rows.map((row) => Number.parseFloat(row.replace(/^\D+/, '')) * (/k\/s$/.test(row) ? 1000 : 1));
    };
    await open.page.locator('#bridge', { hasText: /Session rows per second\s*[\d.]+k\/s/ }).waitFor();
    await open.page.waitForTimeout(5000);
    const [rows, inputs, steps, ...more] = await rates();
    expect(more).toEqual([]);
    for (const [value, truth] of [
      [rows, 18_400],
      [inputs, 41],
      [steps, 5200],
    ]) {
      expect(Math.abs(value! / truth! - 1), `${value} of ${truth}`).toBeLessThan(0.2);
    }
  });

  test('the charts hold the past of an engine and its restarts', async () => {
    await using open = await openPage(browser, bridge.url);
    await open.page.locator('#verdict', { hasText: 'answer' }).waitFor();
    await open.page.locator('#charts-engine').selectOption('b');
    await expect.poll(() => bridge.requests).toContain('GET /v1/engines/b/history');
    expect(await open.page.locator('.plot canvas').count()).toBe(7);
    const reported = open.page.getByRole('img', { name: 'First token of reported requests' });
    await expect.poll(() => reported.getAttribute('aria-label')).toMatch(/observed \d+ ms, predicted \d+ ms$/);
  });

  test('an anomaly stands beside the name of its engine, with its evidence', async () => {
    bridge.engines[1]!.anomalies = [{ kind: 'slow', evidence: ['tokens take 1.4 times as long'] }];
    await using open = await openPage(browser, bridge.url);
    const row = open.page.locator('#engines-rows tr').nth(1);
    await row.locator('.tag', { hasText: 'slow' }).waitFor();
    await row.locator('.evidence', { hasText: 'tokens take 1.4 times as long' }).waitFor();
    bridge.engines[1]!.anomalies = [];
    await row.locator('.tag', { hasText: 'slow' }).waitFor({ state: 'hidden' });
  });

  test('without processed inputs the membranes say so', async () => {
    bridge.membranes = null;
    await using open = await openPage(browser, bridge.url);
    await open.page.locator('#membranes-summary', { hasText: 'Nothing was processed yet' }).waitFor();
  });

  test('names that are markup or controls are shown as text, and no script of them runs', async () => {
    const hostile = [
      '<script>globalThis.owned=1</script>',
      '<img src=x onerror="globalThis.owned=2">',
      '\u001b[31mred\u202e',
    ];
    await bridge.stop();
    bridge = new FakeBridge(hostile);
    bridge.engines[0]!.evidence = ['<b onmouseover=globalThis.owned=3>evidence</b>'];
    bridge.engines[1]!.simulated = true;
    await bridge.start();
    await using open = await openPage(browser, bridge.url);
    const { page, problems } = open;
    await page.locator('#engines-rows tr').nth(2).waitFor();
    for (const [i, name] of hostile.entries()) bridge.setState(name, 'hung', [`${hostile[i]} evidence`]);
    await page.locator('#events li').nth(2).waitFor();
    await page.locator('#announcement', { hasText: 'is hung' }).waitFor({ state: 'attached' });
    const names = await page.locator('#engines-rows .name').allTextContents();
    expect(names).toEqual([hostile[0], hostile[1], '\\u{1b}[31mred\\u{202e}']);
    expect(await page.locator('main script, main img, main b, header script').count()).toBe(0);
    expect(await page.evaluate('globalThis.owned')).toBeUndefined();
    expect(problems).toEqual([]);
  });

  test('the policy of the page is never violated, and no other origin is asked', async () => {
    await using open = await openPage(browser, bridge.url);
    const { page, problems, origins } = open;
    await page.locator('#plan details').first().waitFor();
    await page.locator('.plot').first().hover();
    await page.emulateMedia({ colorScheme: 'dark' });
    bridge.restartEngine('a');
    await page.locator('#events li').first().waitFor();
    expect(problems).toEqual([]);
    expect([...origins]).toEqual([bridge.url]);
    const blocked = await page.evaluate(`fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'blocked')`);
    expect(blocked).toBe('blocked');
    expect(problems.join(' ')).toContain('Content Security Policy');
  });

  test('at 400 pixels nothing is wider than the window', async () => {
    bridge.setState('b', 'hung', ['a'.repeat(400)]);
    await using open = await openPage(browser, bridge.url, { viewport: { width: 400, height: 800 } });
    await open.page.locator('#plan details').first().waitFor();
    expect(await open.page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    const wide = await open.page
      .locator('main *')
      .evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().right > 400).map((one) => one.className));
    expect(wide).toEqual([]);
  });

  test('of fifty engines those in need come first, the others scroll, and nothing leaves the window', async () => {
    await bridge.stop();
    bridge = new FakeBridge(Array.from({ length: 50 }, (_, i) => `http://engine-${i}.cluster.example:8000`));
    await bridge.start();
    for (const [width, height] of [
      [1280, 900],
      [400, 800],
    ] as const) {
      await using open = await openPage(browser, bridge.url, { viewport: { width, height } });
      const { page, transferred } = open;
      const rows = page.locator('#engines-rows tr');
      await page.locator('#plan details').first().waitFor();
      expect(await rows.count()).toBe(50);
      bridge.setState(bridge.engines[41]!.name, 'saturated', ['requests wait']);
      bridge.setState(bridge.engines[33]!.name, 'hung', ['no step was counted for 4.1 s']);
      await page.locator('#engines-rows tr:nth-child(1)', { hasText: 'engine-33' }).waitFor();
      expect(await rows.nth(1).textContent()).toContain('engine-41');
      expect(await rows.nth(2).textContent()).toContain('engine-0.');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const list = await page.locator('#engines-list').boundingBox();
      expect(list!.height).toBeLessThan(height);
      await page.locator('#charts-engine').selectOption(bridge.engines[49]!.name);
      await expect.poll(() => bridge.requests.some((path) => path.includes('engine-49'))).toBe(true);
      // The page with uPlot, uncompressed, and the readings of some seconds.
      expect(transferred()).toBeLessThan(600_000);
      const histories = bridge.requests.filter((path) => path.startsWith('GET /v1/engines/'));
      // Of the engine that is drawn, not of all fifty.
      expect(new Set(histories.map((path) => path.replace(/\?.*/, ''))).size).toBeLessThan(3);
      for (const { name } of bridge.engines.slice(30, 45)) bridge.setState(name, 'busy', ['8 requests run']);
    }
  });

  test('every control is reached by keyboard, with a focus that is seen', async () => {
    await using open = await openPage(browser, bridge.url);
    const { page } = open;
    await page.locator('#plan details').first().waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      const [name, outline] = (await page.evaluate(
        `[document.activeElement.id || document.activeElement.tagName, getComputedStyle(document.activeElement).outlineWidth]`,
      )) as [string, string];
      if (name === 'BODY') break;
      reached.push(name);
      expect([name, Number.parseFloat(outline)]).toEqual([name, 3]);
    }
    expect(reached).toEqual([
      'A',
      'charts-engine',
      'charts-window',
      'SUMMARY',
      'SUMMARY',
      'SUMMARY',
      'SUMMARY',
      'events',
      'A',
    ]);
  });

  test.each(['light', 'dark'] as const)(
    'in %s every text has a contrast of 4.5 to 1, live and stale',
    async (colorScheme) => {
      bridge.engines[0]!.simulated = true;
      bridge.setState('a', 'saturated', ['requests wait']);
      bridge.setState('b', 'dead', ['nothing listens any more']);
      await using open = await openPage(browser, bridge.url, { colorScheme });
      const { page } = open;
      await page.locator('#plan details').first().waitFor();
      await page.locator('#events li').nth(1).waitFor();
      expect(await page.evaluate(faintTexts)).toEqual([]);
      await bridge.stop();
      await page.locator('#connection', { hasText: 'unreachable' }).waitFor();
      expect(await page.evaluate(faintTexts)).toEqual([]);
    },
  );

  test('tables stay tables for a screen reader, also where they are narrow', async () => {
    await using open = await openPage(browser, bridge.url, { viewport: { width: 400, height: 800 } });
    await open.page.locator('#engines-rows tr').first().waitFor();
    const session = await open.page.context().newCDPSession(open.page);
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const roles = nodes.map(({ role }) => role?.value);
    const counted = ['columnheader', 'rowheader', 'row'].map((role) => roles.filter((one) => one === role).length);
    // The tables of two engines and of five sources, each with a row of headers.
    expect(counted).toEqual([9 + 5, 2 + 5, 3 + 6]);
  });

  test('a token is asked for where the bridge wants one, sent once, and never in an address', async () => {
    await bridge.stop();
    bridge = new FakeBridge(['a'], { token: 'a-token-of-thirty-two-characters!' });
    await bridge.start();
    await using open = await openPage(browser, bridge.url);
    const { page } = open;
    await page.locator('#login').waitFor();
    expect(await page.locator('main').isVisible()).toBe(false);
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.locator('#login-error', { hasText: 'Expected a token of this bridge' }).waitFor();
    await page.keyboard.type('a-token-of-thirty-two-characters!');
    await page.keyboard.press('Enter');
    await page.locator('#engines-rows tr').first().waitFor();
    expect(await page.locator('#login').isVisible()).toBe(false);
    bridge.setState('a', 'hung', ['no step']);
    await page.locator('#events', { hasText: 'busy → hung' }).waitFor();
    expect(await page.locator('#token').inputValue()).toBe('');
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(bridge.requests.filter((request) => request.startsWith('POST'))).toEqual([
      'POST /v1/login',
      'POST /v1/login',
    ]);
  });

  test('a change of state is announced, named in the title and listed', async () => {
    await using open = await openPage(browser, bridge.url);
    const { page } = open;
    await page.locator('#verdict', { hasText: 'All 2 engines answer' }).waitFor();
    expect(await page.title()).toBe('dtesn bridge');
    bridge.setState('b', 'hung', ['7 requests run and no step was counted for 4.1 s']);
    await page.locator('#verdict', { hasText: 'b is hung' }).waitFor();
    expect(await page.title()).toBe('b is hung · dtesn bridge');
    expect(await page.locator('#announcement').textContent()).toBe('Engine b is hung');
    expect(await shownText(page.locator('#events li').first())).toContain('busy → hung');
    expect(await shownText(page.locator('#engines-rows tr').nth(1))).toContain('no step was counted');
  });

  test('old figures of an engine are called stale', async () => {
    bridge.engines[1]!.stalenessSeconds = 12;
    await using open = await openPage(browser, bridge.url);
    await open.page.locator('#engines-rows tr', { hasText: '12 s, stale' }).waitFor();
  });

  test('simulated engines are named as such', async () => {
    bridge.engines[1]!.simulated = true;
    await using open = await openPage(browser, bridge.url);
    await open.page.locator('#notices', { hasText: 'Simulation: b is a simulated engine' }).waitFor();
    expect(await shownText(open.page.locator('#engines-rows tr').nth(1))).toContain('simulation');
  });

  test('the page outlives a restart of the bridge, marks it, and hears its events again', async () => {
    await using open = await openPage(browser, bridge.url);
    const { page, problems } = open;
    await page.locator('#events-state', { hasText: 'live' }).waitFor();
    await bridge.stop();
    await page
      .locator('#verdict', { hasText: /does not answer since \d\d:\d\d:\d\d; what is shown is of \d\d/ })
      .waitFor();
    expect(await page.locator('#engines-rows tr').count()).toBe(2);
    await bridge.start();
    await page.locator('#verdict', { hasText: 'All 2 engines answer' }).waitFor();
    await page.locator('#events', { hasText: 'the bridge is a new process' }).waitFor();
    await page.locator('#events-state', { hasText: 'live' }).waitFor();
    bridge.setState('a', 'dead', ['nothing listens any more']);
    await page.locator('#events', { hasText: 'busy → dead' }).waitFor();
    expect(problems).toEqual([]);
  });

  test('a page in the background asks for nothing', async () => {
    await using open = await openPage(browser, bridge.url);
    const { page } = open;
    await page.locator('#plan details').first().waitFor();
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`);
    await page.waitForTimeout(1500);
    const asked = bridge.requests.length;
    await page.waitForTimeout(2500);
    expect(bridge.requests.length).toBe(asked);
    await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`);
    await expect.poll(() => bridge.requests.length).toBeGreaterThan(asked);
  });
});
