/** Debian's chromium, driven by playwright-core: one browser a file, a context of its own for each page. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Without it tests are skipped: .ci/run installs the Debian package. */
export const hasChromium = existsSync(executablePath);

/** `flags`: of the browser's command line, for all of its pages. */
export const openBrowser = (flags: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox', ...flags] });

export interface OpenPage extends AsyncDisposable {
  page: Page;
  /** Errors of scripts and violations of the policy, as the console names them. */
  problems: string[];
  /** Origins that requests went to. */
  origins: Set<string>;
  /** Bytes of the bodies of all answers so far. */
  transferred: () => number;
}

export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (/content security policy|refused to|uncaught/i.test(message.text())) problems.push(message.text());
  });
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  let bytes = 0;
  page.on('response', (response) => {
    bytes += Number(response.headers()['content-length'] ?? 0);
  });
  await page.goto(url);
  return { page, problems, origins, transferred: () => bytes, [Symbol.asyncDispose]: () => context.close() };
}

/** Runs in the page: texts with less than 4.5 to 1 between them and what is behind them, by WCAG 2.2, 1.4.3. */
export function faintTexts(): string[] {
  const luminance = ([red = 0, green = 0, blue = 0]: number[]) => {
    const [r = 0, g = 0, b = 0] = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const numbers = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  type Shown = {
    parentElement: Shown | null;
    textContent: string;
    childNodes: Iterable<{ nodeType: number; textContent: string }>;
    offsetParent: Shown | null;
  };
  const { document, getComputedStyle } = globalThis as unknown as {
    document: { querySelectorAll: (selector: string) => Iterable<Shown> };
    getComputedStyle: (element: Shown) => { color: string; backgroundColor: string };
  };
  const behind = (element: Shown): number[] => {
    for (let at: Shown | null = element; at !== null; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || element.offsetParent === null) continue;
    const [light = 0, dark = 0] = [numbers(getComputedStyle(element).color), behind(element)]
      .map(luminance)
      .sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.textContent.slice(0, 40)}`);
  }
  return faint;
}
