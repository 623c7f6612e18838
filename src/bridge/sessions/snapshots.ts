/** Copies of sessions for the journal's compaction: state, learner, and whether its bits are those of an undisturbed run. */
import type { SessionSnapshot } from '../journal/index.js';
import { tailOf } from './blocked-session.js';
import type { Session } from './session.js';
import type { SessionTable } from './session-table.js';

/** A copy of each session, that of a failed one with the rows its state does not hold, between two of its requests; the journal keeps those that it quarantined itself. */
export async function* snapshots(table: SessionTable): AsyncIterable<SessionSnapshot> {
  for (const session of [...table.values()]) {
    const isThere = () => table.find(session.record.id) === session;
    if (session.blocked === 'network_changed' && isThere()) yield session.snapshot();
    if (session.blocked !== null) continue;
    const copy = await session.between(() => (isThere() ? snapshotOf(session) : null));
    if (copy !== null) yield copy;
  }
}

function snapshotOf(session: Session): SessionSnapshot {
  const { record, offset, place, learner, exact, failed } = session;
  const parts: SessionSnapshot['parts'] = {};
  if (place !== null) {
    const { state } = place;
    parts['state'] = new Uint8Array(state.buffer, state.byteOffset, state.byteLength).slice();
  }
  if (learner !== null) Object.assign(parts, learner.save());
  if (!exact) parts['inexact'] = new Uint8Array(1);
  if (failed === null) return { session: record, offset, parts };
  const rows = failed.left.reduce((sum, one) => sum + one.rows.length / record.inputs, 0);
  return { session: record, offset: offset + rows, parts: { ...parts, ...tailOf(failed.left) } };
}
