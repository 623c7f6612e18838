/**
 * The simulated engine's HTTP face on 127.0.0.1: the routes of an Aphrodite server that the sources ask, with its
 * error bodies.
 *
 *     GET  /v1/models  /version  /health  /metrics  /load
 *     POST /tokenize  /v1/tokenize  /detokenize  /v1/detokenize
 *
 * Anything else: 404 {"detail":"Not Found"}, or 405 {"detail":"Method Not Allowed"} on a known path. Wrong bodies: 400
 * {"error":{message,type,param,code}}; an unknown model: 404 in the same form. /load counts running and waiting requests, as
 * an engine does that was told to track its load. The server does not keep the process alive.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { decodeBytes, encodeBytes, tokenText, VOCABULARY } from './byte-tokenizer.js';

/** What the routes answer from; the numbers are those of the moment. */
export interface SimulatedEngineFace {
  readonly modelId: string;
  readonly maxModelLen: number;
  readonly version: string;
  /** Requests running and waiting. */
  load(): number;
  metrics(): string;
}

export interface ListeningServer {
  url: string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  body: unknown;
  contentType?: string;
}

type Route = (face: SimulatedEngineFace, body: unknown) => Answer;

/** As uvicorn in front of the real engine: idle sockets go after 5 s. */
const KEEP_ALIVE_MS = 5000;
const MAX_BODY_BYTES = 1 << 20;
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const routes: Record<string, { method: 'GET' | 'POST'; answer: Route }> = {
  '/v1/models': { method: 'GET', answer: models },
  '/version': { method: 'GET', answer: (face) => ({ status: 200, body: { version: face.version } }) },
  '/health': { method: 'GET', answer: () => ({ status: 200, body: null }) },
  '/metrics': {
    method: 'GET',
    answer: (face) => ({ status: 200, body: face.metrics(), contentType: METRICS_TYPE }),
  },
  '/load': { method: 'GET', answer: (face) => ({ status: 200, body: { server_load: face.load() } }) },
  '/tokenize': { method: 'POST', answer: tokenize },
  '/v1/tokenize': { method: 'POST', answer: tokenize },
  '/detokenize': { method: 'POST', answer: detokenize },
  '/v1/detokenize': { method: 'POST', answer: detokenize },
};

export function listen(face: SimulatedEngineFace, port: number): Promise<ListeningServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    answer(face, request).then(
      (reply) => send(response, reply),
      () => response.destroy(), // the client went away in mid-body: there is nobody to tell
    );
  });
  server.unref();
  server.on('connection', (socket) => socket.unref());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const { port: bound } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${bound}`, close: () => close(server) });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(face: SimulatedEngineFace, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0]!;
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return { status: 404, body: { detail: 'Not Found' } };
  if (request.method !== route.method) return { status: 405, body: { detail: 'Method Not Allowed' } };
  if (route.method === 'GET') return route.answer(face, null);
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
    return failure(400, 'Bad Request', "Unsupported Media Type: Only 'application/json' is allowed");
  }
  const text = await readBody(request);
  if (text === null) return failure(413, 'Request Entity Too Large', `The body is longer than ${MAX_BODY_BYTES} bytes`);
  try {
    return route.answer(face, JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return failure(400, 'BadRequestError', `The body is not JSON: ${error.message}`);
    throw error;
  }
}

/** The whole body, or null when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, body, contentType = 'application/json' }: Answer): void {
  if (body === null) {
    response.writeHead(status, { 'content-length': 0 }).end();
    return;
  }
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length }).end(bytes);
}

function failure(status: number, type: string, message: string): Answer {
  return { status, body: { error: { message, type, param: null, code: status } } };
}

function models(face: SimulatedEngineFace): Answer {
  const created = Math.floor(Date.now() / 1000);
  const card = {
    id: face.modelId,
    object: 'model',
    created,
    owned_by: 'aphrodite',
    root: face.modelId,
    parent: null,
    max_model_len: face.maxModelLen,
    permission: [],
  };
  return { status: 200, body: { object: 'list', data: [card] } };
}

const tokenizeBody = z.object({
  model: z.string().nullish(),
  prompt: z.string(),
  add_special_tokens: z.boolean().default(true),
  return_token_strs: z.boolean().nullish(),
});

function tokenize(face: SimulatedEngineFace, body: unknown): Answer {
  const parsed = tokenizeBody.safeParse(body);
  if (!parsed.success) return failure(400, 'BadRequestError', z.prettifyError(parsed.error));
  const { model, prompt, add_special_tokens, return_token_strs } = parsed.data;
  if (model && model !== face.modelId) return unknownModel(model);
  const tokens = encodeBytes(prompt, add_special_tokens);
  const token_strs = return_token_strs ? tokens.map(tokenText) : null;
  return { status: 200, body: { count: tokens.length, max_model_len: face.maxModelLen, tokens, token_strs } };
}

const detokenizeBody = z.object({
  model: z.string().nullish(),
  tokens: z.array(z.int().min(0).lt(VOCABULARY, `Token ids of this model are below ${VOCABULARY}`)),
});

function detokenize(face: SimulatedEngineFace, body: unknown): Answer {
  const parsed = detokenizeBody.safeParse(body);
  if (!parsed.success) return failure(400, 'BadRequestError', z.prettifyError(parsed.error));
  const { model, tokens } = parsed.data;
  if (model && model !== face.modelId) return unknownModel(model);
  return { status: 200, body: { prompt: decodeBytes(tokens) } };
}

function unknownModel(model: string): Answer {
  return failure(404, 'NotFoundError', `The model \`${model}\` does not exist.`);
}
