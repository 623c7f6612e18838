/** The journal of the options' state directory; null, and nothing recovered, where there is none. */
import { Journal, type RecoveredState, type SessionSnapshot } from '../journal/index.js';
import type { CheckedOptions } from './options.js';

const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Another file system for the journal. */
export type JournalFiles = Parameters<typeof Journal.open>[1];

export async function openJournal(
  { stateDir, checkpointMs, stateMaxBytes, compactBytes, undurableMaxBytes, clock, log, metrics }: CheckedOptions,
  snapshots: () => AsyncIterable<SessionSnapshot>,
  files?: JournalFiles,
): Promise<RecoveredState & { journal: Journal | null }> {
  if (stateDir === null) return { journal: null, sessions: [], ended: [], unnamed: 0 };
  const help = 'Seconds of a group commit, from the transfer of its records until fdatasync returned';
  const seconds = metrics.histogram('dtesn_checkpoint_duration_seconds', help, BOUNDS_SECONDS);
  const onAttempt = (took: number) => seconds.observe({}, took);
  const bounds = { checkpointMs, stateMaxBytes, compactBytes, undurableMaxBytes };
  return Journal.open({ dir: stateDir, ...bounds, clock, log, snapshots, onAttempt }, files);
}
