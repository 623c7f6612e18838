/**
 * What the thread of a local tokenizer runs: a text, for a thread is made of plain JavaScript wherever this package lies.
 *
 * workerData { folder, from, port, answered }; a message { id, question, value } is answered with { id, value } or
 * { id, error } on the port, and counted in `answered`, so that a caller may wait for it without its event loop. The files
 * are read with the first question. Limits: 64 MiB for tokenizer.json, 4 MiB for its config.
 */
export const tokenizerWorker = `
const { createRequire } = require('node:module');
const { readFileSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { workerData: { folder, from, port, answered } } = require('node:worker_threads');

const mebibyte = 1024 * 1024;
let loaded = null;

function load() {
  const { Tokenizer } = createRequire(from)('@huggingface/tokenizers');
  const tokenizer = readJson(join(folder, 'tokenizer.json'), 64 * mebibyte);
  let config = {};
  try {
    config = readJson(join(folder, 'tokenizer_config.json'), 4 * mebibyte);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return { tokenizer: new Tokenizer(tokenizer, config), cleanUp: config.clean_up_tokenization_spaces === true };
}

function readJson(file, maxBytes) {
  const found = statSync(file);
  if (!found.isFile() || found.size > maxBytes) {
    throw new Error(file + ' is not a regular file of at most ' + maxBytes + ' bytes');
  }
  const json = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new Error(file + ' is not a JSON object');
}

const questions = {
  load: () => null,
  encode: (text) => loaded.tokenizer.encode(text).ids,
  decode: (ids) => loaded.tokenizer.decode(ids, {
    skip_special_tokens: false,
    clean_up_tokenization_spaces: loaded.cleanUp,
  }),
};

port.on('message', ({ id, question, value }) => {
  try {
    loaded ??= load();
    port.postMessage({ id, value: questions[question](value) });
  } catch (error) {
    port.postMessage({ id, error: String(error?.message ?? error) });
  }
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
});
`;
