/** From an input to a result. */
export { configSchema, createConfig, type DtesnConfig, type DtesnConfigInput } from './config.js';
export {
  DtesnProcessor,
  type PreprocessedInput,
  type ProcessOptions,
  type ProcessorOptions,
} from './processor.js';
export { type DtesnFailure, type DtesnResult, dtesnResultSchema } from './result.js';
