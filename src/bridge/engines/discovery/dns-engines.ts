/**
 * Engines by a name of the DNS: each address of it is one engine, `http://address:port`. The name is resolved again every
 * RESOLVE_MS. A name that does not exist keeps the last addresses for KEEP_MS, then there are none; any other failure (the
 * server does not answer) keeps them as long as it lasts. Failures are reported once until the next success.
 */
import { lookup } from 'node:dns/promises';
import type { Clock } from '../../../abort/index.js';
import type { Discovery } from './discovery.js';

export const RESOLVE_MS = 30_000;
export const KEEP_MS = 300_000;
const MOST_ADDRESSES = 1000;

/** The addresses of a name; rejects with a code as node:dns does. */
export type Resolve = (host: string) => Promise<string[]>;

export const systemResolve: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

export interface DnsEnginesOptions {
  host: string;
  port: string;
  /** Behind host and port, without a trailing slash. */
  path: string;
  resolve: Resolve;
  clock: Clock;
  /** Takes the URLs, sorted. */
  changed: (urls: string[]) => Promise<void>;
  failed: (error: Error) => void;
}

export class DnsEngines implements Discovery {
  readonly #options: DnsEnginesOptions;
  #cancelNext = () => {};
  #closed = false;
  #goneSince: number | null = null;
  #failing = false;
  #urls: string[] = [];

  constructor(options: DnsEnginesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#resolve();
    if (this.#closed) return;
    this.#cancelNext = this.#options.clock.after(RESOLVE_MS, () => void this.start());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelNext();
  }

  async #resolve(): Promise<void> {
    const { host, resolve, failed } = this.#options;
    try {
      const addresses = await resolve(host);
      this.#goneSince = null;
      this.#failing = false;
      await this.#take(addresses);
    } catch (error) {
      if (!this.#failing && !this.#closed) failed(error as Error);
      this.#failing = true;
      await this.#keep(error as NodeJS.ErrnoException);
    }
  }

  async #keep({ code }: NodeJS.ErrnoException): Promise<void> {
    const now = this.#options.clock.now();
    const isGone = code === 'ENOTFOUND' || code === 'ENODATA';
    this.#goneSince = isGone ? (this.#goneSince ?? now) : null;
    if (this.#goneSince !== null && now - this.#goneSince >= KEEP_MS) await this.#take([]);
  }

  async #take(addresses: string[]): Promise<void> {
    const { port, path, changed } = this.#options;
    const urls = [...new Set(addresses)]
      .slice(0, MOST_ADDRESSES)
      .sort()
      .map((address) => `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`);
    if (this.#closed || JSON.stringify(urls) === JSON.stringify(this.#urls)) return;
    this.#urls = urls;
    await changed(urls);
  }
}
