/**
 * What a model's files say of the model, each fact with the file it was read in. Null is what no file says.
 *
 *     trainedLength   the positions the model was trained on, as engines derive them (vLLM, _get_and_verify_max_len):
 *                     max_position_embeddings x rope factor, where that is not in it already (llama3, longrope, gemma3);
 *                     under yarn original_max_position_embeddings x factor. A sliding window bounds what one layer
 *                     sees, not the length, and changes nothing
 *     tokenizerSize   entries of model.vocab, and the added tokens that are not among them
 *
 * Model families name the same size differently; multimodal ones keep it under text_config.
 */
export interface ModelFacts {
  vocabSize: number | null;
  hiddenSize: number | null;
  /** Of the weights on disk, 'bfloat16' or 'Q4_K_M'; the engine may convert. */
  dtype: string | null;
  trainedLength: number | null;
  tokenizerSize: number | null;
  /** Of the bytes of tokenizer.json, hexadecimal. */
  tokenizerSha256: string | null;
  /** model_max_length, where it is no placeholder such as 1e30. */
  tokenizerMaxLength: number | null;
  bosTokenIds: number[] | null;
  eosTokenIds: number[] | null;
  /** The file of each known fact. */
  provenance: Partial<Record<FactName, string>>;
}
/** Name of a fact that files say of a model, such as `hiddenSize`. */
export type FactName = Exclude<keyof ModelFacts, 'provenance'>;
export type SomeFacts = Partial<Omit<ModelFacts, 'provenance'>>;

export type JsonObject = Readonly<Record<string, unknown>>;

const noFacts: ModelFacts = {
  ...{ vocabSize: null, hiddenSize: null, dtype: null, trainedLength: null, tokenizerSize: null },
  ...{ tokenizerSha256: null, tokenizerMaxLength: null, bosTokenIds: null, eosTokenIds: null, provenance: {} },
};

/** Facts of several files as one: of each fact the first file that knows it. */
export function joinFacts(files: readonly (readonly [file: string, facts: SomeFacts])[]): ModelFacts {
  const joined: ModelFacts = { ...noFacts, provenance: {} };
  for (const [file, facts] of files) {
    for (const [name, value] of Object.entries(facts) as [FactName, never][]) {
      if (value === null || value === undefined || joined[name] !== null) continue;
      joined[name] = value;
      joined.provenance[name] = file;
    }
  }
  return joined;
}

export function configFacts(config: JsonObject): SomeFacts {
  const text = objectOf(config['text_config']);
  const first = <T>(keys: string[], accept: (value: unknown) => value is T): T | null =>
    [...keys.map((key) => config[key]), ...keys.map((key) => text[key])].find(accept) ?? null;
  const dtype = first(['dtype', 'torch_dtype'], (value): value is string => typeof value === 'string');
  const positions = first(['max_position_embeddings', 'n_positions', 'max_seq_len', 'seq_length'], isSize);
  return {
    vocabSize: first(['vocab_size'], isSize),
    hiddenSize: first(['hidden_size', 'n_embd', 'd_model', 'dim'], isSize),
    dtype: dtypeWord(dtype),
    trainedLength: positions === null ? null : scaledLength(positions, config, text),
    ...boundaryTokens(config),
  };
}

const dtypeWords = new Set([
  ...['float64', 'double', 'float32', 'float', 'float16', 'half', 'bfloat16', 'float8', 'fp8', 'fp4', 'nf4', 'mxfp4'],
  ...['float8_e4m3fn', 'float8_e4m3fnuz', 'float8_e5m2', 'float8_e5m2fnuz', 'float4_e2m1fn_x2'],
  ...['int64', 'int32', 'int16', 'int8', 'int4', 'uint8', 'uint4', 'bool'],
]);

/** One of the words that PyTorch and engines write, without `torch.`; null for every other text: a file is not trusted. */
export function dtypeWord(text: string | null | undefined): string | null {
  const word = text?.replace(/^torch\./, '');
  return word !== undefined && dtypeWords.has(word) ? word : null;
}

export function generationFacts(config: JsonObject): SomeFacts {
  return boundaryTokens(config);
}

export function tokenizerFacts(tokenizer: JsonObject, sha256: string): SomeFacts {
  const { vocab } = objectOf(tokenizer['model']);
  const known = entriesOf(vocab);
  if (known === null) return { tokenizerSha256: sha256 };
  const added = Array.isArray(tokenizer['added_tokens']) ? tokenizer['added_tokens'] : [];
  const extra = new Set(added.map((token) => objectOf(token)['content']).filter((text) => typeof text === 'string'));
  const tokenizerSize = known.size + [...extra].filter((text) => !known.has(text)).length;
  return { tokenizerSha256: sha256, tokenizerSize: tokenizerSize > 0 ? tokenizerSize : null };
}

export function tokenizerConfigFacts(config: JsonObject): SomeFacts {
  const length = config['model_max_length'];
  return { tokenizerMaxLength: isSize(length) && length < 1e9 ? length : null };
}

const scaledAlready = ['su', 'longrope', 'llama3'];

function scaledLength(positions: number, config: JsonObject, text: JsonObject): number {
  if (/gemma3/.test(String(config['model_type']))) return positions;
  const given = [config, text].flatMap((from) => [from['rope_parameters'], from['rope_scaling']]);
  const outer = given.map(objectOf).find((rope) => Object.keys(rope).length > 0) ?? {};
  // Newer files keep one set of parameters for each kind of layer.
  const sets = [outer, ...Object.values(outer).map(objectOf)];
  const scaled = sets.map((rope) => {
    const type = rope['rope_type'] ?? rope['type'];
    const { factor, original_max_position_embeddings: original } = rope;
    if (typeof type !== 'string' || scaledAlready.includes(type)) return positions;
    if (typeof factor !== 'number' || !(factor >= 1 && factor <= 1024)) return positions;
    return Math.floor((type === 'yarn' && isSize(original) ? original : positions) * factor);
  });
  return Math.max(...scaled);
}

function boundaryTokens(config: JsonObject): Pick<SomeFacts, 'bosTokenIds' | 'eosTokenIds'> {
  return { bosTokenIds: tokenIds(config['bos_token_id']), eosTokenIds: tokenIds(config['eos_token_id']) };
}

function tokenIds(value: unknown): number[] | null {
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  const whole = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) >= 0;
  return ids.length > 0 && ids.every(whole) ? ids : null;
}

/** BPE, WordPiece and WordLevel map tokens to ids; Unigram lists [token, score]. */
function entriesOf(vocab: unknown): Set<string> | null {
  if (!Array.isArray(vocab)) return typeof vocab === 'object' && vocab !== null ? new Set(Object.keys(vocab)) : null;
  return new Set(vocab.flatMap((entry) => (Array.isArray(entry) && typeof entry[0] === 'string' ? [entry[0]] : [])));
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
