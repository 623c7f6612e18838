/**
 * Engines by a file in the form of Prometheus' file-based service discovery:
 *
 *     [{ "targets": ["10.0.0.1:8000", "https://b.example", "unix:/run/c.sock"], "labels": { "name": "a", "kind": "vllm" } }]
 *
 * A target without a scheme is `http://` (label `__scheme__` says another). The label `name` names the engine of a group with one
 * target, `kind` says what it is; other labels are ignored. The file is read again when its folder changes, which is how
 * Kubernetes swaps a symlink, and every POLL_MS besides. A file that is absent, too large or wrong is logged once for each text
 * and counted, and leaves the engines as they are. A read that hangs delays neither close() nor other work. At most MOST_BYTES and MOST_TARGETS.
 */
import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { Clock } from '../../../abort/index.js';
import { FileWatch } from '../../files/index.js';
import type { Discovery } from './discovery.js';

const MOST_BYTES = 1024 * 1024;
const MOST_TARGETS = 1000;

/** What a file says of one engine. */
export interface Target {
  url: string;
  name?: string | undefined;
  kind?: string | undefined;
}

const groups = z.array(
  z.object({ targets: z.array(z.string().min(1).max(2048)), labels: z.record(z.string(), z.string()).default({}) }),
);

export function parseTargets(text: string): Target[] {
  const targets = groups.parse(parsed(text)).flatMap(({ targets, labels }) =>
    targets.map((target): Target => {
      const url = /^(unix:|[a-z][a-z0-9+.-]*:\/\/)/i.test(target)
        ? target
        : `${labels['__scheme__'] ?? 'http'}://${target}`;
      return { url, name: targets.length === 1 ? labels['name'] : undefined, kind: labels['kind'] };
    }),
  );
  if (targets.length > MOST_TARGETS)
    throw new RangeError(`Expected at most ${MOST_TARGETS} targets but received ${targets.length}`);
  return targets;
}

/** The parser's own message quotes the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError('Expected an array of groups of targets but the file is not JSON');
  }
}

export interface EnginesFileOptions {
  path: string;
  clock: Clock;
  /** Takes the targets of a changed file; throws where they are no engines, and then the file counts as wrong. */
  changed: (targets: Target[]) => Promise<void>;
  failed: (error: Error) => void;
}

export class EnginesFile implements Discovery {
  readonly #options: EnginesFileOptions;
  #watch: FileWatch | null = null;
  #closed = false;
  /** What was last tried, good or not. */
  #tried: string | null = null;
  /** The read under way, and the one after it: no more wait, however long a read hangs. */
  #reading: Promise<void> | null = null;
  #again: Promise<void> | null = null;
  #taking: Promise<void> = Promise.resolve();

  constructor(options: EnginesFileOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { path, clock } = this.#options;
    this.#watch = new FileWatch(path, () => void this.read(), clock);
    await this.read();
  }

  /** Reads the file now, after a read that is under way. */
  read(): Promise<void> {
    if (this.#reading !== null) {
      this.#again ??= this.#reading.then(() => {
        this.#again = null;
        return this.read();
      });
      return this.#again;
    }
    const reading = this.#read().finally(() => {
      this.#reading = null;
    });
    this.#reading = reading;
    return reading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    await this.#taking;
  }

  async #read(): Promise<void> {
    if (this.#closed) return;
    let text = '';
    try {
      text = await boundedText(this.#options.path);
      if (text === this.#tried || this.#closed) return;
      this.#tried = text;
      const taken = this.#options.changed(parseTargets(text));
      this.#taking = taken.catch(() => {});
      await taken;
    } catch (error) {
      if (this.#closed) return;
      const reason = `failed: ${(error as Error).message}`;
      if (text === '' && this.#tried === reason) return;
      if (text === '') this.#tried = reason;
      this.#options.failed(error as Error);
    }
  }
}

async function boundedText(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MOST_BYTES) throw new RangeError(`Expected at most ${MOST_BYTES} bytes but the file has ${size}`);
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead > MOST_BYTES) throw new RangeError(`Expected at most ${MOST_BYTES} bytes`);
    if (bytesRead === 0) throw new RangeError('Expected a JSON array but the file is empty');
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
