/**
 * Makes the pictures of the docs: `npm run screenshots`. Each is taken in Debian's chromium of a program that really runs, from a seed and
 * at a fixed size, and is written where a page shows it. test/docs/pictures.test.ts compares the list with the pages.
 *
 *     docs/images/dashboard.webp    the dashboard of a bridge beside two simulated engines under load, one of them hung
 *     docs/images/forecast.svg      what the first example of docs/plots.md writes; it needs no browser
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const executablePath = '/usr/bin/chromium';
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];

/** Seconds of traffic before the picture: the charts of two minutes then have lines, and the hang is known. */
const WATCHED_SECONDS = 45;
const HUNG_AFTER_SECONDS = 25;

/** Pictures by their paths in the repository. */
export const pictures = { 'docs/images/dashboard.webp': dashboard, 'docs/images/forecast.svg': forecast };

/** Runs the example inside the package, which so finds itself by its name. */
async function forecast(_browser, file) {
  const [, example] = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(path.join(root, 'docs/plots.md'), 'utf8'));
  const folder = mkdtempSync(path.join(root, 'build/plots-'));
  writeFileSync(path.join(folder, 'example.mjs'), example);
  execFileSync(process.execPath, ['example.mjs'], { cwd: folder });
  copyFileSync(path.join(folder, 'forecast.svg'), file);
  rmSync(folder, { recursive: true });
}

async function dashboard(browser, file) {
  const { EngineSimulator } = await import(path.join(root, 'dist/index.js'));
  const engines = [
    await EngineSimulator.start({ seed: 1, load: 0.7, warmUpSeconds: 600 }),
    await EngineSimulator.start({ seed: 2, load: 0.5, warmUpSeconds: 600 }),
  ];
  const bridge = await startBridge(engines.map(({ url }) => url));
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1200 }, colorScheme: 'light' });
    await page.goto(bridge.url);
    await setTimeout(1000 * HUNG_AFTER_SECONDS);
    engines[1].inject({ kind: 'hang' });
    await setTimeout(1000 * (WATCHED_SECONDS - HUNG_AFTER_SECONDS));
    // A third of the bytes of PNG: the package carries the docs.
    const session = await page.context().newCDPSession(page);
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 45 });
    writeFileSync(file, Buffer.from(data, 'base64'));
  } finally {
    bridge.process.kill();
    for (const engine of engines) await engine.close();
  }
}

/** The command `dtesn bridge` on free ports, once it listens. */
async function startBridge(urls) {
  const engines = urls.flatMap((url) => ['--engine', url]);
  const args = ['bridge', '--listen', '127.0.0.1:0', '--probe-listen', '127.0.0.1:0', ...engines];
  const child = spawn(process.execPath, [path.join(root, 'dist/cli/main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const chunk of child.stdout) {
    const [, url] = /listening on (\S+)/.exec(String(chunk)) ?? [];
    if (url !== undefined) return { process: child, url };
  }
  throw new Error('the bridge ended before it listened');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(executablePath)) {
    console.error(`Expected ${executablePath}: apt-get install chromium`);
    process.exit(1);
  }
  const browser = await chromium.launch({ executablePath, args: flags });
  for (const [name, take] of Object.entries(pictures)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    await take(browser, file);
    console.log(name);
  }
  await browser.close();
}
