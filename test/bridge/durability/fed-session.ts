/**
 * A session as a careful client feeds it: rows that follow from their number alone, sent again from the offset after a restart.
 *
 * It keeps each row's outputs. A row that was lost, or applied twice, changes the outputs of all rows after it: those that
 * come twice are compared here, all of them with an undisturbed run by `sameOutputs`.
 */
import { expect } from 'vitest';

export class BridgeDown extends Error {}

export interface SessionKind {
  id: string;
  /** Learns 2 targets, which two of three blocks of rows have. */
  learns: boolean;
  /** Sends and receives frames where no targets go with the rows. */
  framed: boolean;
}

interface Place {
  epoch: string;
  offset: number;
  durable: number;
  durability?: string;
  inputs: number;
}

const BLOCK = 50;

/** Rejects with BridgeDown where no answer came. */
export async function call(url: string, path: string, method = 'GET', body?: object) {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    text = await response.text();
  } catch (error) {
    throw new BridgeDown(`${method} ${path}: ${String((error as Error).cause ?? error)}`);
  }
  return { status: response.status, json: JSON.parse(text) };
}

export class FedSession {
  readonly kind: SessionKind;
  readonly outputs: Float64Array[] = [];
  epoch = '';
  inputs = 16;
  /** Rows below were answered. */
  offset = 0;
  /** Rows below may have been applied. */
  sent = 0;
  /** The largest `durable` answered. */
  durable = 0;
  durability: string | undefined;
  refused = 0;
  readonly #seed: number;

  constructor(kind: SessionKind) {
    this.kind = kind;
    this.#seed = [...kind.id].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
  }

  async create(url: string): Promise<void> {
    const { id, learns } = this.kind;
    const settings = learns ? { targets: { outputs: 2, forgetting: 0.999 } } : { outputs: [0, 1, 17] };
    const { status, json } = await call(url, '/v1/sessions', 'POST', { id, ...settings });
    expect(status, JSON.stringify(json)).toBe(201);
    this.#take(json);
  }

  /** After a restart: where the session stands, checked. */
  async resume(url: string): Promise<void> {
    const { id } = this.kind;
    const { status, json } = await call(url, `/v1/sessions/${id}`);
    expect(status, `${id} ${JSON.stringify(json)}`).toBe(200);
    const { offset, durable, epoch, exact } = json;
    expect({ epoch, durable, exact }, id).toEqual({ epoch: this.epoch, durable: offset, exact: true });
    expect(offset, `offset of ${id}`).toBeGreaterThanOrEqual(this.durable);
    expect(offset, `offset of ${id}`).toBeLessThanOrEqual(this.sent);
    this.offset = offset;
    this.#take(json);
  }

  /** One request of at most `count` rows, which begins up to `overlap` rows below the offset. Returns its status. */
  async feed(url: string, count: number, { overlap = 0, ack = false } = {}): Promise<number> {
    const from = Math.max(0, this.offset - overlap);
    const { learns, framed } = this.kind;
    const end = learns ? Math.min(from + count, BLOCK * (1 + Math.floor(from / BLOCK))) : from + count;
    this.sent = Math.max(this.sent, end);
    const targeted = learns && hasTargets(from);
    const path = `/v1/sessions/${this.kind.id}/steps${ack ? '?ack=durable' : ''}`;
    const { status, json } =
      framed && !targeted
        ? await this.#sendFrame(url, path, from, end)
        : await this.#sendRows(url, path, from, end, targeted);
    if (status !== 200) {
      expect([429, 503], JSON.stringify(json)).toContain(status);
      this.refused++;
      return status;
    }
    const { outputsFrom, outputs } = json;
    expect([json.offset >= this.offset, outputsFrom <= this.offset], `${this.kind.id} ${from}`).toEqual([true, true]);
    this.offset = json.offset;
    this.#take(json);
    if (ack) expect(json.durable).toBeGreaterThanOrEqual(end);
    for (const [index, row] of outputs.entries()) this.#keep(outputsFrom + index, Float64Array.from(row));
    return status;
  }

  /** Whether each row's outputs are those of another run of the same rows. */
  sameOutputs(other: FedSession): void {
    const known = this.outputs.flatMap((row, index) => (row === undefined ? [] : [index]));
    expect(known.length, this.kind.id).toBeGreaterThan(0);
    const wrong = known.find((index) => !same(this.outputs[index]!, other.outputs[index]!));
    expect(wrong, `${this.kind.id}: first row with other outputs`).toBeUndefined();
  }

  row(index: number): number[] {
    let word = (this.#seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0;
    return Array.from({ length: this.inputs }, () => {
      word = (Math.imul(word ^ (word >>> 15), 0x85ebca6b) + 0xc2b2ae35) >>> 0;
      return Math.fround(word / 2 ** 31 - 1);
    });
  }

  #keep(index: number, row: Float64Array): void {
    const before = this.outputs[index];
    if (before !== undefined && !same(before, row)) {
      throw new Error(`row ${index} of ${this.kind.id} has other outputs than the first time`);
    }
    this.outputs[index] = row;
  }

  #take({ epoch, offset, durable, durability, inputs = this.inputs }: Place): void {
    expect(durable).toBeLessThanOrEqual(offset);
    this.epoch = epoch;
    this.inputs = inputs;
    this.durability = durability;
    this.durable = Math.max(this.durable, durable);
  }

  #sendRows(url: string, path: string, from: number, end: number, targeted: boolean) {
    const rows = range(from, end).map((index) => this.row(index));
    const targets = targeted ? rows.map((row) => [row[0]! + row[1]!, row[2]! * row[3]!]) : undefined;
    return call(url, path, 'POST', { from, rows, targets, epoch: this.epoch });
  }

  async #sendFrame(url: string, path: string, from: number, end: number) {
    const body = Float32Array.from(range(from, end).flatMap((index) => this.row(index)));
    const headers = {
      'content-type': 'application/octet-stream',
      accept: 'application/octet-stream',
      'x-dtesn-dtype': 'f32',
      'x-dtesn-shape': `${end - from},${this.inputs}`,
      'x-dtesn-from': String(from),
      'x-dtesn-epoch': this.epoch,
    };
    let bytes: ArrayBuffer;
    let response: Response;
    try {
      response = await fetch(url + path, { method: 'POST', headers, body });
      bytes = await response.arrayBuffer();
    } catch (error) {
      throw new BridgeDown(`${path}: ${String((error as Error).cause ?? error)}`);
    }
    const field = (name: string) => response.headers.get(`x-dtesn-${name}`)!;
    if (response.status !== 200) return { status: response.status, json: Buffer.from(bytes).toString() as never };
    const values = field('dtype') === 'f32' ? new Float32Array(bytes) : new Float64Array(bytes);
    const cols = bytes.byteLength === 0 ? 1 : Number(field('shape').split(',')[1]);
    const outputs = range(0, values.length / cols).map((row) => values.subarray(row * cols, (row + 1) * cols));
    const [offset, durable] = [Number(field('offset')), Number(field('durable'))];
    const place = { epoch: field('epoch'), offset, durable, durability: field('durability') ?? undefined };
    return { status: 200, json: { ...place, outputsFrom: Number(field('from')), outputs } };
  }
}

/** Feeds the rows that another client fed, in requests of other sizes, and compares all outputs and what was learned. */
export async function sameAsUndisturbed(disturbed: readonly FedSession[], url: string, undisturbed: string) {
  await Promise.all(
    disturbed.map(async (session) => {
      // Rows that were answered and lost, because they were not durable, are sent again first.
      while (session.offset < session.outputs.length) await session.feed(url, session.outputs.length - session.offset);
      const other = new FedSession(session.kind);
      await other.create(undisturbed);
      while (other.offset < session.offset) await other.feed(undisturbed, Math.min(97, session.offset - other.offset));
      session.sameOutputs(other);
      if (!session.kind.learns) return;
      const path = `/v1/sessions/${session.kind.id}/readout`;
      const [{ json: one }, { json: two }] = await Promise.all([call(url, path), call(undisturbed, path)]);
      expect(one.learned).toBeGreaterThan(0);
      expect({ ...one, epoch: '' }).toEqual({ ...two, epoch: '' });
    }),
  );
}

function hasTargets(index: number): boolean {
  return Math.floor(index / BLOCK) % 3 !== 2;
}

function same(one: Float64Array, other: Float64Array): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}

function range(from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, index) => from + index);
}
