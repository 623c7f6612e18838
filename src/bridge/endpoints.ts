/** The endpoints of the parts of a bridge, and what /v1/status says of them. */
import type { DtesnResultJson } from '../processor/index.js';
import type { Endpoint, EventStream } from './http/index.js';
import type { Parts } from './parts.js';
import { partsInDetail } from './parts-in-detail.js';
import type { Heartbeat } from './probes/index.js';
import {
  configurationEndpoints,
  contextEndpoints,
  dashboardEndpoints,
  engineEndpoints,
  eventEndpoints,
  type Logins,
  loginEndpoint,
  metricsEndpoint,
  modelEndpoints,
  openApiEndpoint,
  outlookEndpoints,
  probeEndpoints,
  processingEndpoints,
  referenceEndpoints,
  sessionEndpoints,
  statusEndpoint,
  ticketEndpoints,
} from './routes/index.js';

export interface EndpointParts {
  parts: Parts;
  heartbeat: Heartbeat;
  logins: Logins;
  streams: Set<EventStream>;
  version: string;
  /** Where the probe listener is bound; null without one. */
  probes: string | null;
  startedAt: string;
}

export function bridgeEndpoints(given: EndpointParts): Endpoint[] {
  const { parts, heartbeat, logins, streams, version, probes, startedAt } = given;
  const { metrics, engines, events, runner, sessions, contexts, processor, configuration } = parts;
  let last: DtesnResultJson | null = null;
  const status = () => ({
    version,
    boot: events.boot,
    phase: heartbeat.view().phase,
    startedAt,
    probes,
    simulated: engines.simulated,
    engines: engines.names.length,
    queue: { waiting: runner.waiting, streams: runner.streams },
    sessions: sessions.figures,
    inputs: processor.inputs,
    model: { depth: processor.config.depth, units: processor.config.units, inputs: processor.config.inputs },
    membranes: last?.membranes ?? null,
  });
  const endpoints = [
    ...dashboardEndpoints(),
    ...probeEndpoints(heartbeat, () => partsInDetail(parts)),
    metricsEndpoint(metrics),
    loginEndpoint(logins),
    statusEndpoint(status),
    ...configurationEndpoints(configuration),
    ...contextEndpoints(contexts),
    ...engineEndpoints(engines),
    ...outlookEndpoints(engines),
    ...eventEndpoints(events, streams, () => heartbeat.view().phase !== 'serving'),
    ...ticketEndpoints(engines),
    ...processingEndpoints(runner, (result) => {
      last = result;
    }),
    ...sessionEndpoints(sessions),
    ...modelEndpoints(sessions.models),
    ...referenceEndpoints({ runner, config: () => processor.config, status }),
  ];
  return [...endpoints, openApiEndpoint(endpoints, version)];
}
