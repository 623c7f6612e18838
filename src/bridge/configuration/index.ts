/** The configuration of a bridge, where each field comes from, and its changes. */
export type { Changes, Difference } from './changes.js';
export type {
  BridgeConfigInput,
  BridgeEngineInput,
  BridgeNetworkDefinition,
  BridgeNetworkInput,
  BridgeOutlookInput,
  BridgeProcessingInput,
  BridgeSessionsInput,
} from './config-input.js';
export {
  type ChangeAnswer,
  type ChangeRequest,
  Configuration,
  type ConfigurationOptions,
  type ShownConfiguration,
  type Validation,
} from './configuration.js';
export { ConfigurationError, isConfigurationError } from './configuration-error.js';
export { configJsonSchema, type Field, fields } from './fields.js';
export type { FieldError, Origin } from './layers.js';
export { type BridgeConfig, configSchema, definitionSchema } from './schema.js';
export type { Snapshot, SnapshotOrigin } from './snapshots.js';
export { type StartConfiguration, startConfiguration } from './start.js';
