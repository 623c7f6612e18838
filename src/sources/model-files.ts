/**
 * The files of a model on this host: config.json of its folder (the layout of Hugging Face), parsed.
 *
 * Errors: DtesnError ERR_DTESN_MODEL_FILES when the file is absent, not a plain file, too large or not a JSON object.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { DtesnError } from '../errors/index.js';
import type { ModelFiles } from './engine.js';

const maxBytes = 4 * 1024 * 1024;

export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const file = path.join(folder, 'config.json');
  try {
    const { size, isFile } = await stat(file).then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!isFile || size > maxBytes) throw new Error(`not a plain file of at most ${maxBytes} bytes`);
    const config: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof config !== 'object' || config === null || Array.isArray(config)) throw new Error('not a JSON object');
    return { folder, config: config as Record<string, unknown> };
  } catch (cause) {
    throw new DtesnError('ERR_DTESN_MODEL_FILES', `Expected the model's ${file} but: ${(cause as Error).message}`, {
      cause,
    });
  }
}
