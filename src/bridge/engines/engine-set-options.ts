/** The options of an EngineSet. */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import type { EngineMonitorOptions } from '../../monitor/index.js';
import { type AdmissionMode, admissionModes, type ScaleHintOptions } from '../../outlook/index.js';
import type { Logger } from '../logs/index.js';
import type { MetricsRegistry } from '../metrics/index.js';
import { type Resolve, systemResolve } from './discovery/index.js';
import type { EngineReference } from './engine-definition.js';
import type { EventLog } from './event-log.js';
import type { KeptTelemetry } from './kept-telemetry.js';

const service = <T>() => z.custom<T>((value) => typeof value === 'object' && value !== null);

export const optionsSchema = z.object({
  engines: z.array(z.custom<EngineReference>()).default([]).describe('an array of addresses or definitions of engines'),
  enginesFile: z.string().min(1).optional().describe('the path of a JSON file of targets'),
  events: service<EventLog>().describe('an EventLog'),
  log: service<Logger>().describe('a Logger'),
  metrics: service<MetricsRegistry>().describe('a MetricsRegistry'),
  monitor: z.record(z.string(), z.unknown()).default({}).describe('options of EngineMonitor'),
  affinity: z.number().min(1).optional().describe('a finite number, 1 or more,'),
  admission: z.enum(admissionModes).default('advisory').describe("'advisory' or 'active'"),
  scale: z.custom<ScaleHintOptions>().default({}).describe('options of a scale hint'),
  resolve: z
    .custom<Resolve>((value) => typeof value === 'function')
    .default(() => systemResolve)
    .describe('a function'),
  telemetry: service<KeptTelemetry>().nullable().default(null).describe('a KeptTelemetry, or null'),
  clock: clockOption,
});

export type CheckedEngineSetOptions = z.output<typeof optionsSchema>;

export interface EngineSetOptions {
  /** Addresses (`http://`, `https://`, `unix:/path`, `dns+http://host:port`), definitions, or engines of the host. Default: none. */
  engines?: readonly EngineReference[] | undefined;
  /** A file in the form of Prometheus' file_sd, watched (discovery/engines-file.ts). */
  enginesFile?: string | undefined;
  /** The log that every change is appended to. */
  events: EventLog;
  log: Logger;
  metrics: MetricsRegistry;
  /** Of each engine's monitor: interval, limits. */
  monitor?: EngineMonitorOptions | undefined;
  /** How many times the cheapest engine's cost that of a session's own engine may be, 1 or more. Default 2. */
  affinity?: number | undefined;
  /** Whether admission refuses requests or only advises. Default 'advisory'. */
  admission?: AdmissionMode | undefined;
  /** By which the number of engines is hinted. Default: the defaults of a scale hint. */
  scale?: ScaleHintOptions | undefined;
  /** The addresses of a `dns+` name. Default: the system's resolver. */
  resolve?: Resolve | undefined;
  /** Where figures over time are kept over restarts. Default: nowhere. */
  telemetry?: KeptTelemetry | null | undefined;
  /** In place of the system's clock, for tests. */
  clock?: Clock | undefined;
}
