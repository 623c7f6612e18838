/**
 * Messages of a stream of server-sent events, as they arrive.
 *
 * Lines end in LF, CRLF or CR; comments carry nothing; `data` lines of a message are joined by LF. A message without a blank line
 * after it is dropped, as at the end of a broken connection. A message is at most 64 MiB.
 * Source: WHATWG HTML, section 9.2.6, "Interpreting an event stream".
 */
import type { Readable } from 'node:stream';
import type { Clock } from '../../abort/index.js';
import { BridgeCallError } from './call-error.js';

export interface ServerSentMessage {
  id: string | undefined;
  event: string;
  /** Undefined for a message of `retry` or `id` alone. */
  data: string | undefined;
  retryMs: number | undefined;
}

const maxMessageLength = 64 * 1024 * 1024;

export async function* serverSentMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentMessage> {
  const decoder = new TextDecoder();
  let fields: [string, string][] = [];
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > maxMessageLength) throw new BridgeCallError('bad_answer', 'A line of the events is too long');
    // A CR at the end may be the first half of CRLF.
    const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
    const lines = whole.split(/\r\n|\n|\r/);
    rest = lines.pop()! + rest.slice(whole.length);
    for (const line of lines) {
      if (line !== '') fields.push(fieldOf(line));
      else if (fields.length > 0) {
        yield messageOf(fields);
        fields = [];
      }
    }
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))];
}

function messageOf(fields: [string, string][]): ServerSentMessage {
  const last = (name: string) => fields.findLast(([field]) => field === name)?.[1];
  const data = fields.filter(([field]) => field === 'data').map(([, value]) => value);
  const retry = last('retry');
  return {
    id: last('id'),
    event: last('event') ?? 'message',
    data: data.length === 0 ? undefined : data.join('\n'),
    retryMs: retry !== undefined && /^\d+$/.test(retry) ? Number(retry) : undefined,
  };
}

/** The chunks of a stream, read at the pace of the caller; one that brings nothing for `idleMs` fails with `late()`. */
export async function* withIdleLimit(
  source: Readable,
  idleMs: number,
  late: () => Error,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      const cancel = clock.after(idleMs, () => source.destroy(late()), { hold: true });
      const next = await chunks.next().finally(cancel);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    source.destroy();
  }
}
