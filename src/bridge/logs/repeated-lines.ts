/**
 * Equal lines within WINDOW_MS become one: the first is written at once, those after it are counted, and the last of them is
 * written when the window ends, with `repeated`, how many there were.
 *
 * Equal are lines with the same level, message and fields, but for `ms` and `bytes`, which are measurements. At most MAX_LINES
 * are remembered; beyond them the oldest window ends early.
 */
import type { Clock } from '../../abort/index.js';
import type { LogFields, LogLevel } from './logger.js';

const WINDOW_MS = 10_000;
const MAX_LINES = 256;

interface Window {
  level: LogLevel;
  msg: string;
  /** Of the last line. */
  fields: LogFields;
  repeated: number;
  cancel: () => void;
}

export class RepeatedLines {
  readonly #windows = new Map<string, Window>();
  readonly #write: (level: LogLevel, msg: string, fields: LogFields) => void;
  readonly #clock: Clock;

  constructor(write: (level: LogLevel, msg: string, fields: LogFields) => void, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  take(level: LogLevel, msg: string, fields: LogFields): void {
    const key = JSON.stringify([level, msg, { ...fields, ms: undefined, bytes: undefined }]);
    const present = this.#windows.get(key);
    if (present !== undefined) {
      present.repeated++;
      present.fields = fields;
      return;
    }
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= MAX_LINES && oldest !== undefined) this.#end(oldest);
    const cancel = this.#clock.after(WINDOW_MS, () => this.#end(key));
    this.#windows.set(key, { level, msg, fields, repeated: 0, cancel });
    this.#write(level, msg, fields);
  }

  /** Ends every window now. */
  flush(): void {
    for (const key of [...this.#windows.keys()]) this.#end(key);
  }

  #end(key: string): void {
    const window = this.#windows.get(key);
    if (window === undefined) return;
    this.#windows.delete(key);
    window.cancel();
    const { level, msg, fields, repeated } = window;
    if (repeated > 0) this.#write(level, msg, { ...fields, repeated });
  }
}
