/** docs/bridge.md says of each endpoint what its declaration says; the OpenAPI document is complete and valid JSON Schema. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpointTable } from '../../scripts/bridge-endpoints.mjs';
import { Bridge } from '../../src/bridge/index.js';
import { bridgeErrorCodes } from '../../src/bridge/messages/index.js';

interface Operation {
  summary: string;
  'x-dtesn-scope': string;
  'x-dtesn-idempotent': boolean;
  'x-dtesn-retry': string;
  'x-dtesn-failure': string;
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, object>;
}

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/bridge.md'), 'utf8');
let bridge: Bridge;
let server: http.Server;
let document: { openapi: string; paths: Record<string, Record<string, Operation>> };

beforeAll(async () => {
  bridge = await Bridge.start({ listen: [], probeListen: null, network: { units: 16, depth: 2 }, logLevel: 'error' });
  server = http.createServer(bridge.listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  document = (await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).json()) as typeof document;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await bridge.close();
});

const operations = () =>
  Object.entries(document.paths).flatMap(([where, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ where, method: method.toUpperCase(), operation })),
  );

test('docs/bridge.md has a row for each endpoint, with its scope, its retry and what a caller does without an answer', () => {
  const table = /<!-- endpoints -->\n([\s\S]*?)\n<!-- \/endpoints -->/.exec(page)?.[1];
  const rows = (text: string) =>
    text
      .split('\n')
      .filter((row) => !row.includes('---'))
      .map((row) => row.split('|').map((cell) => cell.trim()));
  const message = 'node scripts/bridge-endpoints.mjs writes the table';
  expect(rows(table?.trim() ?? ''), message).toEqual(rows(endpointTable(document)));
});

test('docs/bridge.md names each code of an error', () => {
  expect(bridgeErrorCodes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('each POST has a schema of its body and each operation an error', () => {
  expect(document.openapi).toBe('3.1.0');
  for (const { method, operation } of operations()) {
    expect(operation.responses).toHaveProperty('default');
    if (method === 'POST') expect(Object.keys(operation.requestBody?.content ?? {})).toContain('application/json');
  }
});

test('a bridge without listeners is mounted in a server of the program', async () => {
  const { port } = server.address() as AddressInfo;
  expect(bridge.urls).toEqual([]);
  expect((await fetch(`http://127.0.0.1:${port}/v1/engines`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/`)).headers.get('content-type')).toContain('text/html');
});
