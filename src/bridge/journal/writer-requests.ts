/** What the main thread asks of the thread that writes, and the answers; both plain data. */
import { endedWithinTheHour } from './ended-sessions.js';
import type { RecoveredSession } from './journal-types.js';
import type { JournalWriter, Outcome } from './journal-writer.js';
import type { Records } from './record-buffer.js';
import type { NumberedEnd } from './replay.js';
import { joinedRows } from './rows-pieces.js';
import { isStateDirError } from './state-dir-error.js';

export type WriterRequest =
  | { act: 'open' }
  | { act: 'commit'; records: Records | null }
  | { act: 'beginSnapshot' }
  | { act: 'writeSnapshot'; records: Records }
  | { act: 'finishSnapshot'; quarantined: boolean }
  | { act: 'abortSnapshot' }
  | { act: 'close' };

export interface Opened {
  sessions: (RecoveredSession & { number: number })[];
  ended: NumberedEnd[];
  unnamed: number;
  definitions: Map<string, unknown>;
  nextSequence: number;
  nextSession: number;
  newlyDamaged: boolean;
  outcome: Outcome;
}

export interface Answer {
  id: number;
  value?: Opened | Outcome | null;
  error?: { message: string; stateDir: boolean };
}

/** Never throws: an error is an answer. The buffers are those that the answer views. */
export function answer(
  writer: JournalWriter,
  id: number,
  request: WriterRequest,
  wallMs: () => number,
): { answer: Answer; buffers: ArrayBuffer[] } {
  try {
    if (request.act === 'open') {
      const { value, buffers } = opened(writer, wallMs());
      return { answer: { id, value }, buffers };
    }
    return { answer: { id, value: perform(writer, request) }, buffers: [] };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { answer: { id, error: { message, stateDir: isStateDirError(error) } }, buffers: [] };
  }
}

function perform(writer: JournalWriter, request: Exclude<WriterRequest, { act: 'open' }>): Outcome | null {
  if (request.act === 'commit') return writer.commit(request.records);
  if (request.act === 'beginSnapshot') return writer.beginSnapshot();
  if (request.act === 'writeSnapshot') return writer.writeSnapshot(request.records);
  if (request.act === 'finishSnapshot') return writer.finishSnapshot(request.quarantined);
  if (request.act === 'abortSnapshot') return writer.abortSnapshot();
  writer.close();
  return null;
}

function opened(writer: JournalWriter, now: number): { value: Opened; buffers: ArrayBuffer[] } {
  const { recovery, outcome } = writer.open();
  const { replay, buffers, newlyDamaged } = recovery;
  const replayed = [...replay.sessions.values()];
  const { rows, buffer } = joinedRows(replayed);
  const value = {
    sessions: replayed.map(({ number, session, offset, parts, quarantined }, index) => {
      return { number, session, offset, parts: parts ?? {}, rows: rows[index]!, quarantined };
    }),
    ended: [...replay.ended.values()].filter((end) => endedWithinTheHour(end, now)),
    unnamed: replay.unnamed.size,
    definitions: replay.definitions,
    nextSequence: replay.nextSequence,
    nextSession: replay.nextSession,
    newlyDamaged,
    outcome,
  };
  return { value, buffers: [...buffers, buffer] };
}
