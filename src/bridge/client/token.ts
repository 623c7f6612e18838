/** The token of a client: given, or the first line of a file, which is read again when the bridge refuses the token. */
import { readFile } from 'node:fs/promises';
import { DtesnError } from '../../errors/index.js';

export class ClientToken {
  readonly #file: string | undefined;
  #token: string | undefined;

  constructor(token: string | undefined, file: string | undefined) {
    this.#token = token;
    this.#file = file;
  }

  /** The token, or undefined where none is configured. Errors: DtesnError ERR_DTESN_STATE when the file cannot be read. */
  async read(): Promise<string | undefined> {
    if (this.#token === undefined && this.#file !== undefined) this.#token = await firstLine(this.#file);
    return this.#token;
  }

  /** After a refusal: whether the file now has another token than the refused one. */
  async renew(refused: string | undefined): Promise<boolean> {
    if (this.#file === undefined) return false;
    this.#token = await firstLine(this.#file);
    return this.#token !== refused;
  }
}

async function firstLine(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split('\n')[0]!.trim();
  } catch (cause) {
    throw new DtesnError('ERR_DTESN_STATE', `The token file cannot be read: ${(cause as Error).message}`, { cause });
  }
}
