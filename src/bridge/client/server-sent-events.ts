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
  /** Characters of the message so far: of its fields, and of the parts of its last line. */
  let length = 0;
  let parts: string[] = [];
  let endedInCr = false;
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk, { stream: true });
    // A CR at the end of a chunk has ended its line: an LF that follows is the second half of CRLF.
    if (endedInCr && text.startsWith('\n')) text = text.slice(1);
    if (text === '') continue;
    endedInCr = text.endsWith('\r');
    length += text.length;
    // Only what is new is searched, so that a long line costs once its length.
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop()!;
    for (const part of lines) {
      const line = parts.join('') + part;
      parts = [];
      if (line !== '') fields.push(fieldOf(line));
      else {
        if (fields.length > 0) yield messageOf(fields);
        fields = [];
        length = 0;
      }
    }
    if (fields.length === 0 && parts.length === 0) length = last.length;
    if (length > maxMessageLength) throw new BridgeCallError('bad_answer', 'A message of the events is too long');
    if (last !== '') parts.push(last);
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
