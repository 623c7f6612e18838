/** The options of Journal.open, checked. */
import { z } from 'zod';
import { clockOption } from '../../abort/index.js';
import type { JournalLog, JournalOptions } from './journal-types.js';

const bytes = (description: string) => z.number().int().positive().describe(description);

export const journalOptions = z.object({
  dir: z.string().min(1).describe('a path'),
  checkpointMs: z.number().positive().max(60_000).default(250).describe('milliseconds above 0, at most 60000,'),
  stateMaxBytes: bytes('a whole number of bytes above 0').optional(),
  undurableMaxBytes: bytes('a whole number of bytes above 0').default(64 * 2 ** 20),
  compactBytes: bytes('a whole number of bytes above 0').default(16 * 2 ** 20),
  snapshots: z.custom<JournalOptions['snapshots']>((value) => typeof value === 'function').describe('a function'),
  onAttempt: z
    .custom<NonNullable<JournalOptions['onAttempt']>>((value) => typeof value === 'function')
    .optional()
    .describe('a function'),
  log: z
    .custom<JournalLog>((value) => typeof (value as Partial<JournalLog> | null)?.warn === 'function')
    .optional()
    .describe('an object with info and warn'),
  clock: clockOption,
});
