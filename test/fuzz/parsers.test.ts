/**
 * Every parser of bytes that come from outside, on mutations of sound ones: each returns or throws an error that it documents,
 * within five seconds.
 *
 * FUZZ_SECONDS is the time of each parser, 1 by default; FUZZ_SEED begins the mutations, and a failure names its own.
 *
 * @module-tag slow
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { serverSentMessages } from '../../src/bridge/client/server-sent-events.js';
import { parseTargets } from '../../src/bridge/engines/discovery/engines-file.js';
import { definitionOf } from '../../src/bridge/engines/engine-definition.js';
import { orcaLoad } from '../../src/bridge/engines/orca.js';
import { parseHostPort } from '../../src/bridge/host-port.js';
import { traceparentOf } from '../../src/bridge/http/request-identity.js';
import { loadSnapshot } from '../../src/bridge/journal/recovery.js';
import { parseNpy, parseNpz, seriesOfNpy } from '../../src/datasets/index.js';
import { readGguf } from '../../src/engine/model-files/gguf.js';
import { type MetricFamilies, parsePrometheus, RepeatedReader } from '../../src/engine/prometheus/index.js';
import { RecursiveLeastSquares } from '../../src/readout/index.js';
import { parseTrace } from '../../src/simulator/trace.js';
import { CountingSessions, session } from '../bridge/journal/journal-fixture.js';
import { MemoryFiles } from '../bridge/journal/memory-files.js';
import { numpyFile } from '../datasets/numpy-files.js';
import { ggufBytes, llama } from '../engine/model-files/gguf-bytes.js';
import { metricsBody } from '../faults/engine-server.js';
import { mutations } from './mutations.js';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 1);
const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const repeated = new RepeatedReader();
const gguf = path.join(folder, 'model.gguf');
const azure =
  'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n';
const mooncake = '{"timestamp": 0, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1]}\n';
const learned = () => {
  const readout = new RecursiveLeastSquares({ states: 3, outputs: 1 });
  return readout.save();
};

/** A reader that knows the page before finds what a fresh one finds. */
async function readsAsFresh(bytes: Uint8Array): Promise<void> {
  const [known, fresh] = await Promise.allSettled([repeated.read(bytes), (async () => parsePrometheus(bytes))()]);
  expect(known.status).toBe(fresh.status);
  if (known.status === 'rejected') throw known.reason;
  const found = (families: MetricFamilies) => [...families.values()].map(({ name, samples }) => ({ name, samples }));
  if (fresh.status === 'fulfilled') expect(found(known.value)).toEqual(found(fresh.value));
}

/** A snapshot of two sessions, one with rows. */
async function snapshotBytes(): Promise<Uint8Array> {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files, { compactBytes: 1 });
  service.create(session('a'));
  service.create(session('b'));
  service.feed('a', 5);
  await journal.commit();
  while (journal.figures.compactions === 0) await new Promise((resolve) => setImmediate(resolve));
  await journal.close();
  const name = files.names().find((one) => one.includes('snapshot'))!;
  return files.get(name).slice();
}

interface Parser {
  name: string;
  seeds: (string | Uint8Array)[];
  parse: (bytes: Uint8Array) => unknown;
  /** The errors that its docstring names. */
  expected: (error: Error & { code?: unknown }) => boolean;
}

const coded = ({ code }: { code?: unknown }) => typeof code === 'string' && code.startsWith('ERR_DTESN_');
const never = () => false;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

const parsers: Parser[] = [
  { name: 'a page of metrics', seeds: [metricsBody], parse: parsePrometheus, expected: coded },
  { name: 'a page like the one before', seeds: [metricsBody], parse: readsAsFresh, expected: coded },
  {
    name: 'a GGUF file',
    seeds: [ggufBytes(llama), ggufBytes(llama, 2)],
    parse: (bytes) => {
      writeFileSync(gguf, bytes);
      return readGguf(gguf);
    },
    expected: coded,
  },
  {
    name: 'a file of NumPy',
    seeds: [numpyFile('float64'), numpyFile('int64'), numpyFile('archive'), numpyFile('compressed')],
    parse: (bytes) => (bytes[0] === 0x50 ? parseNpz(bytes) : seriesOfNpy(parseNpy(bytes))),
    expected: coded,
  },
  { name: 'a trace', seeds: [azure, mooncake], parse: (bytes) => parseTrace(text(bytes), 'trace'), expected: coded },
  {
    name: 'a saved readout',
    seeds: [learned()],
    parse: (bytes) => RecursiveLeastSquares.restore(bytes),
    expected: coded,
  },
  {
    name: 'a snapshot of the journal',
    seeds: [await snapshotBytes()],
    parse: (bytes) => loadSnapshot(bytes, Date.now),
    expected: coded,
  },
  {
    name: 'a file of engines',
    seeds: [
      '[{"targets":["127.0.0.1:8000","unix:/run/a.sock"],"labels":{"name":"a","__scheme__":"https","kind":"vllm"}}]',
    ],
    parse: (bytes) => parseTargets(text(bytes)).map(({ url }) => definitionOf(url)),
    expected: (error) => coded(error) || ['SyntaxError', 'RangeError', 'ZodError', 'TypeError'].includes(error.name),
  },
  {
    name: 'the load of an answer',
    seeds: [
      'TEXT named_metrics.kv_cache_usage_perc=0.4, num_requests_waiting=3',
      'JSON {"named_metrics":{"num_requests_running":1}}',
    ],
    parse: (bytes) => orcaLoad(text(bytes)),
    expected: never,
  },
  {
    name: 'a host and port',
    seeds: ['127.0.0.1:80', '[::1]:65535'],
    parse: (bytes) => parseHostPort(text(bytes)),
    expected: never,
  },
  {
    name: 'a traceparent',
    seeds: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    parse: (bytes) => traceparentOf({ traceparent: text(bytes) }),
    expected: never,
  },
  {
    name: 'a stream of events',
    seeds: ['id: 1-2\nevent: state\nretry: 1000\ndata: {"a":1}\ndata: 2\r\n\r\n: still here\n\n'],
    parse: async (bytes) => {
      const messages = [];
      for await (const message of serverSentMessages(chunksOf(bytes))) messages.push(message);
      return messages;
    },
    expected: never,
  },
];

async function* chunksOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

test.each(parsers)('$name, mutated, is read or refused', { timeout: 60_000 + 2000 * seconds }, async (parser) => {
  const sound = parser.seeds.map((one) => (typeof one === 'string' ? Buffer.from(one) : one));
  const end = performance.now() + 1000 * seconds;
  let count = 0;
  for (const { bytes, number } of mutations(sound, seed)) {
    const start = performance.now();
    const outcome = await attempt(parser, bytes);
    const spent = performance.now() - start;
    const about = `mutation ${number} of seed ${seed}: ${Buffer.from(bytes).toString('base64').slice(0, 2000)}`;
    if (outcome instanceof Error && !parser.expected(outcome)) throw new Error(about, { cause: outcome });
    expect(spent, about).toBeLessThan(5000);
    count++;
    if (performance.now() > end) break;
  }
  expect(count).toBeGreaterThan(10);
});

async function attempt({ parse }: Parser, bytes: Uint8Array): Promise<unknown> {
  try {
    return await parse(bytes);
  } catch (error) {
    return error;
  }
}
