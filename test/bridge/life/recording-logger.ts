/** A logger that keeps its lines. */
import type { LogFields, Logger } from '../../../src/bridge/logs/index.js';

export class RecordingLogger implements Logger {
  readonly lines: [level: string, msg: string, fields: LogFields | undefined][] = [];
  readonly debug = this.#level('debug');
  readonly info = this.#level('info');
  readonly warn = this.#level('warn');
  readonly error = this.#level('error');

  #level(level: string) {
    return (msg: string, fields?: LogFields): void => void this.lines.push([level, msg, fields]);
  }
}
