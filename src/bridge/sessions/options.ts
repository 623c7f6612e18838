/** Options of the session service, and their bounds. */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import type { Logger } from '../logs/index.js';
import type { MetricsRegistry } from '../metrics/index.js';
import type { SessionNetwork } from './networks.js';

export interface SessionServiceOptions {
  /** Networks by name, distinct; the service closes them. One has the name 'default'. */
  networks: readonly SessionNetwork[];
  /** Folder of the journal; null keeps sessions in memory only. */
  stateDir: string | null;
  /** Time between group commits in ms, 1 to 60,000. Default 250. */
  checkpointMs?: number | undefined;
  /** Bytes of the journal on disk. The journal's default when left out. */
  stateMaxBytes?: number | undefined;
  /** Bytes of rows on disk after which they are compacted into a snapshot at the earliest. The journal's default when left out. */
  compactBytes?: number | undefined;
  /** Bytes of records that wait for the disk; beyond them steps are refused with `storage`. The journal's default when left out. */
  undurableMaxBytes?: number | undefined;
  /** Sessions at the same time, 1 to 1,000,000. Default 10,000. */
  maxSessions?: number | undefined;
  /** Time without steps after which a session ends, in ms, 1,000 to 2^31 - 1. Default 86,400,000 (a day). */
  idleMs?: number | undefined;
  /** Bytes of the learners of all sessions, 8 features² each. Default 1 GiB. */
  maxRlsBytes?: number | undefined;
  /** Networks at the same time: the configured ones and those that older sessions are pinned to. Default 16. */
  maxNetworks?: number | undefined;
  /** Bytes of the weights of all of them. Default 1 GiB. */
  networkBytes?: number | undefined;
  /** Bytes of the outputs that one request may ask for; all requests under way have four times as many. Default 64 MiB. */
  answerMaxBytes?: number | undefined;
  /** Bytes of last answers kept for retries. Default 64 MiB. */
  replayBytes?: number | undefined;
  /** Whether the memory of the process is nearly used up: new sessions are then refused with `memory`. Never by default. */
  memoryFull?: (() => boolean) | undefined;
  /** Version and instruction set, which a session records. By default those of this process. */
  build?: string | undefined;
  /** Clock of idle times; the system's monotonic clock by default. */
  clock?: Clock | undefined;
  log: Logger;
  metrics: MetricsRegistry;
}

const GiB = 2 ** 30;
const MiB = 2 ** 20;
const bytes = (most: number) => z.int().min(0).max(most);

export const optionsSchema = z.object({
  networks: z
    .array(z.custom<SessionNetwork>((one) => typeof (one as SessionNetwork | null)?.fingerprint === 'string'))
    .min(1)
    .describe('an array of session networks, at least one'),
  stateDir: z.string().min(1).nullable().describe('a folder, or null'),
  checkpointMs: z.int().min(1).max(60_000).default(250).describe('a whole number of ms from 1 to 60000'),
  stateMaxBytes: bytes(2 ** 50)
    .optional()
    .describe('a whole number of bytes'),
  compactBytes: bytes(2 ** 50)
    .optional()
    .describe('a whole number of bytes'),
  undurableMaxBytes: bytes(2 ** 40)
    .optional()
    .describe('a whole number of bytes'),
  maxSessions: z.int().min(1).max(1_000_000).default(10_000).describe('a whole number from 1 to 1000000'),
  idleMs: z
    .int()
    .min(1000)
    .max(2 ** 31 - 1)
    .default(86_400_000)
    .describe('a whole number of ms from 1000 to 2147483647'),
  maxRlsBytes: bytes(2 ** 50)
    .default(GiB)
    .describe('a whole number of bytes'),
  maxNetworks: z.int().min(1).max(1000).default(16).describe('a whole number from 1 to 1000'),
  networkBytes: bytes(2 ** 50)
    .default(GiB)
    .describe('a whole number of bytes'),
  answerMaxBytes: bytes(2 ** 40)
    .default(64 * MiB)
    .describe('a whole number of bytes'),
  replayBytes: bytes(2 ** 40)
    .default(64 * MiB)
    .describe('a whole number of bytes'),
  memoryFull: z
    .custom<() => boolean>((value) => typeof value === 'function')
    .default(() => () => false)
    .describe('a function'),
  build: z.string().min(1).optional().describe('a string'),
  clock: clockOption,
  log: z.custom<Logger>((value) => typeof value === 'object' && value !== null).describe('a log'),
  metrics: z.custom<MetricsRegistry>((value) => typeof value === 'object' && value !== null).describe('metrics'),
});

export type CheckedOptions = z.output<typeof optionsSchema>;

/** What may change while the service runs. */
export type SessionBounds = Pick<
  CheckedOptions,
  'maxSessions' | 'idleMs' | 'maxRlsBytes' | 'maxNetworks' | 'networkBytes'
>;
