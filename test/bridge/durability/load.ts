/** Load on a bridge until it ends: clients that feed sessions, one that floods creations, and one that creates and deletes. */
import { expect } from 'vitest';
import { BridgeDown, call, type FedSession } from './fed-session.js';

/** What answers said of short sessions; between them a session may be there or not. */
type Known = 'creating' | 'created' | 'deleting' | 'deleted';

export class ShortSessions {
  readonly known = new Map<string, Known>();
  #count = 0;

  /** Creates sessions in bursts and deletes half of them, until the bridge is down. */
  async churn(url: string, burst: number): Promise<void> {
    for (;;) {
      const ids = Array.from({ length: burst }, () => `short-${this.#count++}`);
      await all(ids.map((id) => this.#create(url, id)));
      await all(ids.filter((_, index) => index % 2 === 0).map((id) => this.#delete(url, id)));
    }
  }

  /** After a restart: what was answered of the latest sessions holds; what was not is looked up. */
  async check(url: string, latest = Infinity): Promise<void> {
    for (const [id, known] of [...this.known].slice(-latest)) {
      const { status } = await call(url, `/v1/sessions/${id}`);
      const allowed = { creating: [200, 404], created: [200], deleting: [200, 410], deleted: [410] }[known];
      expect(allowed, `${id} that was ${known}`).toContain(status);
      this.known.set(id, status === 200 ? 'created' : 'deleted');
      if (status === 404) this.known.delete(id);
    }
  }

  async #create(url: string, id: string): Promise<void> {
    this.known.set(id, 'creating');
    const { status, json } = await call(url, '/v1/sessions', 'POST', { id });
    if (status === 201) this.known.set(id, 'created');
    else expect([429, 503], JSON.stringify(json)).toContain(status);
    if (status === 429) this.known.delete(id);
  }

  async #delete(url: string, id: string): Promise<void> {
    if (this.known.get(id) !== 'created') return;
    this.known.set(id, 'deleting');
    const { status, json } = await call(url, `/v1/sessions/${id}`, 'DELETE');
    if (status === 200) this.known.set(id, 'deleted');
    else expect(status, JSON.stringify(json)).toBe(503);
  }
}

/** Feeds a session, until the bridge is down. */
export async function feedOn(session: FedSession, url: string, random: () => number): Promise<void> {
  const most = session.kind.framed ? 300 : 60;
  for (;;) {
    const [overlap, ack] = [random() < 0.2 ? Math.floor(12 * random()) : 0, random() < 0.1];
    const status = await session.feed(url, 1 + Math.floor(most * random() ** 2), { overlap, ack });
    if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resolves when all have ended because the bridge is down. */
export async function untilDown(clients: Promise<void>[]): Promise<void> {
  for (const { status, reason } of (await Promise.allSettled(clients)) as PromiseRejectedResult[]) {
    if (status !== 'rejected' || !(reason instanceof BridgeDown)) throw reason;
  }
}

/** Numbers in [0, 1) that follow from a seed. */
export function randomOf(seed: number): () => number {
  let word = seed >>> 0;
  return () => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 32;
  };
}

async function all(promises: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}
