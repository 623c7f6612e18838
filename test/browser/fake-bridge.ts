/**
 * A server with the paths that the dashboard reads, whose engines do what a test says: for hostile names, restarts of the bridge and
 * hangs at a given moment. Answers have the shapes of the bridge.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type DashboardAsset, dashboardAssets } from '../../src/bridge/dashboard/index.js';
import { contextAnswer } from './context-answer.js';

export interface FakeEngine {
  name: string;
  state: string;
  simulated: boolean;
  evidence: string[];
  sinceMs: number;
  restarts: number;
  stalenessSeconds: number;
  anomalies: { kind: string; evidence: string[] }[];
}

interface FakeEvent {
  id: string;
  text: string;
}

const figures = { requestsTotal: 900, errors: 0, promptTokens: 41_000, generationTokens: 9000, preemptions: 0 };
const latencyOf = (p50: number) => ({ count: 20, mean: p50 * 1.1, p50, p90: p50 * 1.6, p99: p50 * 2.4 });
const pastSeconds = 600;

export class FakeBridge {
  readonly engines: FakeEngine[];
  /** Paths that were asked for, with their methods. */
  readonly requests: string[] = [];
  membranes: object[] | null = [
    { index: 0, level: 1, tree: '1', weight: 1, units: 128, active: true, activity: 0.412 },
    { index: 1, level: 2, tree: '12', weight: 0.5, units: 128, active: true, activity: 0.236 },
    { index: 2, level: 3, tree: '122', weight: 0.25, units: 128, active: false, activity: null },
  ];
  readonly #assets: Map<string, DashboardAsset> = dashboardAssets();
  readonly #token: string | undefined;
  readonly #startedMs = Date.now();
  #boot = randomBytes(6).toString('hex');
  #server: Server | null = null;
  #port = 0;
  #events: FakeEvent[] = [];
  #streams = new Set<ServerResponse>();
  #sockets = new Set<Socket>();

  constructor(names: readonly string[], { token }: { token?: string } = {}) {
    this.#token = token;
    this.engines = names.map((name) => ({
      name,
      state: 'busy',
      simulated: false,
      evidence: ['8 requests run'],
      sinceMs: Date.now() - 184_000,
      restarts: 0,
      stalenessSeconds: 0.4,
      anomalies: [],
    }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, after `stop` on the same port as before and as another process. */
  async start(): Promise<void> {
    this.#boot = randomBytes(6).toString('hex');
    this.#events = [];
    const server = createServer((request, response) => this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  setState(name: string, state: string, evidence: string[]): void {
    const engine = this.engines.find((candidate) => candidate.name === name)!;
    const before = engine.state;
    Object.assign(engine, { state, evidence, sinceMs: Date.now() });
    this.tell('state', { engine: name, state, before, evidence });
  }

  restartEngine(name: string): void {
    const engine = this.engines.find((candidate) => candidate.name === name)!;
    engine.restarts++;
    this.tell('restart', { engine: name, restarts: engine.restarts });
  }

  tell(type: string, data: object): void {
    const id = `${this.#boot}-${this.#events.length + 1}`;
    const text = `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ at: new Date().toISOString(), ...data })}\n\n`;
    this.#events.push({ id, text });
    for (const stream of this.#streams) stream.write(text);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    this.requests.push(`${request.method} ${pathname}`);
    const asset = this.#assets.get(pathname);
    if (asset !== undefined) {
      response.writeHead(200, { 'content-type': asset.type, ...asset.headers }).end(asset.body);
      return;
    }
    if (pathname === '/v1/login') {
      void login(request, response, this.#token);
      return;
    }
    if (this.#token !== undefined && !(request.headers.cookie ?? '').includes('dtesn_session=in')) {
      json(response, 401, { error: { code: 'unauthorised', message: 'Expected a token' } });
    } else if (pathname === '/v1/events') {
      this.#stream(request.headers['last-event-id'] ?? searchParams.get('lastEventId'), response);
    } else {
      const body = this.#body(pathname);
      json(response, body === null ? 404 : 200, body ?? { error: { code: 'not_found', message: 'no such path' } });
    }
  }

  #stream(last: string | string[] | null, response: ServerResponse): void {
    const lastId = String(last);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 500\n\n');
    if (!lastId.startsWith(`${this.#boot}-`)) response.write('event: missed\ndata: {"reason":"restart"}\n\n');
    const after = lastId.startsWith(`${this.#boot}-`) ? Number(lastId.split('-')[1]) : 0;
    for (const { text } of this.#events.slice(after)) response.write(text);
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
  }

  #body(pathname: string): object | null {
    if (pathname === '/v1/engines') return { items: this.engines.map(itemOf) };
    if (/^\/v1\/engines\/[^/]+\/history$/.test(pathname)) return history();
    if (pathname === '/v1/context') return contextAnswer;
    if (pathname !== '/v1/status') return null;
    const seconds = (Date.now() - this.#startedMs) / 1000;
    return {
      version: '0.2.0',
      boot: this.#boot,
      phase: 'ready',
      startedAt: new Date(this.#startedMs).toISOString(),
      queue: { waiting: 3, streams: 1 },
      sessions: { count: 1240, rowsApplied: Math.round(18_400 * seconds) },
      inputs: {
        started: Math.round(41 * seconds) + 3,
        finished: Math.round(41 * seconds),
        steps: Math.round(5200 * seconds),
        sheds: 0,
      },
      membranes: this.membranes,
    };
  }
}

function itemOf(engine: FakeEngine): object {
  const isDown = engine.state === 'dead';
  const wave = Math.sin(Date.now() / 9000);
  return {
    name: engine.name,
    url: 'http://10.0.0.7:8000',
    kind: 'aphrodite',
    model: 'meta-llama/Llama-3.1-8B-Instruct',
    simulated: engine.simulated,
    state: {
      name: engine.state,
      since: new Date(engine.sinceMs).toISOString(),
      forSeconds: (Date.now() - engine.sinceMs) / 1000,
      evidence: engine.evidence,
    },
    drained: isDown,
    figures: isDown
      ? null
      : { ...figures, running: Math.round(8 + 4 * wave), waiting: wave > 0.5 ? 2 : 0, kvUsageMax: 0.46 + 0.2 * wave },
    rates: isDown
      ? null
      : {
          generationTokensPerSecond: 812 + 160 * wave,
          promptTokensPerSecond: 2100 + 700 * wave,
          timeToFirstTokenSeconds: latencyOf(0.21 + 0.05 * wave),
          interTokenSeconds: latencyOf(0.028),
          queueSeconds: latencyOf(0.012),
        },
    restarts: engine.restarts,
    anomalies: engine.anomalies,
    firstTokens: { count: 3, predictedSeconds: 0.24, observedSeconds: 0.21 + 0.05 * wave },
    tickets: 3,
    stalenessSeconds: engine.stalenessSeconds,
  };
}

/** Ten minutes, with a restart in the middle. */
function history(): object {
  const now = Math.floor(Date.now() / 1000);
  const time = Array.from({ length: pastSeconds }, (_, i) => now - pastSeconds + i);
  const column = (mean: number, swing: number) =>
    time.map((at) => (Math.abs(at - now + 300) < 8 ? null : Math.max(0, mean + swing * Math.sin(at / 9))));
  return {
    time,
    running: column(8, 4).map((value) => (value === null ? null : Math.round(value))),
    waiting: column(-0.5, 2.4).map((value) => (value === null ? null : Math.round(value))),
    kvUsage: column(0.46, 0.2),
    promptTokensPerSecond: column(2100, 700),
    generationTokensPerSecond: column(812, 160),
    observedTtftSeconds: column(0.21, 0.05),
    predictedTtftSeconds: column(0.24, 0),
    timeToFirstTokenP50Seconds: column(0.21, 0.05),
    timeToFirstTokenP99Seconds: column(0.5, 0.12),
    interTokenSeconds: column(0.031, 0.003),
    queueSeconds: column(0.013, 0.01),
    restarts: [now - 300],
  };
}

async function login(request: IncomingMessage, response: ServerResponse, expected: string | undefined): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  if ((JSON.parse(text) as { token: string }).token === expected) {
    response.setHeader('set-cookie', 'dtesn_session=in; Path=/; HttpOnly; SameSite=Strict');
    json(response, 200, {});
    return;
  }
  const message = 'Expected a token of this bridge but received another one';
  json(response, 401, { error: { code: 'unauthorised', message } });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
