/**
 * The end of a process after an uncaught exception or an unhandled rejection: one line in the log, a commit of at most
 * COMMIT_MS, exit 70. A second one during the commit exits at once.
 *
 * The line holds name, code and stack frames of the error, not its message, which may quote what a client sent.
 */
import { z } from 'zod';
import { type Clock, clockOption, untilAborted, withTimeLimit } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import { errorFacts, type LogWriter } from '../logs/index.js';
import { exitCodes } from './exit-error.js';

export interface FatalOptions {
  log: Pick<LogWriter, 'writeNow'>;
  /** Commits the journal. */
  commit: (signal: AbortSignal) => Promise<void>;
  /** Ends the process. Default: process.exit. */
  exit?: ((code: number) => void) | undefined;
  /** What the commit's limit is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const COMMIT_MS = 1500;

const optionsSchema = z.strictObject({
  log: z.custom<FatalOptions['log']>((value) => typeof value === 'object').describe('a LogWriter'),
  commit: z.custom<FatalOptions['commit']>((value) => typeof value === 'function').describe('a function'),
  exit: z
    .custom<(code: number) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function'),
  clock: clockOption,
});

/** Takes both events of the process. Returns what ends it. */
export function onFatal(options: FatalOptions): () => void {
  const { log, commit, exit = process.exit, clock } = checkOptions(optionsSchema, options, 'onFatal');
  let ending = false;
  const end = async (error: unknown, kind: string): Promise<void> => {
    log.writeNow('error', 'fatal', { kind, ...errorFacts(error) });
    if (ending) return exit(exitCodes.software);
    ending = true;
    const late = () => Object.assign(new Error('the commit is late'), { code: 'late' });
    try {
      await withTimeLimit(COMMIT_MS, late, undefined, (signal) => untilAborted(signal, commit(signal)), clock);
    } catch (failure) {
      log.writeNow('error', 'the commit before the exit failed', errorFacts(failure));
    }
    exit(exitCodes.software);
  };
  const uncaught = (error: unknown) => void end(error, 'uncaughtException');
  const unhandled = (error: unknown) => void end(error, 'unhandledRejection');
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', unhandled);
  return () => {
    process.off('uncaughtException', uncaught);
    process.off('unhandledRejection', unhandled);
  };
}
