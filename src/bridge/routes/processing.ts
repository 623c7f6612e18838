/** POST /v1/process, /v1/process/batch and /v1/process/stream. */
import type { IncomingMessage } from 'node:http';
import { type DtesnResultJson, dtesnResultSchema } from '../../processor/index.js';
import { chunksOf, dropRest, type Endpoint, type EndpointRequest, EventStream, endpoint } from '../http/index.js';
import {
  BridgeError,
  batchAnswerSchema,
  batchSchema,
  inputSchema,
  priorityQuery,
  streamSchema,
} from '../messages/index.js';
import {
  type BatchEntry,
  type BatchRunner,
  type ChunkOutcome,
  type RequestOptions,
  readFrame,
  type StreamSummary,
  seriesOfFrame,
} from '../processing/index.js';
import { bytesWithFeatures } from './features-text.js';
import { objectivePriority } from './objectives.js';
import { chunksOfMessage, chunksOfStream, modelInput } from './stream-chunks.js';

const text = {
  retry: 'at any time: nothing of a request is kept',
  idempotent: true,
  failure: 'open',
} as const;

/** `finished` is called with each result. */
export function processingEndpoints(runner: BatchRunner, finished: (result: DtesnResultJson) => void): Endpoint[] {
  return [
    endpoint({
      ...text,
      method: 'POST',
      path: '/v1/process',
      scope: 'use',
      summary: 'One input, the whole way: sources, plan, Deep Tree ESN, features.',
      query: priorityQuery,
      body: inputSchema,
      frames: true,
      answers: { 200: dtesnResultSchema },
      handle: async (request) => {
        const input = request.framed ? await framedInput(request) : modelInput(request.body);
        const result = await runner.process(input, admission(request));
        finished(result);
        return { text: bytesWithFeatures(result), type: 'application/json' };
      },
    }),
    endpoint({
      ...text,
      method: 'POST',
      path: '/v1/process/batch',
      scope: 'use',
      summary: 'Many inputs: an entry each in their order; one that fails is one entry.',
      query: priorityQuery,
      body: batchSchema,
      frames: true,
      answers: { 200: batchAnswerSchema },
      handle: async (request) => {
        const inputs = request.framed ? await framedInputs(request) : request.body.inputs.map(modelInput);
        const items = await runner.processBatch(inputs, admission(request));
        for (const item of items) if (item.ok) finished(item.result);
        return { text: listBytes(items), type: 'application/json' };
      },
    }),
    endpoint({
      ...text,
      method: 'POST',
      path: '/v1/process/stream',
      scope: 'use',
      summary: 'A long text or series in chunks, the state carried from one to the next: an event each.',
      query: priorityQuery,
      body: streamSchema,
      frames: true,
      streamed: true,
      answers: { 200: 'text/event-stream' },
      handle: async (request) => {
        const chunks = request.framed ? chunksOfStream(request) : chunksOfMessage(request.body);
        const outcomes = runner.processStream(chunks, admission(request));
        // What is wrong with the first chunk is still an answer with its status.
        const first = await outcomes.next();
        // What is left of a body after an error is not read: the connection ends with the answer.
        const stream = new EventStream(request.outgoing, request.framed ? { connection: 'close' } : {});
        try {
          for (let next = first; !next.done; next = await outcomes.next()) {
            await send(stream, next.value);
          }
          stream.end();
        } catch (error) {
          const { code, message } = error as BridgeError;
          const failure = { code: code ?? 'internal', message: code ? message : 'The stream failed' };
          stream.end(eventBytes('error', JSON.stringify(failure)));
        } finally {
          await outcomes.return();
          if (!request.incoming.complete) dropRest(request.incoming, request.outgoing);
        }
        return 'sent' as const;
      },
    }),
  ];
}

/** How a request is admitted: priority by the query, else by `x-llm-d-inference-objective`. */
export function admission(
  request: EndpointRequest<{ priority?: 'high' | 'normal' | 'low' | undefined }>,
): RequestOptions {
  const { headers } = request.incoming;
  const objective = objectivePriority(headers);
  return {
    priority: request.query.priority ?? objective,
    client: request.caller.id,
    bytes: bytesOf(request.incoming),
    budgetMs: request.budgetMs,
    signal: request.signal,
    traceparent: request.traceparent,
  };
}

/** Bytes of a body that says its length; without it the queue estimates them from the input. */
function bytesOf({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

async function framedInputs({ incoming, signal }: EndpointRequest) {
  return seriesOfFrame(await readFrame(incoming.headers, chunksOf(incoming, signal)));
}

async function framedInput(request: EndpointRequest) {
  const [series, ...more] = await framedInputs(request);
  if (series === undefined || more.length > 0) {
    throw new BridgeError('impossible', 'Expected one series in the frame: POST /v1/process/batch takes several');
  }
  return series;
}

/** The answer of a list: an item for each entry. */
function listBytes(entries: readonly BatchEntry[]): Buffer {
  const parts = entries.flatMap((entry, i) => [
    i === 0 ? '' : ',',
    ...(entry.ok ? ['{"ok":true,"result":', bytesWithFeatures(entry.result), '}'] : [JSON.stringify(entry)]),
  ]);
  return joined('{"items":[', ...parts, ']}');
}

function eventBytes(type: string, json: string | Buffer): Buffer {
  return joined(`event: ${type}\ndata: `, json, '\n\n');
}

function joined(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

/** Sends an event, and waits until the client takes more; one that reads nothing is closed (EventStream). */
async function send(stream: EventStream, outcome: ChunkOutcome | StreamSummary): Promise<void> {
  stream.write(eventBytes(outcome.type, bytesWithFeatures(outcome)));
  await stream.drained();
  if (stream.closed) throw new BridgeError('malformed', 'The client left');
}
