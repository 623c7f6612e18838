import { afterEach, describe, expect, test } from 'vitest';
import { EngineSimulator, type EngineSimulatorOptions } from '../../src/simulator/index.js';

const open: EngineSimulator[] = [];
afterEach(async () => {
  for (const simulator of open.splice(0)) await simulator.close();
});

/** An engine with next to no clients of its own, in virtual time. */
async function started(options: EngineSimulatorOptions = {}): Promise<EngineSimulator> {
  const simulator = await EngineSimulator.start({ speed: 0, load: 0.0001, ...options });
  open.push(simulator);
  return simulator;
}

function ask(simulator: EngineSimulator, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${simulator.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/** Moves virtual time on in steps of `by` until the promise has settled. */
async function whileAdvancing<T>(simulator: EngineSimulator, promise: Promise<T>, by = 0.05): Promise<T> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  while (!settled) {
    await simulator.advanceTo(simulator.time + by);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}

/** Waits, in real time, until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

interface Chunk {
  choices: { text: string; finish_reason: string | null; token_ids?: number[]; prompt_token_ids?: number[] | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
  error?: { type: string; code: number };
}

/** The data of each event of a body. */
function events(body: string): string[] {
  return body
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      expect(event).toMatch(/^data: /);
      return event.slice('data: '.length);
    });
}

const chunksOf = (body: string) =>
  events(body)
    .slice(0, -1)
    .map((data) => JSON.parse(data) as Chunk);

describe('a completion', () => {
  test('a completion with ignore_eos has max_tokens tokens and is counted in the metrics', async () => {
    const simulator = await started();
    const request = ask(simulator, { prompt: 'Once', max_tokens: 40, ignore_eos: true });
    const body = (await (await whileAdvancing(simulator, request)).json()) as Chunk;
    expect(body.choices[0]).toMatchObject({ finish_reason: 'length' });
    expect(body.choices[0]!.text).toMatch(/^[a-z ]{40}$/);
    expect(body.usage).toEqual({ prompt_tokens: 5, completion_tokens: 40, total_tokens: 45 });
    const { promptTokens, generatedTokens, finished } = simulator.simulation.engines[0]!.statistics;
    expect([promptTokens, generatedTokens, finished.length]).toEqual([5, 40, 1]);
  });

  test('a completion has sixteen tokens by default, and its prompt may be token ids', async () => {
    const simulator = await started();
    const request = ask(simulator, { prompt: [256, 97, 98], min_tokens: 16 });
    const { usage } = (await (await whileAdvancing(simulator, request)).json()) as Chunk;
    expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 16 });
  });

  test('a completion is not answered before the simulation has computed it', async () => {
    const simulator = await started();
    let answered = false;
    const request = ask(simulator, { prompt: 'x', max_tokens: 100, ignore_eos: true }).finally(() => {
      answered = true;
    });
    await until(() => simulator.simulation.running === 1);
    await simulator.advanceTo(1); // a hundred decode steps take more than 2.9 s
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    expect((await whileAdvancing(simulator, request)).status).toBe(200);
    expect(simulator.time).toBeGreaterThan(2.9);
  });

  test('a completion waits in the queue when every place is taken', async () => {
    const simulator = await started({ model: { maxNumSeqs: 1 } });
    const both = Promise.all([1, 2].map(() => ask(simulator, { prompt: 'x', max_tokens: 8, ignore_eos: true })));
    await until(() => simulator.simulation.waiting === 1);
    expect(simulator.simulation.running).toBe(1);
    for (const response of await whileAdvancing(simulator, both)) expect(response.status).toBe(200);
  });

  test('a completion in real time is answered without advanceTo', async () => {
    const simulator = await started({ speed: 50 });
    const response = await ask(simulator, { prompt: 'x', max_tokens: 20, ignore_eos: true });
    expect(((await response.json()) as Chunk).usage).toMatchObject({ completion_tokens: 20 });
  });

  test('a completion in real time waits while the engine sleeps, and is answered after it wakes up', async () => {
    const simulator = await started({ speed: 50, devMode: true });
    const post = (path: string) => fetch(simulator.url + path, { method: 'POST' });
    await post('/sleep');
    const request = ask(simulator, { prompt: 'x', max_tokens: 20, ignore_eos: true });
    await until(() => simulator.simulation.waiting === 1);
    await post('/wake_up');
    expect((await request).status).toBe(200);
  });

  test('a completion is aborted when its client disconnects', async () => {
    const simulator = await started();
    const client = new AbortController();
    const request = ask(simulator, { prompt: 'x', max_tokens: 100, ignore_eos: true }, client.signal);
    await until(() => simulator.simulation.running === 1);
    client.abort();
    await expect(request).rejects.toThrow();
    await until(() => simulator.simulation.running === 0);
    expect(simulator.simulation.engines[0]!.statistics.finished.abort).toBe(1);
    expect(simulator.simulation.heldBlocks).toBe(0);
  });
});

describe('a streamed completion', () => {
  test('a streamed completion is one event per token, the last with its finish_reason, then the usage, then [DONE]', async () => {
    const simulator = await started();
    const options = { stream: true, stream_options: { include_usage: true }, return_token_ids: true };
    const asked = ask(simulator, { prompt: 'ab', max_tokens: 12, ignore_eos: true, ...options });
    const response = await asked;
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const body = await whileAdvancing(simulator, response.text());
    expect(events(body).at(-1)).toBe('[DONE]');
    const chunks = chunksOf(body);
    const tokens = chunks.slice(0, -1);
    expect(tokens.map(({ choices }) => choices[0]!.finish_reason)).toEqual([...new Array(11).fill(null), 'length']);
    expect(tokens.every(({ choices, usage }) => choices[0]!.text.length === 1 && usage === null)).toBe(true);
    expect(tokens.map(({ choices }) => choices[0]!.token_ids!.length)).toEqual(new Array(12).fill(1));
    expect(tokens.map(({ choices }) => choices[0]!.prompt_token_ids).slice(0, 2)).toEqual([[256, 97, 98], null]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 12, total_tokens: 15 },
    });
  });

  test('a streamed completion sends each token when the simulation produces it', async () => {
    const simulator = await started();
    const response = await ask(simulator, { prompt: 'x', max_tokens: 50, ignore_eos: true, stream: true });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    await simulator.advanceTo(simulator.time + 0.06); // the prefill, and one decode step
    const generated = simulator.simulation.engines[0]!.statistics.generatedTokens;
    expect(generated).toBeGreaterThan(0);
    expect(generated).toBeLessThan(5);
    let text = '';
    while (events(text).length < generated) text += (await reader.read()).value ?? '';
    expect(events(text).length).toBe(generated);
    await reader.cancel();
  });

  test('a streamed completion ends with an error and [DONE] when the engine dies after the status 200', async () => {
    const simulator = await started();
    const response = await ask(simulator, { prompt: 'x', max_tokens: 50, ignore_eos: true, stream: true });
    await simulator.advanceTo(simulator.time + 0.5);
    simulator.inject({ kind: 'dead' });
    const body = await response.text();
    expect(response.status).toBe(200);
    expect(chunksOf(body).at(-1)).toMatchObject({ error: { type: 'InternalServerError', code: 500 } });
    expect(events(body).at(-1)).toBe('[DONE]');
  });

  test('a streamed completion is cut without [DONE] when the process crashes', async () => {
    const simulator = await started();
    const response = await ask(simulator, { prompt: 'x', max_tokens: 50, ignore_eos: true, stream: true });
    await simulator.advanceTo(simulator.time + 0.5);
    simulator.inject({ kind: 'crash' });
    await expect(response.text()).rejects.toThrow();
  });

  test('a streamed completion ends as aborted when the engine is put to sleep', async () => {
    const simulator = await started();
    const response = await ask(simulator, { prompt: 'x', max_tokens: 50, ignore_eos: true, stream: true });
    await simulator.advanceTo(simulator.time + 0.5);
    simulator.inject({ kind: 'sleep' });
    const body = await response.text();
    expect(chunksOf(body).at(-1)!.choices[0]!.finish_reason).toBe('abort');
  });
});

describe('what is refused', () => {
  test.each([
    ['no prompt', {}, 400, 'BadRequestError', /prompt/],
    [
      'no room for the answer',
      { prompt: 'x', max_tokens: 8192 },
      400,
      'BadRequestError',
      /maximum context length is 8192/,
    ],
    ['an id outside the vocabulary', { prompt: [999] }, 400, 'BadRequestError', /999 is out of vocabulary/],
    ['a bias outside it', { prompt: 'x', logit_bias: { '-1': 0 } }, 400, 'BadRequestError', /Vocabulary size: 320$/],
    ['another model', { prompt: 'x', model: 'other' }, 404, 'NotFoundError', /other/],
    ['two answers', { prompt: 'x', n: 2 }, 501, 'NotImplementedError', /n > 1/],
    ['log probabilities', { prompt: 'x', logprobs: 1 }, 501, 'NotImplementedError', /logprobs/],
    ['two prompts', { prompt: ['x', 'y'] }, 501, 'NotImplementedError', /several prompts/],
  ] as [string, object, number, string, RegExp][])(
    'a completion with %s is refused',
    async (_, body, status, type, message) => {
      const response = await ask(await started(), body);
      expect(response.status).toBe(status);
      const { error } = (await response.json()) as { error: { type: string; message: string; code: number } };
      expect([error.type, error.code]).toEqual([type, status]);
      expect(error.message).toMatch(message);
    },
  );
});
