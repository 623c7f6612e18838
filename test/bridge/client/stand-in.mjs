/**
 * A stand-in for the running bridge, as far as its clients see it: sessions that add up their rows and survive kill -9 as of the
 * last commit, tickets, an engine, events, and a stream. It is a process of its own, so that it can be killed.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';

const args = process.argv.slice(2);
const flag = (name) => args[args.indexOf(name) + 1];
const flags = (name) => args.flatMap((arg, i) => (arg === name ? [args[i + 1]] : []));
const commitMs = 100;
const stateFile = args.includes('--state-dir') ? `${flag('--state-dir')}/state.json` : null;
const token = args.includes('--use-token-file') ? readFileSync(flag('--use-token-file'), 'utf8').trim() : null;
const boot = randomBytes(4).toString('hex');

const sessions = new Map();
if (stateFile && existsSync(stateFile)) {
  for (const session of JSON.parse(readFileSync(stateFile, 'utf8'))) {
    sessions.set(session.id, { ...session, offset: session.durable });
  }
}
function commit() {
  if (stateFile === null) return;
  for (const session of sessions.values()) session.durable = session.offset;
  writeFileSync(`${stateFile}.new`, JSON.stringify([...sessions.values()]));
  renameSync(`${stateFile}.new`, stateFile);
}
setInterval(commit, commitMs);

class Failure extends Error {
  constructor(status, code, message, details = {}) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

const placeOf = ({ id, epoch, offset, durable }) => ({
  ...{ id, epoch, offset, durable },
  ...(stateFile === null && { durability: 'none' }),
});

function sessionOf(id) {
  const session = sessions.get(id);
  if (!session) throw new Failure(404, 'session_unknown', `There is no session ${id}`);
  return session;
}

function steps(id, { from, rows, epoch }, durable) {
  const session = sessionOf(id);
  if (epoch !== undefined && epoch !== session.epoch) throw new Failure(409, 'session_epoch', 'another epoch');
  if (from > session.offset) {
    const details = { next: session.offset, durable: session.durable };
    throw new Failure(409, 'offset_gap', `Expected row ${session.offset}`, details);
  }
  if (rows.some((row) => row.length !== 1)) throw new Failure(422, 'impossible', 'Expected rows of 1 number');
  for (const row of rows.slice(session.offset - from)) {
    const last = session.outputs.at(-1) ?? 0;
    session.outputs.push(last + row[0]);
    session.offset += 1;
  }
  session.outputs.length = session.offset;
  if (durable) commit();
  const outputs = session.outputs.slice(from, from + rows.length).map((value) => [value]);
  return { ...placeOf(session), outputsFrom: from, outputs };
}

const tickets = new Set();
const listeners = new Set();
let sequence = 0;
const past = [];
function announce(event, data) {
  sequence += 1;
  const text = `id: ${boot}-${sequence}\nevent: ${event}\ndata: ${JSON.stringify({ at: 'now', ...data })}\n\n`;
  past.push({ sequence, text });
  for (const listener of listeners) listener.write(text);
}

function events(request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('retry: 100\n\n: hello\n\n');
  const last = request.headers['last-event-id'];
  if (last !== undefined) {
    const [itsBoot, itsSequence] = last.split('-');
    const isOurs = itsBoot === boot;
    if (!isOurs) response.write('event: missed\ndata: {"reason":"restart"}\n\n');
    for (const { sequence, text } of past) if (!isOurs || sequence > Number(itsSequence)) response.write(text);
  }
  listeners.add(response);
  response.on('close', () => listeners.delete(response));
}

const result = (input) => ({ ok: true, input: { steps: (input.text ?? input.tokens ?? input.series).length } });

async function stream(message, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const { text, chunk = 4096 } = message;
  for (let i = 0; i * chunk < text.length; i++) {
    const data = { index: i, offset: i * chunk, steps: Math.min(chunk, text.length - i * chunk) };
    const more = response.write(`event: chunk\ndata: ${JSON.stringify(data)}\n\n`);
    if (!more) await new Promise((drained) => response.once('drain', drained));
  }
  response.end(`event: summary\ndata: ${JSON.stringify({ steps: text.length })}\n\n`);
}

const engine = { name: 'a', url: 'http://127.0.0.1:1', kind: null };
const state = { name: 'ready', since: '2026-01-01T00:00:00.000Z', forSeconds: 1, evidence: [] };

async function answer(request, response) {
  if (token && request.headers.authorization !== `Bearer ${token}`) throw new Failure(401, 'unauthorised', 'no token');
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const isFrame = request.headers['content-type'] === 'application/octet-stream';
  const body = isFrame ? { text } : text === '' ? {} : JSON.parse(text);
  const route = `${request.method} ${pathname}`;
  const [, id, rest] = /^\/v1\/sessions\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
  if (route === 'GET /v1/events') return events(request, response);
  if (route === 'POST /v1/process/stream') return stream(body, response);
  if (route === 'GET /v1/engines') return { items: [{ ...engine, state }] };
  if (route === 'GET /v1/context') return { engine_available: true };
  if (route === 'POST /v1/pick') return { engine: 'a', url: engine.url, reason: 'the only one' };
  if (route === 'POST /v1/dispatch') {
    tickets.add(body.ticket);
    announce('state', { engine: body.engine });
    return { ticket: body.ticket };
  }
  if (route === 'POST /v1/first-token') return { known: tickets.has(body.ticket) };
  if (route === 'POST /v1/finish') return { known: tickets.delete(body.ticket) };
  if (route === 'POST /v1/process') {
    if (isFrame) return { ok: true, input: { steps: Number(request.headers['x-dtesn-shape'].split(',')[0]) } };
    if (body.text === '') throw new Failure(422, 'impossible', 'Expected a text that is not empty');
    return result(body);
  }
  if (route === 'POST /v1/process/batch') {
    const failed = { ok: false, error: { code: 'impossible', message: 'Expected a text that is not empty' } };
    return { items: body.inputs.map((input) => (input.text === '' ? failed : { ok: true, result: result(input) })) };
  }
  if (route === 'POST /v1/sessions') {
    const there = sessions.get(body.id);
    if (there) return placeOf(there);
    const session = { id: body.id, epoch: randomBytes(4).toString('hex'), offset: 0, durable: 0, outputs: [] };
    sessions.set(body.id, session);
    commit();
    response.statusCode = 201;
    return placeOf(session);
  }
  if (id && rest === '/steps') return steps(id, body, searchParams.get('ack') === 'durable');
  if (id && rest === '/readout')
    return { ...placeOf(sessionOf(id)), weights: [], bias: [], learned: 0, error: null, persistence: null };
  if (id && request.method === 'GET') return placeOf(sessionOf(id));
  if (id && request.method === 'DELETE') {
    sessionOf(id);
    sessions.delete(id);
    commit();
    return {};
  }
  throw new Failure(404, 'not_found', `There is no ${pathname}`);
}

function serve(request, response) {
  response.setHeader('x-request-id', randomBytes(4).toString('hex'));
  answer(request, response).then(
    (json) => json && response.setHeader('content-type', 'application/json').end(JSON.stringify(json)),
    (error) => {
      response.statusCode = error.status ?? 500;
      response.end(
        JSON.stringify({ error: { ...error.details, code: error.code ?? 'internal', message: error.message } }),
      );
    },
  );
}

for (const where of flags('--listen')) {
  const server = http.createServer(serve);
  const done = () => {
    const address = server.address();
    const name = typeof address === 'string' ? `unix:${address}` : `http://127.0.0.1:${address.port}`;
    process.stdout.write(`dtesn bridge listening on ${name}\n`);
  };
  if (where.startsWith('unix:')) server.listen(where.slice(5), done);
  else server.listen(Number(where.split(':').at(-1)), '127.0.0.1', done);
}
