/** The journal of the options' state directory; null, and nothing recovered, where there is none. */
import type { CheckedOptions } from './options.js';
import type { RecoveredState, SessionJournal, SessionSnapshot } from './outside.js';

export async function openJournal(
  { stateDir }: CheckedOptions,
  _snapshots: () => AsyncIterable<SessionSnapshot>,
): Promise<{ journal: SessionJournal | null; recovered: RecoveredState }> {
  if (stateDir !== null) throw new Error('the journal has not landed');
  return { journal: null, recovered: { sessions: [], ended: [] } };
}
