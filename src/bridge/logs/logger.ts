/**
 * What services log to: a message that is always the same text for the same event, and its facts as fields.
 *
 * Law: prompts, tokens, keys and query strings are never given to it, neither in a message nor in a field; an error of another
 * program, which may quote them, is given as its code.
 */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `code`, `reqId`, `traceId`, `route`, `status`, `ms`, `bytes`, `engine` and others; undefined ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
}

/** Writes nothing: for a bridge inside a program that has a log of its own. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
