/**
 * Errors that end the process with one line and a code of their own.
 *
 *     1  failed          an address cannot be bound
 *     2  usage           a flag has a wrong value
 *     70 software        an uncaught exception
 *     75 temporary       another bridge has the state directory: start again later
 *     78 configuration   the state directory, a file of a token, of TLS or of the configuration, or the environment cannot be used:
 *                        restarting cannot help
 *
 * Source: sysexits.h. systemd and Kubernetes show the code; deploy/dtesn-bridge.service does not restart after 78.
 */
import { brand } from '../../errors/index.js';

export const exitCodes = { failed: 1, usage: 2, software: 70, temporary: 75, configuration: 78 } as const;

export class ExitError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExitError';
    this.exitCode = exitCode;
  }
}

/** Whether something is an error that ends the process with a code of its own. */
export const isExitError = brand(ExitError, 'ExitError');
