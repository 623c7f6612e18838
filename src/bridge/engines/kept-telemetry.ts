/**
 * The telemetry of a bridge's engines, kept over its restarts: the file `telemetry` of the state directory.
 *
 *     u32 length of the header, header (JSON: [{ name, bytes }]), the bytes of each ring (TelemetryRing.snapshot), little-endian
 *
 * It is written every 5 min and when the bridge ends, to a second file that then takes the place of the first; what came after the last
 * writing before a crash is a gap. A file that cannot be read or written is a line of the log, and the bridge goes on without.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../abort/index.js';
import type { Logger } from '../logs/index.js';

const FILE = 'telemetry';
const SAVE_MS = 300_000;
const HEAD = 4;

export interface KeptTelemetryOptions {
  /** The state directory. */
  dir: string;
  clock: Clock;
  log: Logger;
}

export class KeptTelemetry {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #kept: Map<string, Uint8Array>;
  #cancel = () => {};
  #saving: Promise<void> = Promise.resolve();

  private constructor({ dir, clock, log }: KeptTelemetryOptions, kept: Map<string, Uint8Array>) {
    this.#file = path.join(dir, FILE);
    this.#clock = clock;
    this.#log = log;
    this.#kept = kept;
  }

  static async open(options: KeptTelemetryOptions): Promise<KeptTelemetry> {
    const file = path.join(options.dir, FILE);
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') options.log.warn('kept telemetry cannot be read', { code: error.code });
      return null;
    });
    const kept = bytes === null ? new Map<string, Uint8Array>() : split(bytes);
    if (kept === null) options.log.warn('kept telemetry is damaged: it begins again', { file });
    return new KeptTelemetry(options, kept ?? new Map());
  }

  /** What was kept of an engine, once; null without any. */
  take(name: string): Uint8Array | null {
    const bytes = this.#kept.get(name) ?? null;
    this.#kept.delete(name);
    return bytes;
  }

  /** Keeps what `snapshots` gives, by the names of engines, from time to time. */
  start(snapshots: () => Map<string, Uint8Array>): void {
    this.#cancel = this.#clock.after(SAVE_MS, () => {
      void this.save(snapshots());
      this.start(snapshots);
    });
  }

  /** Resolves when it is written, or could not be. What was kept of engines that were not seen yet stays. */
  save(snapshots: Map<string, Uint8Array>): Promise<void> {
    const all = new Map([...this.#kept, ...snapshots]);
    this.#saving = this.#saving.then(async () => {
      try {
        await writeFile(`${this.#file}.tmp`, joined(all), { mode: 0o600 });
        await rename(`${this.#file}.tmp`, this.#file);
      } catch (error) {
        this.#log.warn('telemetry cannot be kept', { code: (error as NodeJS.ErrnoException).code });
      }
    });
    return this.#saving;
  }

  /** Ends the writing; what is under way is waited for. */
  async close(): Promise<void> {
    this.#cancel();
    await this.#saving;
  }
}

function joined(snapshots: Map<string, Uint8Array>): Uint8Array {
  const entries = [...snapshots];
  const header = Buffer.from(JSON.stringify(entries.map(([name, { length }]) => ({ name, bytes: length }))));
  const length = Buffer.alloc(HEAD);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...entries.map(([, bytes]) => bytes)]);
}

/** Null for bytes that are no whole file. */
function split(bytes: Buffer): Map<string, Uint8Array> | null {
  try {
    let at = HEAD + bytes.readUInt32LE(0);
    const header = JSON.parse(bytes.subarray(HEAD, at).toString()) as { name: string; bytes: number }[];
    const kept = new Map<string, Uint8Array>();
    for (const { name, bytes: length } of header) {
      kept.set(name, bytes.subarray(at, at + length));
      at += length;
    }
    return at === bytes.length ? kept : null;
  } catch {
    return null;
  }
}
