/** A command that was used wrongly. Exit code 2. */
import { brand } from '../errors/index.js';
import type { CommandName } from './commands.js';

export class UsageError extends Error {
  readonly code = 'ERR_DTESN_ARGUMENT';

  constructor(
    message: string,
    /** The command whose help tells how it is used; null for that of `dtesn`. */
    readonly command: CommandName | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const isUsageError = brand(UsageError, 'UsageError');
