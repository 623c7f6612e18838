/** The bridge's engines: named, watched, coming and going; tickets of requests; the log of events. */
export type {
  DispatchRequest,
  EngineDefinition,
  FinishRequest,
  PickAnswer,
  PickRequest,
  TicketAnswer,
} from './contracts.js';
export type { Resolve } from './discovery/index.js';
export { checkEngineAddress, type EngineReference, type GivenEngine } from './engine-definition.js';
export type { EngineFigureItem, EngineItem, EngineRateItem, EngineStateItem } from './engine-item.js';
export { EngineSet } from './engine-set.js';
export type { EngineSetOptions } from './engine-set-options.js';
export {
  type BridgeEvent,
  type BridgeEventData,
  type BridgeEventType,
  type EventListener,
  EventLog,
  type EventLogOptions,
  eventTypes,
  type MissedReason,
  type Replay,
} from './event-log.js';
export { KeptTelemetry, type KeptTelemetryOptions } from './kept-telemetry.js';
