/** Rows as they lie in the records of segments, and joined: one array for all rows that follow each other. */
import type { RecoveredRows, SessionRecord } from './journal-types.js';
import { padded } from './record-format.js';

export interface RowsPiece {
  payload: Uint8Array;
  from: number;
  count: number;
  /** Targets a row, 0 for none. */
  targets: number;
  /** Where in the payload the first row and its targets stand. */
  rowsAt: number;
  targetsAt: number;
}

interface Rowful {
  session: SessionRecord;
  pieces: RowsPiece[];
}

/** The rows of each session, all in one buffer, for a buffer of each would take long to transfer. */
export function joinedRows(sessions: readonly Rowful[]): { rows: RecoveredRows[][]; buffer: ArrayBuffer } {
  const runs = sessions.map(({ pieces }) => runsOf(pieces));
  let bytes = 0;
  for (const [index, { session }] of sessions.entries()) {
    for (const run of runs[index]!) bytes += rowsBytes(run, session) + targetsBytes(run);
  }
  const buffer = new ArrayBuffer(bytes);
  const all = new Uint8Array(buffer);
  let at = 0;
  const rows = sessions.map(({ session }, index) =>
    runs[index]!.map((run) => {
      const joined = join(run, session, all, at);
      at += rowsBytes(run, session) + targetsBytes(run);
      return joined;
    }),
  );
  return { rows, buffer };
}

/** Pieces one after the other that all have targets, or all have none. */
function runsOf(pieces: readonly RowsPiece[]): RowsPiece[][] {
  const runs: RowsPiece[][] = [];
  for (const piece of pieces) {
    const last = runs.at(-1);
    if (last?.[0]?.targets === piece.targets) last.push(piece);
    else runs.push([piece]);
  }
  return runs;
}

const rowBytes = ({ inputs, dtype }: SessionRecord): number => inputs * (dtype === 'f32' ? 4 : 8);

const countOf = (run: readonly RowsPiece[]): number => run.reduce((sum, { count }) => sum + count, 0);

const rowsBytes = (run: readonly RowsPiece[], session: SessionRecord): number =>
  padded(countOf(run) * rowBytes(session));

const targetsBytes = (run: readonly RowsPiece[]): number => 8 * countOf(run) * run[0]!.targets;

function join(run: readonly RowsPiece[], session: SessionRecord, all: Uint8Array, start: number): RecoveredRows {
  const { from, targets: width } = run[0]!;
  const targetsStart = start + rowsBytes(run, session);
  let [at, targetsAt] = [start, targetsStart];
  for (const { payload, count, targets, ...piece } of run) {
    all.set(payload.subarray(piece.rowsAt, piece.rowsAt + count * rowBytes(session)), at);
    all.set(payload.subarray(piece.targetsAt, piece.targetsAt + 8 * count * targets), targetsAt);
    at += count * rowBytes(session);
    targetsAt += 8 * count * targets;
  }
  const count = countOf(run);
  const { buffer } = all;
  const values = count * session.inputs;
  return {
    from,
    rows: session.dtype === 'f32' ? new Float32Array(buffer, start, values) : new Float64Array(buffer, start, values),
    targets: width === 0 ? null : new Float64Array(buffer, targetsStart, count * width),
  };
}
