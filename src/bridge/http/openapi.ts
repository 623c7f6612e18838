/** The OpenAPI 3.1 document of the declared endpoints: paths, schemas, scopes, and what to do when an endpoint fails. */
import { z } from 'zod';
import { errorSchema } from '../messages/index.js';
import type { Endpoint } from './endpoint.js';

export function openApiOf(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of endpoints) {
    const path = one.path.replace(/:([A-Za-z]+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][one.method.toLowerCase()] = operation(one);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'dtesn bridge', version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: jsonSchema(errorSchema, 'output') },
    },
  };
}

function operation(one: Endpoint): object {
  return {
    summary: one.summary,
    operationId: `${one.method.toLowerCase()}${one.path.replace(/[^A-Za-z]+(.)?/g, (_, next: string = '') => next.toUpperCase())}`,
    description: `${one.idempotent ? 'Idempotent' : 'Not idempotent'}. Retry: ${one.retry}. Where the bridge does not answer: ${one.failure === 'open' ? 'go on without it' : 'stop'}.`,
    'x-dtesn-scope': one.scope,
    'x-dtesn-idempotent': one.idempotent,
    'x-dtesn-retry': one.retry,
    'x-dtesn-failure': one.failure,
    ...(one.scope !== 'open' && { security: [{ bearer: [one.scope] }] }),
    parameters: [...pathParameters(one), ...queryParameters(one)],
    ...(one.method === 'POST' && { requestBody: requestBody(one) }),
    responses: responses(one),
  };
}

function pathParameters({ path }: Endpoint): object[] {
  return [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters({ query }: Endpoint): object[] {
  const { properties = {}, required = [] } = (query ? jsonSchema(query, 'input') : {}) as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function requestBody({ body, frames, streamed }: Endpoint): object {
  const binary = { schema: { type: 'string', format: 'binary' } };
  return {
    required: true,
    content: {
      ...(body && { 'application/json': { schema: jsonSchema(body, 'input') } }),
      ...((frames || streamed) && { 'application/octet-stream': binary }),
    },
  };
}

function responses({ answers, frames }: Endpoint): object {
  const known = Object.entries(answers).map(([status, answer]) => {
    const content =
      typeof answer === 'string'
        ? { [answer]: {} }
        : {
            'application/json': { schema: jsonSchema(answer, 'output') },
            ...(frames && { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }),
          };
    return [status, { description: Number(status) < 300 ? 'Done' : 'Refused', content }];
  });
  const failure = {
    description: 'An error',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
  return { ...Object.fromEntries(known), default: failure };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as {
    $schema?: string;
  };
  return plain;
}
