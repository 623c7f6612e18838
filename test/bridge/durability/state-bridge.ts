/** Bridges over state directories of a test, with options that have no flag. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { BridgeOptions } from '../../../src/bridge/index.js';
import { type RunningBridge, runningBridge, startBridge } from '../running-bridge.js';
import { FedSession } from './fed-session.js';

const script = path.resolve(import.meta.dirname, 'serve-options.mjs');

/** A folder that is removed after the test. */
export function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'bridge-durability-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function scriptOf(stateDir: string | null, options: BridgeOptions): string[] {
  const all = { listen: ['127.0.0.1:0'], probeListen: '127.0.0.1:0', stateDir, settleMs: 200, ...options };
  return [script, JSON.stringify(all)];
}

/** A bridge that listens; it is killed after the test where it still runs. */
export async function stateBridge(
  stateDir: string | null,
  options: BridgeOptions = {},
  env: NodeJS.ProcessEnv = {},
): Promise<RunningBridge> {
  const bridge = await runningBridge({ script: scriptOf(stateDir, options), env });
  onTestFinished(async () => {
    await bridge.end('SIGKILL');
  });
  return bridge;
}

/** A bridge that may never listen; it is killed after the test where it still runs. */
export function startedBridge(stateDir: string, options: BridgeOptions = {}) {
  const child = startBridge({ script: scriptOf(stateDir, options) });
  let [out, log] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { process: child, code, out: () => out, log: () => log };
}

/** Lines on stderr that are not of the log. */
export function plainLines(log: string): string[] {
  return log.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sessions of each kind, in turn: rows in JSON, rows in frames, learning in JSON, learning with frames between. */
export function fedSessions(count: number, prefix = 's'): FedSession[] {
  return Array.from(
    { length: count },
    (_, index) => new FedSession({ id: `${prefix}${index}`, learns: index % 4 >= 2, framed: index % 2 === 1 }),
  );
}
