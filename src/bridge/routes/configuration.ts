/**
 * The configuration over HTTP: read by whoever may look, changed by administrators.
 *
 * A change names fields: `{"changes": {"network.units": 2048, "processing.batchWaitMs": 2}}`, all or none. The answer comes when the
 * change is in effect: a network is built before.
 */
import type { Configuration, Snapshot } from '../configuration/index.js';
import { configJsonSchema } from '../configuration/index.js';
import { type Endpoint, type EndpointRequest, endpoint } from '../http/index.js';
import {
  configAnswerSchema,
  configChangeAnswerSchema,
  configChangeSchema,
  configRollbackSchema,
  configSnapshotSchema,
  configSnapshotsSchema,
  configValidationSchema,
  doneSchema,
} from '../messages/index.js';

const reading = { method: 'GET', scope: 'read', idempotent: true, retry: 'at any time', failure: 'open' } as const;
const changing = { method: 'POST', scope: 'admin', failure: 'open' } as const;
const withVersion = 'with the same If-Match: 412 where it was changed before';

export function configurationEndpoints(configuration: Configuration): Endpoint[] {
  const schema = configJsonSchema();
  return [
    endpoint({
      ...reading,
      path: '/v1/config',
      summary: 'The configuration, the origin of each field, and its version as ETag.',
      answers: { 200: configAnswerSchema },
      handle: () => ({ json: configuration.show(), headers: etag(configuration.version) }),
    }),
    endpoint({
      ...reading,
      path: '/v1/config/schema',
      summary: 'JSON Schema of the configuration file; `restart` marks the fields that are taken at the start alone.',
      answers: { 200: doneSchema },
      handle: () => ({ json: schema }),
    }),
    endpoint({
      ...reading,
      path: '/v1/config/snapshots',
      summary: 'The last 50 configurations, the newest first.',
      answers: { 200: configSnapshotsSchema },
      handle: () => ({ json: { items: configuration.snapshots.map(itemOf) } }),
    }),
    endpoint({
      ...reading,
      path: '/v1/config/snapshots/:id',
      summary: 'One of them with its values, and what differs now.',
      answers: { 200: configSnapshotSchema },
      handle: ({ params }) => {
        const { values, difference, ...snapshot } = configuration.snapshot(params['id'] ?? '');
        return { json: { ...itemOf(snapshot), config: values, difference } };
      },
    }),
    endpoint({
      ...changing,
      path: '/v1/config/validate',
      summary: 'What a change would do, and what is wrong with it; nothing is changed or built.',
      idempotent: true,
      retry: 'at any time',
      body: configChangeSchema,
      answers: { 200: configValidationSchema },
      handle: ({ body }) => ({ json: configuration.validate(body.changes) }),
    }),
    endpoint({
      ...changing,
      path: '/v1/config',
      summary: 'Changes fields, all or none; answered when they are in effect. New sessions have the new networks.',
      idempotent: true,
      retry: withVersion,
      body: configChangeSchema,
      answers: { 200: configChangeAnswerSchema },
      handle: async ({ body, incoming }) => {
        const answer = await configuration.change({ ...body, ifMatch: ifMatchOf(incoming) });
        return { json: answer, headers: etag(answer.version) };
      },
    }),
    endpoint({
      ...changing,
      path: '/v1/config/rollback',
      summary: 'The values of a snapshot again, as a change that can itself be undone.',
      idempotent: true,
      retry: withVersion,
      body: configRollbackSchema,
      answers: { 200: configChangeAnswerSchema },
      handle: async ({ body, incoming }) => {
        const answer = await configuration.rollback({ ...body, ifMatch: ifMatchOf(incoming) });
        return { json: answer, headers: etag(answer.version) };
      },
    }),
  ];
}

function etag(version: string): Record<string, string> {
  return { etag: `"${version}"` };
}

function ifMatchOf({ headers }: EndpointRequest['incoming']): string | undefined {
  return headers['if-match'];
}

function itemOf({ id, at, origin, description, changed }: Omit<Snapshot, 'resolved'>): object {
  return { id, at, origin, ...(description !== undefined && { description }), changed };
}
