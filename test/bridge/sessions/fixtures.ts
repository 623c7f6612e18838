/** Services, rows and the plain reference of the tests of sessions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { silentLogger } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import {
  buildNetwork,
  type NetworkDefinition,
  type RowMatrix,
  SessionService,
  type SessionServiceOptions,
  treeDefinition,
} from '../../../src/bridge/sessions/index.js';

export const tree = treeDefinition({ depth: 3, units: 40, inputs: 3, seed: 7 });

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A folder that the end of the test removes. */
export function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'dtesn-sessions-'));
  opened.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export interface StartOptions extends Partial<Omit<SessionServiceOptions, 'networks'>> {
  /** Definitions by name; the tree as 'default' when left out. */
  definitions?: Record<string, NetworkDefinition>;
}

/** A service that the end of the test closes; in memory when no stateDir is given. */
export async function start({
  definitions = { default: tree },
  ...options
}: StartOptions = {}): Promise<SessionService> {
  const networks = await networksOf(definitions);
  const metrics = new MetricsRegistry();
  const service = await SessionService.start({ stateDir: null, log: silentLogger, metrics, ...options, networks });
  opened.push(() => service.close());
  return service;
}

export function networksOf(definitions: Record<string, NetworkDefinition>) {
  return Promise.all(Object.entries(definitions).map(([name, definition]) => buildNetwork(name, definition)));
}

/** Row `t` of a series: a sum of sines, another one for each seed. */
export function rowAt(t: number, seed = 0, inputs = 3): number[] {
  return Array.from({ length: inputs }, (_, k) => Math.sin((0.3 + 0.1 * k) * t + seed) * 0.7);
}

export function rowsOf(from: number, count: number, seed = 0, inputs = 3): number[][] {
  return Array.from({ length: count }, (_, i) => rowAt(from + i, seed, inputs));
}

export function lists({ rows, cols, data }: RowMatrix): number[][] {
  return Array.from({ length: rows }, (_, row) => [...data.subarray(row * cols, (row + 1) * cols)]);
}
