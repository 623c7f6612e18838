/** Bridge: the process beside an inference engine that everything else asks. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pause, systemClock, wallMs } from '../abort/index.js';
import { rangeError } from '../errors/index.js';
import { lockFile, openFileLimit, packageVersion } from '../native/index.js';
import { bridgeEndpoints } from './endpoints.js';
import {
  type App,
  Connections,
  type EventStream,
  type ListenAddress,
  Listener,
  makeApp,
  parseListen,
} from './http/index.js';
import { ExitError, exitCodes, MemoryBudget, StateDirectory } from './life/index.js';
import type { Logger } from './logs/index.js';
import { MetricsRegistry } from './metrics/index.js';
import { type BridgeOptions, type CheckedOptions, checkBridgeOptions } from './options.js';
import { Closers, openLog, openParts, type Parts } from './parts.js';
import { Heartbeat, Probes } from './probes/index.js';
import { requestFigures } from './request-figures.js';
import { Logins } from './routes/index.js';

const reservedFiles = 256;
const standardProbe = '127.0.0.1:2251';
const endSpreadMs = 2000;
const tlsPollMs = 5000;

/**
 * Bridge: the process beside an inference engine that everything else asks.
 *
 *     await using bridge = await Bridge.start({ engines: ['http://127.0.0.1:2242'], listen: ['127.0.0.1:2250'] });
 *     bridge.urls;                                   // ['http://127.0.0.1:2250']
 *
 * With `listen: []` it opens no listener and is mounted in a server of the program: `http.createServer(bridge.listener)`, or
 * `app.mount('/', bridge.fetch)` of a Hono application on @hono/node-server. Without an engine the embedded simulation answers, and
 * everything says so.
 *
 * It only reads from engines. Probes are answered by a thread of their own. Errors of the start: TypeError or RangeError
 * ERR_DTESN_ARGUMENT for options; those of the system for an address that is taken; TokenFileError; and an error with `exitCode`
 * 75 where another bridge holds the state directory, 78 where the directory is unusable.
 */
export class Bridge {
  /** Where the bridge logs. */
  readonly log: Logger;
  /** Where the bridge counts: what GET /metrics shows. */
  readonly metrics: MetricsRegistry;
  /** http://HOST:PORT of the probe listener; null without one. */
  readonly probeUrl: string | null;
  readonly #parts: Parts;
  readonly #app: App;
  readonly #heartbeat: Heartbeat;
  readonly #closers: Closers;
  readonly #connections: Connections;
  readonly #streams: Set<EventStream>;
  readonly #listeners: Listener[] = [];
  #draining = false;

  /** Opens everything; resolves when the bridge is ready. */
  static async start(options: BridgeOptions = {}): Promise<Bridge> {
    const checked = checkBridgeOptions(options);
    return Bridge.open(checked, checked.config.listen);
  }

  /** @internal With options that are checked, on given addresses. */
  static async open(checked: CheckedOptions, listen: readonly string[]): Promise<Bridge> {
    const addresses = listen.map(listenAddress);
    const closers = new Closers();
    try {
      return await openBridge(checked, addresses, closers);
    } catch (error) {
      await closers.close();
      throw error;
    }
  }

  /** @internal */
  constructor(made: MadeBridge) {
    const { checked, parts, closers, heartbeat, probes } = made;
    this.log = parts.log;
    this.metrics = parts.metrics;
    this.probeUrl = probes?.address ?? null;
    this.#parts = parts;
    this.#heartbeat = heartbeat;
    this.#closers = closers;
    this.#connections = new Connections(mostConnections());
    this.#streams = new Set();
    const logins = new Logins(parts.tokens);
    this.#app = makeApp({
      endpoints: bridgeEndpoints({
        parts,
        heartbeat,
        logins,
        streams: this.#streams,
        version: packageVersion(),
        probes: this.probeUrl,
        startedAt: new Date(wallMs()).toISOString(),
      }),
      trustedProxies: checked.config.trustedProxies,
      guard: { allowedHosts: checked.config.allowedHosts.map((name) => name.toLowerCase()) },
      tokens: parts.tokens,
      bodies: parts.bodies,
      login: (cookie) => logins.caller(cookie),
      draining: () => this.#draining,
      served: requestFigures(parts.metrics, parts.log),
    });
    this.#measure();
  }

  /** Where it listens: http://HOST:PORT, https://HOST:PORT or unix:PATH. */
  get urls(): string[] {
    return this.#listeners.map(({ url }) => url);
  }

  /** Whether requests from other machines come without TLS. */
  get isExposed(): boolean {
    return this.#listeners.some(({ isExposed, isEncrypted }) => isExposed && !isEncrypted);
  }

  /** Whether the embedded simulation stands in for an engine. */
  get simulated(): boolean {
    return this.#parts.engines.simulated;
  }

  /** Open connections of its own listeners. */
  get connections(): number {
    return this.#connections.size;
  }

  /** For a server of the program: `http.createServer(bridge.listener)`. */
  get listener(): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
    return this.#app.listener;
  }

  /** For a Hono application on @hono/node-server: `app.mount('/', bridge.fetch)`. */
  get fetch(): App['fetch'] {
    return this.#app.fetch;
  }

  /** @internal Opens the listeners; resolves when all are bound. */
  async listen(
    addresses: readonly ListenAddress[],
    { tlsCert, tlsKey, socketMode }: CheckedOptions['config'],
  ): Promise<void> {
    const tls = tlsCert !== undefined && tlsKey !== undefined ? { cert: tlsCert, key: tlsKey } : undefined;
    for (const address of addresses) {
      const listener = await Listener.open({
        address,
        listener: this.#app.listener,
        // A socket that systemd hands over may be either: where there are certificates, it is taken for TCP.
        tls: address.kind === 'unix' ? undefined : tls,
        socketMode,
        connections: this.#connections,
      });
      this.#closers.add(() => listener.close());
      if (listener.isOpenToAll && !this.#parts.tokens.required) throw openToAll(listener);
      this.#listeners.push(listener);
    }
    if (tls !== undefined) this.#watchTls();
    this.#heartbeat.ready({ listeners: true });
    this.#heartbeat.phase('serving');
  }

  /**
   * Reads the file of the configuration and the certificates again, changed or not. Errors: why the file was refused; the
   * configuration in use stays then.
   */
  async reload(): Promise<void> {
    this.#refreshTls();
    await this.#parts.configuration.reload();
  }

  /** Begins the drain: readiness is off, and each answer closes its connection. */
  beginDrain(): void {
    this.#draining = true;
    this.#heartbeat.phase('draining');
  }

  /** Accepts no connection any more, ends streams of events, and resolves when no request is under way. */
  async endWork(signal: AbortSignal): Promise<void> {
    this.beginDrain();
    for (const listener of this.#listeners) listener.stop();
    const text = 'event: end\ndata: {"reason":"drain"}\n\n';
    await Promise.all(
      [...this.#streams].map(async (stream) => {
        await pause(endSpreadMs * Math.random(), signal).catch(() => {});
        stream.end(text);
      }),
    );
    await this.#parts.sessions.drain();
    while (this.#app.active > 0 && !signal.aborted) await pause(20, signal).catch(() => {});
  }

  /** Ends everything that the bridge opened: what is not committed is committed first. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#heartbeat.phase('stopping');
    for (const stream of this.#streams) stream.end('event: end\ndata: {"reason":"close"}\n\n');
    this.#connections.destroyAll();
    await this.#closers.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes new certificates a few seconds after their files changed. */
  #watchTls(): void {
    let cancel = () => {};
    const poll = () => {
      cancel = systemClock.after(tlsPollMs, () => {
        this.#refreshTls();
        poll();
      });
    };
    poll();
    this.#closers.add(() => cancel());
  }

  #refreshTls(): void {
    try {
      for (const listener of this.#listeners) listener.refreshTls();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.log.error('a changed certificate cannot be taken: the one in use stays', { code });
    }
  }

  #measure(): void {
    const connections = this.metrics.gauge('dtesn_http_connections', 'Open connections.');
    const streams = this.metrics.gauge('dtesn_streams', 'Streams under way.', ['kind']);
    this.metrics.collect(() => {
      connections.set({}, this.#connections.size);
      streams.set({ kind: 'events' }, this.#streams.size);
      streams.set({ kind: 'process' }, this.#parts.runner.streams);
    });
  }
}

interface MadeBridge {
  checked: CheckedOptions;
  parts: Parts;
  closers: Closers;
  heartbeat: Heartbeat;
  probes: Probes | null;
}

async function openBridge(checked: CheckedOptions, addresses: ListenAddress[], closers: Closers): Promise<Bridge> {
  const { config } = checked;
  const metrics = checked.metrics ?? new MetricsRegistry();
  const log = openLog(checked, metrics, closers);
  const heartbeat = new Heartbeat({ livenessMs: config.livenessMs });
  closers.add(() => heartbeat.close());
  const probes = await openProbes(config.probeListen, heartbeat, log);
  if (probes !== null) {
    closers.add(() => probes.close());
    log.info('probes', { address: probes.address });
  }
  const budget = new MemoryBudget({ metrics });
  if (config.stateDir !== null) {
    const { stateDir, lockWaitMs } = config;
    const directory = await StateDirectory.open({ path: stateDir, lockWaitMs, log, tryLock: lockFile });
    closers.add(() => directory.close());
  }
  const memoryFull = () => budget.isTight();
  const parts = await openParts({
    ...checked,
    version: packageVersion(),
    heartbeat,
    metrics,
    log,
    closers,
    memoryFull,
  });
  const bridge = new Bridge({ checked, parts, closers, heartbeat, probes });
  await bridge.listen(addresses, config);
  return bridge;
}

/** The probe listener. Where no address was asked for and the standard one is taken, a free port serves, and the log says so. */
async function openProbes(
  listen: string | null | undefined,
  heartbeat: Heartbeat,
  log: Logger,
): Promise<Probes | null> {
  if (listen === null) return null;
  if (listen !== undefined) return Probes.start({ listen, heartbeat });
  try {
    return await Probes.start({ listen: standardProbe, heartbeat });
  } catch {
    const probes = await Probes.start({ listen: '127.0.0.1:0', heartbeat });
    log.warn('the standard address of probes is taken: they are answered elsewhere', { address: probes.address });
    return probes;
  }
}

function listenAddress(text: string): ListenAddress {
  const address = parseListen(text);
  if (address !== null) return address;
  throw rangeError('HOST:PORT, [HOST]:PORT or unix:PATH', 'listen', text);
}

/** A Unix socket makes its callers administrators: its permissions are the check, and these admit everyone. */
function openToAll({ url }: Listener): ExitError {
  const expected =
    'a token for reading or using (readTokenFile, useTokenFile), or a socket of mode 0660 (SocketMode= of systemd)';
  return new ExitError(exitCodes.configuration, `every user may open the Unix socket ${url}: expected ${expected}`);
}

/** Descriptors that the journal, the engines and the files of tokens need are left over. */
function mostConnections(): number {
  const limit = openFileLimit()?.soft ?? 65_536;
  return Math.max(16, limit - reservedFiles);
}
