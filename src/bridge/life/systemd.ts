/**
 * What a service of systemd says and inherits: notifications of Type=notify, the watchdog, and sockets of a .socket unit.
 *
 *     READY=1, STOPPING=1, STATUS=text     once each, when asked for
 *     WATCHDOG=1                           each half of WATCHDOG_USEC, from the event loop: an idle loop is alive
 *
 * Without NOTIFY_SOCKET nothing is sent. Sources: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
 */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import type { Logger } from '../logs/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface SystemdNotifierOptions {
  /** Sends a datagram to the socket of NOTIFY_SOCKET. */
  send: (text: string) => void;
  log: Logger;
  /** Default: the environment of the process. */
  environment?: Environment | undefined;
  /** What the watchdog's interval is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const optionsSchema = z.strictObject({
  send: z.custom<(text: string) => void>((value) => typeof value === 'function').describe('a function'),
  log: z.custom<Logger>((value) => typeof value === 'object').describe('a Logger'),
  environment: z
    .custom<Environment>((value) => typeof value === 'object')
    .optional()
    .describe('an object of strings'),
  clock: clockOption,
});

export class SystemdNotifier {
  readonly #send: (text: string) => void;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #watched: boolean;
  #cancel: () => void = () => {};

  /** Begins to answer the watchdog, where systemd asks for it. */
  constructor(options: SystemdNotifierOptions) {
    const { send, log, environment = process.env, clock } = checkOptions(optionsSchema, options, 'SystemdNotifier');
    this.#send = send;
    this.#log = log;
    this.#clock = clock;
    this.#watched = (environment['NOTIFY_SOCKET'] ?? '') !== '';
    const intervalMs = watchdogMs(environment, process.pid);
    if (this.#watched && intervalMs !== null) this.#beat(intervalMs / 2);
  }

  ready(status: string): void {
    this.#notify(`READY=1\nSTATUS=${oneLine(status)}`);
  }

  status(status: string): void {
    this.#notify(`STATUS=${oneLine(status)}`);
  }

  /** The watchdog is answered until `close`. */
  stopping(): void {
    this.#notify('STOPPING=1\nSTATUS=draining');
  }

  close(): void {
    this.#cancel();
  }

  #beat(ms: number): void {
    this.#notify('WATCHDOG=1');
    this.#cancel = this.#clock.after(ms, () => this.#beat(ms));
  }

  #notify(text: string): void {
    if (!this.#watched) return;
    try {
      this.#send(text);
    } catch (error) {
      this.#log.warn('systemd could not be notified', { code: (error as NodeJS.ErrnoException).code });
    }
  }
}

/** The watchdog's limit for this process, or null. */
function watchdogMs(environment: Environment, pid: number): number | null {
  const { WATCHDOG_USEC: limit = '', WATCHDOG_PID: of = String(pid) } = environment;
  return /^[1-9]\d*$/.test(limit) && of === String(pid) ? Number(limit) / 1000 : null;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

export interface InheritedSocket {
  fd: number;
  /** FileDescriptorName of the .socket unit; 'unknown' where it has none. */
  name: string;
}

const FIRST_FD = 3;
const MAX_SOCKETS = 64;

/** The listening sockets that systemd handed to this process; none where they were meant for another. */
export function inheritedSockets(environment: Environment, pid: number): InheritedSocket[] {
  const { LISTEN_PID: of, LISTEN_FDS: count = '', LISTEN_FDNAMES: names = '' } = environment;
  if (of !== String(pid) || !/^\d+$/.test(count)) return [];
  const name = names.split(':');
  return Array.from({ length: Math.min(Number(count), MAX_SOCKETS) }, (_, i) => ({
    fd: FIRST_FD + i,
    name: name[i] || 'unknown',
  }));
}
