/** The state-dir cannot be used: the bridge says so in one line and exits with 78 (EX_CONFIG). */
import { brand } from '../../errors/index.js';

export class StateDirError extends Error {
  readonly exitCode = 78;

  /** The message is one line, and names the directory. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StateDirError';
  }
}

/** Whether something says that a state-dir cannot be used. */
export const isStateDirError = brand(StateDirError, 'StateDirError');
