/**
 * POST /v1/completions of the simulated server, plain and as a stream of server-sent events.
 *
 * The request joins the queue of the simulation and its tokens come when a step produces them. No model runs: the text
 * is seeded letters and spaces, its length that of an answer in the Azure trace. A client that goes away aborts its
 * request.
 *
 *     data: {"object":"text_completion","choices":[{"text":"q",...}]}       one a token; the last has its finish_reason
 *     data: {... "choices":[],"usage":{...}}                                with stream_options.include_usage
 *     data: [DONE]
 *
 * An engine that dies sends `data: {"error":{...}}` before [DONE]; a process that crashes cuts the stream.
 */
import type { ServerResponse } from 'node:http';
import { decodeBytes } from './byte-tokenizer.js';
import { type Completion, readCompletion } from './completion-request.js';
import type { FinishReason, RequestListener } from './engine-request.js';
import type { RandomStream } from './random-stream.js';
import { ENGINE_DEAD, failure, ok, type Reply, sendReply } from './reply.js';
import type { ServerFace } from './server-face.js';

const SPACE_CHANCE = 0.15;

/** Answers a request as its tokens come; a refusal is returned instead. */
export function complete(face: ServerFace, body: unknown, response: ServerResponse): Reply | null {
  const completion = readCompletion(face, body);
  if ('status' in completion) return completion;
  if (face.condition.dead) return failure(500, 'InternalServerError', ENGINE_DEAD);
  const answer = new Answer(face, completion, response);
  if (completion.stream) answer.openStream();
  const cancel = face.submit(completion.request, answer);
  response.on('close', cancel);
  return null;
}

class Answer implements RequestListener {
  private readonly id = `cmpl-${crypto.randomUUID().replaceAll('-', '')}`;
  private readonly created: number;
  private readonly tokens: number[] = [];

  constructor(
    private readonly face: ServerFace,
    private readonly completion: Completion,
    private readonly response: ServerResponse,
  ) {
    this.created = Math.floor(face.unixTime());
  }

  openStream(): void {
    this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    this.response.flushHeaders();
  }

  token(): void {
    this.tokens.push(drawLetter(this.face.random));
    // The last token waits for its finish_reason, which comes within the same step.
    if (this.completion.stream && this.tokens.length < this.completion.request.output) this.sendToken(null);
  }

  end(reason: FinishReason): void {
    if (this.completion.stream) this.endStream(reason);
    else sendReply(this.response, reason === 'error' ? engineDied() : ok(this.whole(reason)));
  }

  private endStream(reason: FinishReason): void {
    const { stream, includeUsage, request } = this.completion;
    if (reason === 'error') this.sendEvent(engineDied().body);
    else if (this.tokens.length === request.output) this.sendToken(reason);
    else this.sendEvent(this.chunk([], reason));
    if (stream && includeUsage && reason !== 'error') {
      this.sendEvent({ ...this.head(), choices: [], usage: this.usage() });
    }
    this.response.end('data: [DONE]\n\n');
  }

  private sendToken(reason: FinishReason | null): void {
    this.sendEvent(this.chunk(this.tokens.slice(-1), reason));
  }

  private chunk(tokens: number[], reason: FinishReason | null): object {
    const { includeUsage, usageInChunks } = this.completion;
    const usage = includeUsage && usageInChunks ? { usage: this.usage() } : includeUsage ? { usage: null } : {};
    return { ...this.head(), choices: [this.choice(tokens, reason, this.tokens.length <= 1)], ...usage };
  }

  private whole(reason: FinishReason): object {
    return { ...this.head(), choices: [this.choice(this.tokens, reason, true)], usage: this.usage() };
  }

  private head(): object {
    return { id: this.id, object: 'text_completion', created: this.created, model: this.face.modelId };
  }

  private choice(tokens: number[], reason: FinishReason | null, first: boolean): object {
    const { tokenIds, promptTokens } = this.completion;
    const ids = tokenIds ? { prompt_token_ids: first ? promptTokens : null, token_ids: tokens } : {};
    const text = decodeBytes(tokens);
    return { index: 0, text, logprobs: null, finish_reason: reason, stop_reason: null, ...ids };
  }

  private usage(): object {
    const prompt = this.completion.request.prompt;
    const generated = this.tokens.length;
    return { prompt_tokens: prompt, total_tokens: prompt + generated, completion_tokens: generated };
  }

  private sendEvent(data: unknown): void {
    this.response.write(`data: ${JSON.stringify(data)}\n\n`);
  }
}

function engineDied(): Reply {
  return failure(500, 'InternalServerError', ENGINE_DEAD);
}

function drawLetter(random: RandomStream): number {
  return random.uniform() < SPACE_CHANCE ? 0x20 : 0x61 + (random.bits() % 26);
}
