/** Copies of sessions for the journal's compaction: state, learner, and whether its bits are those of an undisturbed run. */
import type { SessionSnapshot } from '../journal/index.js';
import type { Session } from './session.js';
import type { SessionTable } from './session-table.js';

/** A copy of each session, between two of its requests; the journal keeps those that it quarantined itself. */
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
  if (session.failed !== null) throw session.failed;
  const { record, offset, place, learner, exact } = session;
  const parts: SessionSnapshot['parts'] = {};
  if (place !== null) {
    const { state } = place;
    parts['state'] = new Uint8Array(state.buffer, state.byteOffset, state.byteLength).slice();
  }
  if (learner !== null) Object.assign(parts, learner.save());
  if (!exact) parts['inexact'] = new Uint8Array(1);
  return { session: record, offset, parts };
}
