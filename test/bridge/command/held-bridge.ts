/**
 * The command's server over an engine whose tokenizer holds back texts that begin with 'held': while as many of them are under way
 * as the model takes batches, everything behind them waits in the queue.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { usableCpus } from '../../../src/host/index.js';
import { type EngineServer, goodEngine, serveEngine } from '../../faults/engine-server.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

const dist = pathToFileURL(path.resolve(import.meta.dirname, '../../../dist')).href;

export interface HeldBridge extends AsyncDisposable {
  bridge: RunningBridge;
  /** Texts whose tokens were asked for, in order. */
  begun(): string[];
  /** Sends a text; `client` stands for another address. */
  send(text: string, options?: SendOptions): Promise<Answered>;
  /** Takes all lanes of the model. */
  hold(): Promise<void>;
  /** Lets all go. */
  letGo(): void;
  metric(name: string): Promise<number>;
}

export interface SendOptions {
  client?: string;
  headers?: Record<string, string>;
  query?: string;
  signal?: AbortSignal;
}

export interface Answered {
  status: number;
  headers: Headers;
  json: { error?: { code: string; message: string } };
}

export async function heldBridge(processing: object): Promise<HeldBridge> {
  const waiting: (() => void)[] = [];
  let isHeld = true;
  const engine = await serveEngine({
    ...goodEngine,
    '/tokenize': (response, body, request) => {
      const answer = () => goodEngine['/tokenize']!(response, body, request);
      if (isHeld && JSON.parse(body).prompt.startsWith('held')) waiting.push(answer);
      else answer();
    },
  });
  const bridge = await serverOver(engine, processing);
  const send = async (text: string, { client, headers, query = '', signal }: SendOptions = {}): Promise<Answered> => {
    const answer = await fetch(`${bridge.url}/v1/process${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(client && { 'x-forwarded-for': client }), ...headers },
      body: JSON.stringify({ text }),
      ...(signal && { signal }),
    });
    return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Answered['json'] };
  };
  const begun = () =>
    engine.asked.filter(({ request }) => request === 'POST /tokenize').map(({ body }) => JSON.parse(body).prompt);
  const holding: Promise<Answered>[] = [];
  return {
    bridge,
    begun,
    send,
    async hold() {
      const lanes = Math.max(1, usableCpus() - 1);
      for (let lane = 0; lane < lanes; lane++) {
        const held = send(`held ${lane}`, { client: '192.0.2.255' });
        held.catch(() => {}); // the server may end before it
        holding.push(held);
        await expect.poll(() => waiting.length, { timeout: 10_000 }).toBe(lane + 1);
      }
    },
    letGo() {
      isHeld = false;
      for (const answer of waiting.splice(0)) answer();
    },
    async metric(name) {
      const text = await (await fetch(`${bridge.url}/metrics`)).text();
      return Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
    },
    async [Symbol.asyncDispose]() {
      for (const answer of waiting) answer();
      await bridge[Symbol.asyncDispose]();
      await engine.close();
      await Promise.allSettled(holding);
    },
  };
}

/** An engine of the program, for its time limit: one that a configuration names is given up after a second. */
function serverOver(engine: EngineServer, processing: object): Promise<RunningBridge> {
  const options = {
    listen: ['127.0.0.1:0'],
    probeListen: null,
    trustedProxies: ['127.0.0.1'],
    settleMs: 0,
    processing,
  };
  const code = `
    import { HttpEngine } from '${dist}/engine.js';
    import { serve } from '${dist}/bridge.js';
    const engine = new HttpEngine('${engine.url}', { timeoutMs: 60_000 });
    process.exit(await serve({ ...${JSON.stringify(options)}, engines: [{ engine, name: 'held' }] }));`;
  return runningBridge({
    script: ['--input-type=module', '-e', code],
    env: { DTESN_SOURCE_DEADLINE_MS: '60000' },
  });
}
