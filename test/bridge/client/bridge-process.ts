/** A bridge in a process of its own, which tests may kill and start again on the same address and state-dir. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const main = path.resolve(import.meta.dirname, '../../../dist/cli/main.js');

/** What node runs. */
export const bridgeCommand = [main, 'bridge', '--probe-listen', '127.0.0.1:0', '--log-level', 'error'];

export class BridgeProcess {
  readonly #args: readonly string[];
  readonly #listeners: number;
  #child: ChildProcess | undefined;
  /** As the lines of the listeners say them. */
  addresses: string[] = [];

  private constructor(args: readonly string[]) {
    this.#args = args;
    this.#listeners = args.filter((arg) => arg === '--listen').length;
  }

  static async start(...args: string[]): Promise<BridgeProcess> {
    const bridge = new BridgeProcess(args);
    await bridge.#run(args);
    return bridge;
  }

  get address(): string {
    return this.addresses[0]!;
  }

  /** Ends it as a power failure would. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Lets it drain. */
  terminate(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** On the port that it had. */
  async startAgain(): Promise<void> {
    const port = new URL(this.addresses.find((address) => address.startsWith('http'))!).port;
    await this.#run(this.#args.map((arg) => (arg === '127.0.0.1:0' ? `127.0.0.1:${port}` : arg)));
  }

  async #run(args: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [...bridgeCommand, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const addresses: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      const [, address] = /^dtesn bridge listening on (\S+)/.exec(line) ?? [];
      if (address) addresses.push(address);
      if (addresses.length === this.#listeners) break;
    }
    child.stdout!.resume();
    if (addresses.length < this.#listeners) throw new Error('The bridge ended before it listened');
    this.addresses = addresses;
  }
}
