/** Text, tokens or numbers to a series. */
export { type EncodeInput, type EncodeOptions, encodeInput } from './encode.js';
export type { EncodedInput, EncodedNumbers, EncodedTokens, FlatValues } from './encoded-input.js';
export { LocalTokenizer, type LocalTokenizerOptions } from './local-tokenizer.js';
export type { MatrixLike } from './numbers.js';
export type { FindLocalTokenizer, TextTokenizer, Tokenize } from './text.js';
export { writeSeries } from './write.js';
