/**
 * What a failed start is to the process: one line and an exit code (life/exit-error.ts), or an unexpected error, which is thrown on.
 */
import { isConfigurationError } from './configuration/index.js';
import { isTlsFileError, isTokenFileError } from './http/index.js';
import { ExitError, exitCodes, isExitError } from './life/index.js';

/** Where an address is bound or looked up. */
const ofAddresses = ['listen', 'bind', 'getaddrinfo'];

/** `wrongArgument`: the code where an argument is wrong, by who gave it. Null for an error that nothing here explains. */
export function startFailure(error: unknown, wrongArgument: number): ExitError | null {
  if (isExitError(error)) return error;
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  const exit = (exitCode: number) => new ExitError(exitCode, message, { cause: error });
  if (isConfigurationError(error) || isTokenFileError(error) || isTlsFileError(error)) {
    return exit(exitCodes.configuration);
  }
  if (code === 'ERR_DTESN_ARGUMENT') return exit(wrongArgument);
  return syscall !== undefined && ofAddresses.includes(syscall) ? exit(exitCodes.failed) : null;
}
