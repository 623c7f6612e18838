/**
 * A client of the bridge. Nothing here loads the addon.
 *
 * @module dtesn/bridge-client
 */
export {
  type AdmitRequest,
  type BatchItem,
  BridgeClient,
  type DispatchRequest,
  type FinishRequest,
  type PickRequest,
  type SeriesFrame,
} from './bridge-client.js';
export { BridgeSession, type SessionReadoutMessage } from './bridge-session.js';
export {
  type BridgeCallCode,
  BridgeCallError,
  type BridgeCallErrorOptions,
  isBridgeCallError,
} from './call-error.js';
export type { BridgeEvent } from './events.js';
export type {
  BridgeClientOptions,
  CallOptions,
  EventsOptions,
  ProcessCallOptions,
  SessionOptions,
  StepsOptions,
  StreamCallOptions,
  TracedCallOptions,
} from './options.js';
export type { ProcessStreamEvent, StreamedInput } from './process-stream.js';
