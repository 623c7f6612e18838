/** The one journal of a state-dir: what sessions were created, fed and ended, so that a restart loses nothing durable. */

export { ENDED_MS, forgetOldest } from './ended-sessions.js';
export { Journal } from './journal.js';
export type {
  EndedSession,
  JournalFigures,
  JournalLog,
  JournalOptions,
  JournalRecord,
  RecoveredRows,
  RecoveredSession,
  RecoveredState,
  Rows,
  SessionRecord,
  SessionSnapshot,
} from './journal-types.js';
export { isStateDirError, StateDirError } from './state-dir-error.js';
