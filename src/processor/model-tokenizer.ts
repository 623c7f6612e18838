/**
 * The local tokenizer of the model an engine serves, loaded when it is first needed and kept while its folder and its
 * tokenizer.json stay the same.
 *
 * Errors, at each call: those of LocalTokenizer.load, and ERR_DTESN_MODEL_FILES when the files are known and invalid.
 */
import { LocalTokenizer } from '../encoding/index.js';
import type { Engine } from '../engine/index.js';

export class ModelTokenizer {
  readonly #engine: Engine;
  #key = '';
  #loading: Promise<LocalTokenizer> | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Null when no tokenizer.json of the model is known on this host. */
  async find(): Promise<LocalTokenizer | null> {
    const files = await this.#engine.modelFiles();
    const hash = files?.facts?.tokenizerSha256 ?? null;
    if (files === null || hash === null) return null;
    const key = `${hash} ${files.folder}`;
    if (this.#loading === null || this.#key !== key) {
      this.#key = key;
      this.#loading = LocalTokenizer.load(files.folder);
      this.#loading.catch(() => {
        if (this.#key === key) this.#loading = null;
      });
    }
    return this.#loading;
  }
}
