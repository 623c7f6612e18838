/**
 * A model's facts from its files alone, for when the server that runs it does not answer: a folder in the layout of
 * Hugging Face, or one GGUF file.
 */
import path from 'node:path';
import { argumentError } from '../../errors/index.js';
import type { Engine, ModelCard } from '../engine.js';
import { partialEngine } from '../partial-engine.js';
import { readModelFiles } from './model-files.js';
import { givenModelFolder } from './model-folder.js';

/**
 * A model's facts from its files alone, for when the server that runs it does not answer: a folder in the layout of Hugging
 * Face, or one GGUF file.
 *
 *     model_name      'org/name' where the path tells, else the last part of the path
 *     max_model_len   the trained length, for no server says how much of it is served
 *
 * The version of the engine stays unknown. Errors: TypeError for what is no path; DtesnError ERR_DTESN_MODEL_FILES when no file
 * says anything.
 */
export function modelFilesEngine(folder: string): Engine {
  if (typeof folder !== 'string' || folder === '')
    throw argumentError('the path of a folder or file', 'folder', folder);
  const place = givenModelFolder(path.resolve(folder));
  const models = async (): Promise<ModelCard[]> => {
    const { hubId, facts } = await readModelFiles(place);
    const id = hubId ?? path.basename(place.path);
    const readFrom = { id: "the path of the model's files", maxModelLen: facts?.provenance.trainedLength ?? '' };
    return [{ id, root: place.path, parent: null, maxModelLen: facts?.trainedLength ?? null, ownedBy: null, readFrom }];
  };
  return partialEngine(`model files in ${place.path}`, ['model_config'], {
    models,
    modelFiles: () => readModelFiles(place),
  });
}
