/**
 * dtesn/bridge: the sidecar server beside an inference engine.
 *
 * @module dtesn/bridge
 */
export { Bridge } from './bridge.js';
export * from './client/index.js';
export type {
  BridgeConfig,
  BridgeConfigInput,
  BridgeEngineInput,
  BridgeNetworkDefinition,
  BridgeNetworkInput,
  BridgeOutlookInput,
  BridgeProcessingInput,
  BridgeSessionsInput,
} from './configuration/index.js';
export type { EngineDefinition, GivenEngine } from './engines/index.js';
export type { NodeBindings } from './http/index.js';
export { BridgeError, type BridgeErrorCode, type BridgeErrorOptions, bridgeErrorCodes } from './messages/index.js';
export type { BridgeOptions } from './options.js';
export { serve } from './serve.js';
