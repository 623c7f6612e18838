/**
 * A soak of the bridge: the running command is asked by all kinds of clients for minutes, good ones and bad ones.
 *
 *     npm run soak:bridge [-- --minutes 30]
 *
 * Every tick: inputs, batches, sessions that are created, fed and ended, picks with tickets, a page of metrics, the context, clients
 * of the events that come and go, requests that are cut off, wrong and shed. Sixty times the memory of the process and its
 * descriptors are noted. It fails when the least of the last third lies above the least of the first third (after a warm-up of
 * a fifth) by more than ROOM, when an answer was 500, and when there is no sample or no answer was 200.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const TICK_MS = 100;
const ROOM = { rssMb: 20, descriptors: 6 };
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '3' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`Expected a number above 0 for --minutes but received ${values.minutes}`);
  process.exit(2);
}

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-soak-'));
const { child, url } = await startBridge();
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
const counts = {};
const end = performance.now() + minutes * 60_000;
const sampleMs = Math.max(1000, (minutes * 60_000) / 60);
const samples = [];
let nextSample = performance.now() + sampleMs;
for (let tick = 0; performance.now() < end; tick++) {
  await Promise.all([processInputs(tick), session(tick), ticket(tick), look(tick), events(), spoil(tick)]);
  if (performance.now() >= nextSample) {
    samples.push(sample());
    nextSample += sampleMs;
  }
  await pause(TICK_MS);
}
agent.destroy();
child.kill('SIGTERM');
const code = await new Promise((resolve) => child.once('exit', resolve));
rmSync(folder, { recursive: true });
report();

async function startBridge() {
  const command = path.join(import.meta.dirname, '../dist/cli/main.js');
  const args = ['bridge', '--listen', '127.0.0.1:0', '--probe-listen', '127.0.0.1:0', '--log-level', 'error'];
  const bridge = spawn(process.execPath, [command, ...args, '--state-dir', path.join(folder, 'state')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DTESN_UNITS: '256' },
  });
  let out = '';
  for await (const chunk of bridge.stdout) {
    out += chunk;
    const found = /listening on (\S+)/.exec(out)?.[1];
    if (found) return { child: bridge, url: found };
  }
  throw new Error('the bridge did not start');
}

/** Sends a request and counts its status; the JSON of the answer, or null. */
function ask(method, where, body, { cut = false, headers = {} } = {}) {
  return new Promise((resolve) => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
    const all = { 'content-type': 'application/json', ...length, ...headers };
    const request = http.request(new URL(where, url), { method, agent, headers: all }, (answer) => {
      counts[answer.statusCode] = (counts[answer.statusCode] ?? 0) + 1;
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', () => resolve(null));
      answer.on('end', () => resolve(parsed(Buffer.concat(chunks))));
    });
    request.on('error', () => resolve(null));
    if (cut) request.write(text.slice(0, 5));
    else request.end(text);
    if (cut) setTimeout(() => request.destroy(), 5);
  });
}

function parsed(bytes) {
  try {
    return JSON.parse(bytes);
  } catch {
    return null;
  }
}

async function processInputs(tick) {
  const text = `text ${tick} ${'word '.repeat(tick % 50)}`;
  await ask('POST', '/v1/process', { text });
  if (tick % 10 === 0) await ask('POST', '/v1/process/batch', { inputs: [{ text }, { tokens: [1, 2, tick] }] });
  if (tick % 20 === 0) await ask('POST', '/v1/process/stream', { text: text.repeat(20), chunk: 100 });
}

async function session(tick) {
  const learns = tick % 3 === 0;
  const place = await ask('POST', '/v1/sessions', learns ? { targets: { outputs: 1 } } : {});
  if (place === null) return;
  const rows = Array.from({ length: 20 }, (_, row) => Array.from({ length: 16 }, (_, i) => Math.sin(row + i + tick)));
  const targets = learns ? { targets: rows.map(([first]) => [first]) } : {};
  await ask('POST', `/v1/sessions/${place.id}/steps?ack=durable`, { from: 0, rows, ...targets });
  if (learns) await ask('GET', `/v1/sessions/${place.id}/readout`);
  await ask('DELETE', `/v1/sessions/${place.id}`);
}

async function ticket(tick) {
  const picked = await ask('POST', '/v1/pick', { session: `user-${tick % 100}` });
  if (!picked?.engine) return;
  const opened = await ask('POST', '/v1/dispatch', { engine: picked.engine, promptTokens: 10 });
  await ask('POST', '/v1/first-token', { ticket: opened.ticket });
  await ask('POST', '/v1/finish', { ticket: opened.ticket, outcome: 'ok', generatedTokens: 5 });
}

async function look(tick) {
  await ask('GET', '/metrics');
  await ask('GET', ['/v1/context', '/v1/engines', '/v1/status', '/v1/sessions'][tick % 4]);
}

/** Listens to the events for a moment and leaves. */
function events() {
  return new Promise((resolve) => {
    const request = http.get(new URL('/v1/events', url), { headers: { 'last-event-id': 'other-1' } }, (answer) => {
      answer.on('error', () => {});
      answer.resume();
    });
    request.on('error', resolve);
    request.on('close', resolve);
    setTimeout(() => request.destroy(), 50);
  });
}

async function spoil(tick) {
  await ask('POST', '/v1/process', '{"text": ', {});
  await ask('POST', '/v1/process', { text: 'cut off in the middle' }, { cut: true });
  await ask('GET', `/v1/absent/${tick}`, undefined, { headers: { authorization: `Bearer ${'x'.repeat(40)}${tick}` } });
}

function sample() {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
  return { rssMb, descriptors: readdirSync(`/proc/${child.pid}/fd`).length };
}

function report() {
  const warm = samples.slice(Math.floor(samples.length / 5));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const rows = Object.keys(ROOM).map((name) => {
    const [first, last] = [warm.slice(0, third), warm.slice(-third)].map((part) =>
      Math.min(...part.map((one) => one[name])),
    );
    return {
      name,
      first: Math.round(first),
      last: Math.round(last),
      growth: Math.round(last - first),
      allowed: ROOM[name],
    };
  });
  console.log(`${minutes} minutes, ${samples.length} samples, answers by status:`, counts);
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  const failed = rows.filter(({ growth, allowed }) => growth > allowed).map(({ name }) => `${name} grew`);
  if (samples.length === 0) failed.push('no sample was taken');
  if (!(counts[200] > 0)) failed.push('no answer was 200');
  if (counts[500] > 0) failed.push(`${counts[500]} answers were 500`);
  if (code !== 0) failed.push(`the bridge ended with ${code}`);
  for (const reason of failed) console.error(reason);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
