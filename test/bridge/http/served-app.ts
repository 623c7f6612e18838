/** An application of given endpoints on a free port of the loopback interface, and raw requests to it. */
import net from 'node:net';
import {
  BodyBudget,
  Connections,
  type Endpoint,
  Listener,
  makeApp,
  type Served,
  Tokens,
} from '../../../src/bridge/http/index.js';

export interface ServedApp extends AsyncDisposable {
  url: string;
  port: number;
  served: Served[];
  tokens: Tokens;
  draining: boolean;
  /** Sends bytes as they are and returns what came until the connection ended or `quietMs` passed without more. */
  raw(text: string | Buffer, quietMs?: number): Promise<string>;
}

export interface ServedAppOptions {
  endpoints: Endpoint[];
  allowedHosts?: string[];
  tokenFiles?: ConstructorParameters<typeof Tokens>[0]['files'];
  graceMs?: number;
  bodyBytes?: number;
}

export async function servedApp(options: ServedAppOptions): Promise<ServedApp> {
  const served: Served[] = [];
  const tokens = new Tokens({ files: options.tokenFiles ?? {}, graceMs: options.graceMs });
  const app = makeApp({
    endpoints: options.endpoints,
    trustedProxies: [],
    guard: { allowedHosts: options.allowedHosts ?? [] },
    tokens,
    bodies: new BodyBudget(options.bodyBytes ?? 64 * 2 ** 20),
    login: () => undefined,
    draining: () => self.draining,
    served: (request) => served.push(request),
  });
  const listener = await Listener.open({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    listener: app.listener,
    connections: new Connections(1000),
  });
  const { port } = listener.address as { port: number };
  const self: ServedApp = {
    url: listener.url,
    port,
    served,
    tokens,
    draining: false,
    raw: (text, quietMs = 400) => exchange(port, text, quietMs),
    async [Symbol.asyncDispose]() {
      tokens.close();
      await listener.close();
    },
  };
  return self;
}

function exchange(port: number, text: string | Buffer, quietMs: number): Promise<string> {
  return new Promise((resolve) => {
    let came = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    let timer = setTimeout(() => socket.destroy(), quietMs);
    socket.on('data', (chunk) => {
      came += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), quietMs);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(came);
    });
  });
}
