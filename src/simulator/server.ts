/**
 * The simulated server on its port: what stands before every route, in the order of an Aphrodite server.
 *
 *     elastic scaling  503 {"error":"The model is currently scaling. Please try again later."}    every path
 *     5xx fault        its status, {"error":{...}}                                               every path
 *     API key          401 {"error":"Unauthorized"}     paths that begin with /v1, but not for OPTIONS
 *     route            404 {"detail":"Not Found"}, or 405 {"detail":"Method Not Allowed"} on a known path
 *     body             400 unless application/json and valid, 413 beyond 1 MiB
 *
 * Idle sockets go after 5 s, as uvicorn has it. The server does not keep the process alive. It can be shut and opened
 * again on the same port; shutting resets every connection.
 * Errors: DtesnError ERR_DTESN_SIMULATOR_PORT when the port cannot be bound.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DtesnError } from '../errors/index.js';
import { badRequest, failure, type Reply, sendReply } from './reply.js';
import { type Route, routes } from './routes.js';
import type { ServerFace } from './server-face.js';

const KEEP_ALIVE_MS = 5000;
const MAX_BODY_BYTES = 1 << 20;
const SCALING: Reply = {
  status: 503,
  body: { error: 'The model is currently scaling. Please try again later.' },
};

export class SimulatorServer {
  private server: Server | null = null;
  private wanted = false;

  constructor(
    private readonly face: ServerFace,
    private readonly host: string,
    /** 0 takes a free one, and keeps it. */
    private port: number,
  ) {}

  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }

  /** True from `open` to `shut`. */
  get listening(): boolean {
    return this.wanted;
  }

  async open(): Promise<void> {
    this.wanted = true;
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      this.answer(request, response).catch(() => response.destroy()); // the client went away in mid-body
    });
    server.unref();
    server.on('connection', (socket) => socket.unref());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.host, resolve);
    }).catch((cause: unknown) => {
      const sentence = `Expected a free port for the simulated engine but ${this.host}:${this.port} could not be bound`;
      throw new DtesnError('ERR_DTESN_SIMULATOR_PORT', sentence, { cause });
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
    if (!this.wanted) this.shut();
  }

  /** From now on connections are refused; those that are there are reset. */
  shut(): void {
    this.wanted = false;
    this.server?.close();
    this.server?.closeAllConnections();
    this.server = null;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.face.moveOn();
    const reply = this.guard(request) ?? (await this.route(request, response));
    if (reply !== null) sendReply(response, reply);
  }

  private guard({ url = '/', method, headers }: IncomingMessage): Reply | null {
    const { condition, apiKey } = this.face;
    if (condition.scaling) return SCALING;
    const { status } = condition;
    if (status !== null) {
      return failure(status, 'InternalServerError', STATUS_CODES[status] ?? 'Internal Server Error');
    }
    if (apiKey === null || method === 'OPTIONS' || !url.startsWith('/v1')) return null;
    const [scheme = '', key = ''] = (headers.authorization ?? '').split(' ', 2);
    const right =
      scheme.toLowerCase() === 'bearer' &&
      process.getBuiltinModule('node:crypto').timingSafeEqual(sha256(key), sha256(apiKey));
    return right ? null : { status: 401, body: { error: 'Unauthorized' } };
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<Reply | null> {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const route = this.find(path, request.method ?? 'GET');
    if ('status' in route) return route;
    const body = route.json ? await readJson(request) : { value: null };
    if ('refusal' in body) return body.refusal;
    this.face.moveOn();
    return route.answer(this.face, { body: body.value, query: new URLSearchParams(query), response });
  }

  private find(path: string, method: string): Route | Reply {
    const methods = Object.hasOwn(routes, path) ? routes[path]! : {};
    const offered = Object.entries(methods).filter(([, { dev }]) => !dev || this.face.devMode);
    if (offered.length === 0) return { status: 404, body: { detail: 'Not Found' } };
    const found = offered.find(([name]) => name === method);
    return found?.[1] ?? { status: 405, body: { detail: 'Method Not Allowed' } };
  }
}

function sha256(text: string): Buffer {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest();
}

/** The JSON that came, or the reply that refuses it. */
async function readJson(request: IncomingMessage): Promise<{ value: unknown } | { refusal: Reply }> {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
    const message = "Unsupported Media Type: Only 'application/json' is allowed";
    return { refusal: failure(400, 'Bad Request', message) };
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) {
    const message = `The body is longer than ${MAX_BODY_BYTES} bytes`;
    return { refusal: failure(413, 'Request Entity Too Large', message) };
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch (error) {
    return { refusal: badRequest(`The body is not JSON: ${(error as Error).message}`) };
  }
}
