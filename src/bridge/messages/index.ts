/** What the bridge says and takes: one zod schema a message, the error codes, the OpenAPI document. */
export {
  BridgeError,
  type BridgeErrorCode,
  type BridgeErrorOptions,
  bridgeErrorCodes,
  isBridgeError,
} from './bridge-error.js';
export { type ErrorMessage, errorSchema } from './error.js';
