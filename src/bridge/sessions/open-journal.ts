/** The journal of the options' state directory; null, and nothing recovered, where there is none. */
import { Journal, type RecoveredState, type SessionSnapshot } from '../journal/index.js';
import type { CheckedOptions } from './options.js';
import { commitSeconds } from './session-metrics.js';

/** Another file system for the journal. */
export type JournalFiles = Parameters<typeof Journal.open>[1];

export async function openJournal(
  { stateDir, checkpointMs, stateMaxBytes, compactBytes, undurableMaxBytes, clock, log, metrics }: CheckedOptions,
  snapshots: () => AsyncIterable<SessionSnapshot>,
  files?: JournalFiles,
): Promise<RecoveredState & { journal: Journal | null }> {
  if (stateDir === null) return { journal: null, sessions: [], ended: [], unnamed: 0 };
  const seconds = commitSeconds(metrics);
  const onAttempt = (took: number) => seconds.observe({}, took);
  const bounds = { checkpointMs, stateMaxBytes, compactBytes, undurableMaxBytes };
  return Journal.open({ dir: stateDir, ...bounds, clock, log, snapshots, onAttempt }, files);
}
