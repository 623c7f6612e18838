/**
 * Every stable code of the package: `code` of an error that it throws or rejects with, and `error_code` of a source that
 * failed. docs/errors.md says when each comes and what to do. A source of the host keeps the code of what the host threw.
 */
export type DtesnErrorCode =
  // arguments
  | 'ERR_DTESN_ARGUMENT'
  | 'ERR_DTESN_SHAPE'
  | 'ERR_DTESN_EMPTY'
  // objects and memory
  | 'ERR_DTESN_BUSY'
  | 'ERR_DTESN_CLOSED'
  | 'ERR_DTESN_STATE'
  | 'ERR_DTESN_CAPACITY'
  | 'ERR_DTESN_MEMORY'
  // numerics
  | 'ERR_DTESN_CONVERGENCE'
  | 'ERR_DTESN_DIVERGED'
  | 'ERR_DTESN_SINGULAR'
  | 'ERR_DTESN_UNSTABLE'
  // files
  | 'ERR_DTESN_DATA'
  | 'ERR_DTESN_FILE'
  // the addon and optional packages
  | 'ERR_DTESN_BINARY'
  | 'ERR_DTESN_BINARY_LOAD'
  | 'ERR_DTESN_BUNDLED'
  | 'ERR_DTESN_NATIVE'
  | 'ERR_DTESN_PACKAGE'
  | 'ERR_DTESN_SYSTEM'
  // engines
  | 'ERR_DTESN_ENGINE_BODY'
  | 'ERR_DTESN_ENGINE_BREAKER'
  | 'ERR_DTESN_ENGINE_CREDENTIAL'
  | 'ERR_DTESN_ENGINE_HTTP'
  | 'ERR_DTESN_ENGINE_REFUSED'
  | 'ERR_DTESN_ENGINE_RESET'
  | 'ERR_DTESN_ENGINE_TIMEOUT'
  | 'ERR_DTESN_ENGINE_UNREACHABLE'
  | 'ERR_DTESN_ENGINE_UNSUPPORTED'
  | 'ERR_DTESN_NO_ENGINE'
  | 'ERR_DTESN_METRICS'
  | 'ERR_DTESN_MODEL_FILES'
  | 'ERR_DTESN_TOKENIZER'
  // sources and pipelines
  | 'ERR_DTESN_SOURCE'
  | 'ERR_DTESN_SOURCE_INVALID'
  | 'ERR_DTESN_SOURCE_TIMEOUT'
  | 'ERR_DTESN_TRANSFORMATION'
  // the simulator
  | 'ERR_DTESN_SIMULATOR_PORT'
  | 'ERR_DTESN_TRACE';
