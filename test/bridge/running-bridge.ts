/**
 * The command `dtesn bridge` as a process of its own, on free ports, driven over its sockets.
 *
 *     await using bridge = await runningBridge({ args: ['--engine', url] });
 *     await fetch(`${bridge.url}/v1/engines`);
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ownCommand = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface RunningBridge extends AsyncDisposable {
  /** http://127.0.0.1:PORT of the first listener. */
  url: string;
  urls: string[];
  process: ChildProcessWithoutNullStreams;
  /** What it logged so far. */
  log(): string;
  /** Sends a signal and resolves with the exit code, or null where a signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface RunningBridgeOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Lines of listeners to wait for. Default 1. */
  listeners?: number;
  /** Without it the bridge listens on a free port of the loopback interface. */
  listen?: readonly string[];
  probe?: string;
  /** The command's file. Default: that of dist. */
  command?: string;
  /** Arguments of node in place of those of the command. */
  script?: readonly string[];
}

export async function runningBridge(options: RunningBridgeOptions = {}): Promise<RunningBridge> {
  const child = startBridge(options);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  let out = '';
  const urls = await new Promise<string[]>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      const found = [...out.matchAll(/^dtesn bridge listening on (\S+)$/gm)].map(([, url]) => url!);
      if (found.length >= (options.listeners ?? 1)) resolve(found);
    });
    child.once('exit', (code, signal) => reject(new Error(`the bridge ended (${code ?? signal}): ${log}`)));
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const end = (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  return {
    url: urls[0]!,
    urls,
    process: child,
    log: () => log,
    end,
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}

/** Starts the command, without waiting for anything. */
export function startBridge({
  args = [],
  env = {},
  listen,
  probe,
  script,
  command = ownCommand,
}: RunningBridgeOptions): ChildProcessWithoutNullStreams {
  const listeners = (listen ?? ['127.0.0.1:0']).flatMap((address) => ['--listen', address]);
  const all = script ?? [command, 'bridge', ...listeners, '--probe-listen', probe ?? '127.0.0.1:0', ...args];
  return spawn(process.execPath, all, { env: { ...process.env, DTESN_UNITS: '64', ...env } });
}
