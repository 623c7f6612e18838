/**
 * What an engine said of its model and its tokenizer, kept on disk between processes: one file an engine.
 *
 *     <folder>/dtesn-sources-<first 32 digits of the SHA-256 of the label>.json
 *     { format: 'dtesn-sources', version: 1, sha256, body }    body: JSON text of { label, model_config?, tokenizer? }
 *
 * The label holds no credential; the kind of engine is the tokenizer's engine_type, and compared when the engine answers.
 * A file is written beside its place and renamed, mode 0600, so that readers see the old one or the new one whole; of two
 * processes that write the last one wins. A file that is torn, altered, of another version, of another engine, larger
 * than 1 MiB or dated in the future is ignored. Errors: none; `problems()` tells what went wrong.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { wallMs } from '../abort/index.js';
import { failure } from './observation.js';
import { type ModelConfigSource, modelConfigSchema, type TokenizerSource, tokenizerSchema } from './types.js';

export interface Facts {
  model_config?: ModelConfigSource | undefined;
  tokenizer?: TokenizerSource | undefined;
}

const mostBytes = 1024 * 1024;
const fileSchema = z.object({
  format: z.literal('dtesn-sources'),
  version: z.literal(1),
  sha256: z.string(),
  body: z.string(),
});
const bodySchema = z.object({
  label: z.string(),
  model_config: modelConfigSchema.optional(),
  tokenizer: tokenizerSchema.optional(),
});

export class KeptFacts {
  readonly #file: string;
  readonly #label: string;
  #facts: Facts = {};
  #writing: Promise<void> | null = null;
  #again = false;
  #ignored: string | null = null;
  #unwritten: string | null = null;

  constructor(folder: string, label: string) {
    this.#label = label;
    this.#file = path.join(folder, `dtesn-sources-${sha256(label).slice(0, 32)}.json`);
  }

  /** What is kept and can be trusted. */
  async load(): Promise<Facts> {
    try {
      const { label, ...facts } = parsed(await readBounded(this.#file));
      if (label !== this.#label) throw new Error('it belongs to another engine');
      this.#facts = { ...facts, ...this.#facts };
      return facts;
    } catch (error) {
      const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!absent) this.ignore(failure(error).error);
      return {};
    }
  }

  /** Keeps the facts beside those that are known, on disk a moment later. */
  keep(facts: Facts): void {
    this.#facts = { ...this.#facts, ...facts };
    if (this.#writing !== null) this.#again = true;
    else this.#writing = this.#write();
  }

  /** What is kept is not used, for a reason. */
  ignore(why: string): void {
    this.#ignored = `${this.#file} is ignored: ${why}`;
  }

  /** Why what was kept is not used, reported once; why it cannot be written, as long as that is so. */
  problems(): string[] {
    const problems = [this.#ignored, this.#unwritten].filter((problem) => problem !== null);
    this.#ignored = null;
    return problems;
  }

  /** Resolves when all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    do {
      this.#again = false;
      const beside = `${this.#file}.${crypto.randomUUID()}.tmp`;
      try {
        await mkdir(path.dirname(this.#file), { recursive: true });
        const body = JSON.stringify({ label: this.#label, ...this.#facts });
        const file = { format: 'dtesn-sources', version: 1, sha256: sha256(body), body };
        await writeFile(beside, JSON.stringify(file), { mode: 0o600 });
        await rename(beside, this.#file);
        this.#unwritten = null;
      } catch (error) {
        this.#unwritten = `${this.#file} cannot be written: ${failure(error).error}`;
        await rm(beside, { force: true }).catch(() => {}); // it may never have been there
      }
    } while (this.#again);
    this.#writing = null;
  }
}

async function readBounded(file: string): Promise<string> {
  const found = await stat(file);
  if (!found.isFile() || found.size > mostBytes)
    throw new Error(`it is not a regular file of at most ${mostBytes} bytes`);
  return readFile(file, 'utf8');
}

function parsed(text: string): z.infer<typeof bodySchema> {
  const file = fileSchema.safeParse(jsonOf(text));
  if (!file.success) throw new Error('its format or version is not supported');
  const { body, sha256: digest } = file.data;
  if (sha256(body) !== digest) throw new Error('its checksum is wrong');
  const facts = bodySchema.safeParse(jsonOf(body));
  if (!facts.success) throw new Error('its records do not match the schema');
  const dates = [facts.data.model_config, facts.data.tokenizer].map((source) => source?.fetch_timestamp ?? 0);
  if (Math.max(...dates) > wallMs() / 1000 + 1) throw new Error('it is dated in the future');
  return facts.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not complete JSON');
  }
}

function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
