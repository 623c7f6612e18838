/** A command that was used wrongly: the sentence, and the page that says how it is used. Exit code 2. */
import { brand } from '../errors/index.js';

export class UsageError extends Error {
  constructor(
    message: string,
    /** The page of the command; that of `dtesn` when left out. */
    readonly usage: string | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const isUsageError = brand(UsageError, 'UsageError');
