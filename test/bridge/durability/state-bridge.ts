/** Bridges over state directories of a test, configured by a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { BridgeOptions } from '../../../src/bridge/index.js';
import { type RunningBridge, runningBridge, startBridge } from '../running-bridge.js';
import { FedSession } from './fed-session.js';

export interface StateBridge extends RunningBridge {
  /** Writes another configuration and has the bridge read it. */
  reload(options: BridgeOptions): void;
}

/** A folder that is removed after the test. */
export function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'bridge-durability-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function argsOf(stateDir: string | null, config: string, options: BridgeOptions) {
  configure(config, options);
  return ['--config', config, ...(stateDir === null ? [] : ['--state-dir', stateDir])];
}

function configure(config: string, options: BridgeOptions): void {
  writeFileSync(config, JSON.stringify({ settleMs: 200, ...options }));
}

/** A bridge that listens; it is killed after the test where it still runs. */
export async function stateBridge(
  stateDir: string | null,
  options: BridgeOptions = {},
  env: NodeJS.ProcessEnv = {},
): Promise<StateBridge> {
  const config = path.join(folder(), 'config.json');
  const bridge = await runningBridge({ args: argsOf(stateDir, config, options), env });
  onTestFinished(async () => {
    await bridge.end('SIGKILL');
  });
  const reload = (next: BridgeOptions) => {
    configure(config, next);
    bridge.process.kill('SIGHUP');
  };
  return { ...bridge, reload };
}

/** A bridge that may never listen; it is killed after the test where it still runs. */
export function startedBridge(stateDir: string, options: BridgeOptions = {}, probe?: string) {
  const args = argsOf(stateDir, path.join(folder(), 'config.json'), options);
  const child = startBridge({ args, ...(probe !== undefined && { probe }) });
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
export function fedSessions(count: number): FedSession[] {
  return Array.from(
    { length: count },
    (_, index) => new FedSession({ id: `s${index}`, learns: index % 4 >= 2, framed: index % 2 === 1 }),
  );
}
