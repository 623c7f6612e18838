/**
 * Steps of sessions as messages and as frames.
 *
 * One session: the frame is its rows, `x-dtesn-from` the number of the first. Many sessions in one frame: the first
 * `x-dtesn-index` bytes of the body, a multiple of 8, are JSON, padded with spaces: `{"items": [{"id", "from", "rows", "epoch"?}]}`,
 * `rows` the number of rows; the rows of all items follow one after the other. The answer has the same form: each item of its
 * index is an answer with the number of its `rows` of outputs and their `cols`, or an `error`.
 *
 * Outputs have the dtype of their network, and f64 where a readout or a learner computes them; those of many sessions are f32
 * where all of them are.
 */
import { z } from 'zod';
import type { Floats } from '../../native/index.js';
import { type Answer, checked, chunksOf, type EndpointRequest, parseJson } from '../http/index.js';
import { BridgeError, isBridgeError, MAX_STEPS_ITEMS, stepsManySchema } from '../messages/index.js';
import { readFrame, writeFrame } from '../processing/index.js';
import type { RowMatrix, StepsAnswer, StepsItem, StepsOutcome, StepsRequest } from '../sessions/index.js';

const MOST_INDEX_BYTES = 1024 * 1024;
const item = stepsManySchema.shape.items.element.pick({ id: true, from: true, epoch: true });
const indexSchema = z.strictObject({
  items: z
    .array(item.extend({ rows: z.int().nonnegative() }))
    .min(1)
    .max(MAX_STEPS_ITEMS),
});

export function rowsOf({ rows, cols, data }: RowMatrix): number[][] {
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * cols, (row + 1) * cols)));
}

/** The steps of one session from a frame. */
export async function readSteps({ incoming, signal }: EndpointRequest): Promise<StepsRequest> {
  const frame = await readFrame(incoming.headers, chunksOf(incoming, signal));
  if (frame.from === null || frame.count !== null) {
    throw new BridgeError('malformed', 'Expected x-dtesn-from and the shape "steps,features"');
  }
  const epoch = incoming.headers['x-dtesn-epoch'];
  return {
    from: frame.from,
    rows: { rows: frame.steps, cols: frame.features, data: frame.values },
    ...(typeof epoch === 'string' && { epoch }),
  };
}

/** The steps of many sessions from one frame. */
export async function readStepsMany({ incoming, signal }: EndpointRequest): Promise<StepsItem[]> {
  const { headers } = incoming;
  const indexBytes = Number(headers['x-dtesn-index']);
  if (!(Number.isInteger(indexBytes) && indexBytes > 0 && indexBytes % 8 === 0 && indexBytes <= MOST_INDEX_BYTES)) {
    throw new BridgeError('malformed', `Expected a multiple of 8 up to ${MOST_INDEX_BYTES} for x-dtesn-index`);
  }
  const index = Buffer.alloc(indexBytes);
  const length = Number(headers['content-length']) - indexBytes;
  const frame = await readFrame(
    { ...headers, 'content-length': String(length) },
    behind(index, chunksOf(incoming, signal)),
  );
  const { items } = checked(indexSchema, parseJson(index), 'the index') as z.output<typeof indexSchema>;
  const total = items.reduce((sum, { rows }) => sum + rows, 0);
  if (frame.count !== null || total !== frame.steps) {
    throw new BridgeError('malformed', `Expected as many rows in the index as in x-dtesn-shape but they are ${total}`);
  }
  let at = 0;
  return items.map(({ rows, ...place }) => {
    const data = frame.values.subarray(at * frame.features, (at + rows) * frame.features) as Floats;
    at += rows;
    return { ...place, rows: { rows, cols: frame.features, data } };
  });
}

/** Fills the index with the first bytes of a body and gives the rest. */
async function* behind(index: Buffer, body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let filled = 0;
  for await (const chunk of body) {
    const taken = Math.min(chunk.length, index.length - filled);
    chunk.copy(index, filled, 0, taken);
    filled += taken;
    if (taken < chunk.length) yield chunk.subarray(taken);
  }
  if (filled < index.length) throw new BridgeError('malformed', 'The body ended before its index');
}

export function stepsMessage({ outputs, ...place }: StepsAnswer): object {
  return { ...place, outputs: rowsOf(outputs) };
}

export function stepsFrame(answer: StepsAnswer): Answer {
  const { rows, cols, data } = answer.outputs;
  const place = {
    'x-dtesn-id': answer.id,
    'x-dtesn-epoch': answer.epoch,
    'x-dtesn-offset': String(answer.offset),
    'x-dtesn-durable': String(answer.durable),
    'x-dtesn-from': String(answer.outputsFrom),
    ...(answer.durability && { 'x-dtesn-durability': answer.durability }),
  };
  if (rows === 0) return { bytes: new Uint8Array(0), headers: place };
  const { fields, body } = writeFrame(data, { steps: rows, features: cols });
  return { bytes: body, headers: { ...fields, ...place } };
}

export function outcomeMessage(outcome: StepsOutcome): object {
  return 'answer' in outcome ? stepsMessage(outcome.answer) : failure(outcome);
}

function failure({ id, error }: { id: string; error: unknown }): object {
  if (!isBridgeError(error)) return { id, error: { code: 'internal', message: 'The steps failed' } };
  return { id, error: { ...error.details, code: error.code, message: error.message } };
}

export function stepsManyFrame(outcomes: readonly StepsOutcome[]): Answer {
  const items = outcomes.map((outcome) => {
    if (!('answer' in outcome)) return failure(outcome);
    const { outputs, ...place } = outcome.answer;
    return { ...place, rows: outputs.rows, cols: outputs.cols };
  });
  const text = Buffer.from(JSON.stringify({ items }));
  const index = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const outputs = outcomes.flatMap((outcome) => ('answer' in outcome ? [outcome.answer.outputs.data] : []));
  const isNarrow = outputs.length > 0 && outputs.every((data) => data instanceof Float32Array);
  const same = isNarrow
    ? outputs
    : outputs.map((data) => (data instanceof Float32Array ? Float64Array.from(data) : data));
  const values = same.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  return {
    bytes: Buffer.concat([index, ...values]),
    headers: { 'x-dtesn-dtype': isNarrow ? 'f32' : 'f64', 'x-dtesn-index': String(index.length) },
  };
}
