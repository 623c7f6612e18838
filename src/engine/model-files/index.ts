/** Model facts from files: a folder of the Hugging Face layout, or GGUF. */
export { modelConflicts } from './model-conflicts.js';
export { readModelFiles } from './model-files.js';
export { modelFilesEngine } from './model-files-engine.js';
export { type AllowedPlaces, findModelFolder, givenModelFolder } from './model-folder.js';
