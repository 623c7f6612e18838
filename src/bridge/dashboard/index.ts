/**
 * The dashboard of the bridge: the page `/` and what it loads, read once at the start.
 *
 *     const assets = dashboardAssets();
 *     assets.get('/')      // { type: 'text/html; charset=utf-8', body, headers }
 *
 * The files hold no data: the page reads from the bridge with the rights of its reader. Its policy admits scripts, styles, images and
 * requests of this bridge alone, none of them inline. Each file has a strong ETag and is asked for again each time, so that a page
 * never mixes two versions. The files of uPlot come from its package, and lie beside the page where this package is installed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface DashboardAsset {
  /** The media type. */
  type: string;
  body: Buffer;
  /** ETag, the policy of the page, caching. */
  headers: Record<string, string>;
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

const common = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** The files by their path on the bridge: `/`, `/assets/dashboard.js`, ... */
export function dashboardAssets(): Map<string, DashboardAsset> {
  const page = fileURLToPath(new URL('./page/', import.meta.url));
  const assets = new Map<string, DashboardAsset>();
  for (const { name } of readdirSync(page, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    assets.set(name === 'index.html' ? '/' : `/assets/${name}`, asset(path.join(page, name)));
  }
  const copies = path.join(page, 'uplot');
  for (const [name, file] of Object.entries(existsSync(copies) ? copiesIn(copies) : uplotFiles())) {
    assets.set(`/assets/uplot/${name}`, asset(file));
  }
  return assets;
}

/** Whether the header If-None-Match names the asset that the client has. */
export function isUnchanged({ headers }: DashboardAsset, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(headers['etag'] ?? '');
}

function asset(file: string): DashboardAsset {
  const body = readFileSync(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type: types[path.extname(file)] ?? 'text/plain; charset=utf-8', body, headers: { ...common, etag } };
}

function copiesIn(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, path.join(folder, name)]));
}

/** Where this runs from its sources; scripts/copy-dashboard.mjs copies the same files into dist. */
function uplotFiles(): Record<string, string> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('uplot/package.json'));
  return {
    'uPlot.esm.js': path.join(folder, 'dist/uPlot.esm.js'),
    'uPlot.css': path.join(folder, 'dist/uPlot.min.css'),
    LICENSE: path.join(folder, 'LICENSE'),
  };
}
