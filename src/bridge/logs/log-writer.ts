/**
 * The log of a bridge: JSON lines to stderr, through a bounded ring and a thread that writes it.
 *
 *     log.info('listening', { address })          one line; equal ones within 10 s become one with `repeated`
 *     log.writeNow('error', 'fatal', { code })    and waits, at most FLUSH_MS, until all lines are written
 *     await log.close()                           writes what can be written within FLUSH_MS
 *
 * Node writes to pipes on the calling thread, so a stuck reader of stderr would stop the event loop. Here it fills the ring:
 * lines beyond it are dropped and counted in `dtesn_log_dropped_total`, and a line says so when they flow again. stdout is never
 * written to.
 */
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { type Clock, clockOption, wallMs } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import type { MetricsRegistry } from '../metrics/index.js';
import { logLine } from './log-line.js';
import { LogRing, RING_HEADER_BYTES, ringWords } from './log-ring.js';
import { logWorker } from './log-worker.js';
import { type LogFields, type Logger, type LogLevel, logLevels } from './logger.js';
import { RepeatedLines } from './repeated-lines.js';

export interface LogWriterOptions {
  /** Counts the dropped lines. */
  metrics: MetricsRegistry;
  /** The least level that is written. Default 'info'. */
  level?: LogLevel | undefined;
  /** The file descriptor that is written to. Default 2, stderr. */
  fd?: number | undefined;
  /** Bytes of lines that may wait, a power of two from 4,096 to 64 MiB. Default 1 MiB. */
  ringBytes?: number | undefined;
  /** What the windows of equal lines are measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const FLUSH_MS = 500;

const optionsSchema = z.strictObject({
  metrics: z.custom<MetricsRegistry>((value) => typeof value === 'object').describe('a MetricsRegistry'),
  level: z
    .enum(logLevels)
    .default('info')
    .describe(`one of ${logLevels.join(', ')}`),
  fd: z.int().min(0).default(2).describe('a file descriptor'),
  ringBytes: z
    .int()
    .min(4096)
    .max(64 * 1024 * 1024)
    .refine((bytes) => Number.isInteger(Math.log2(bytes)))
    .default(1024 * 1024)
    .describe('a power of two from 4,096 to 67,108,864'),
  clock: clockOption,
});

export class LogWriter implements Logger {
  readonly #ring: LogRing;
  readonly #worker: Worker;
  readonly #repeated: RepeatedLines;
  readonly #least: number;
  readonly #clock: Clock;
  readonly #ended: Promise<void>;
  #running = true;
  #reported = 0;

  constructor(options: LogWriterOptions) {
    const { metrics, level, fd, ringBytes, clock } = checkOptions(optionsSchema, options, 'LogWriter');
    this.#least = logLevels.indexOf(level);
    this.#clock = clock;
    this.#ring = new LogRing(ringBytes);
    this.#repeated = new RepeatedLines((...line) => this.#put(...line), clock);
    this.#worker = new Worker(logWorker, {
      eval: true,
      execArgv: [],
      workerData: { shared: this.#ring.shared, fd, words: ringWords, headerBytes: RING_HEADER_BYTES },
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    this.#worker.on('message', () => this.#reportDropped());
    this.#worker.on('error', () => {
      this.#running = false;
    });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.unref(); // after the listeners: one for messages would hold the process again
    const dropped = metrics.counter('dtesn_log_dropped_total', 'Lines of the log that could not be written.');
    metrics.collect(() => dropped.setTotal({}, this.dropped));
  }

  /** Lines that were lost so far. */
  get dropped(): number {
    return this.#ring.dropped;
  }

  debug(msg: string, fields: LogFields = {}): void {
    this.#take('debug', msg, fields);
  }

  info(msg: string, fields: LogFields = {}): void {
    this.#take('info', msg, fields);
  }

  warn(msg: string, fields: LogFields = {}): void {
    this.#take('warn', msg, fields);
  }

  error(msg: string, fields: LogFields = {}): void {
    this.#take('error', msg, fields);
  }

  /** Writes the line and blocks this thread until it is written, at most FLUSH_MS: for a process that is about to exit. */
  writeNow(level: LogLevel, msg: string, fields: LogFields = {}): void {
    this.#repeated.flush();
    this.#put(level, msg, fields);
    if (this.#running) this.#ring.waitUntilWritten(FLUSH_MS);
  }

  async close(): Promise<void> {
    if (!this.#running) return;
    this.#repeated.flush();
    this.#running = false;
    this.#ring.close();
    const cancel = this.#clock.after(FLUSH_MS, () => void this.#worker.terminate(), { hold: true });
    this.#worker.ref();
    await this.#ended;
    cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(level: LogLevel, msg: string, fields: LogFields): void {
    if (logLevels.indexOf(level) >= this.#least) this.#repeated.take(level, msg, fields);
  }

  #put(level: LogLevel, msg: string, fields: LogFields): void {
    if (this.#running) this.#ring.put(logLine(new Date(wallMs()).toISOString(), level, msg, fields));
    else this.#ring.drop();
  }

  #reportDropped(): void {
    const dropped = this.dropped - this.#reported;
    this.#reported = this.dropped;
    if (dropped > 0) this.#put('warn', 'lines of the log were dropped', { dropped });
  }
}
