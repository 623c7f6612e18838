/** The configuration of a bridge, where each field comes from, and its changes. */
export { type BridgeConfig, type BridgeConfigInput, changeable, configSchema } from './schema.js';
