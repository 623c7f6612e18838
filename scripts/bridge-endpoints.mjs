/** Writes the table of endpoints into docs/bridge.md, from the OpenAPI document of a bridge of dist. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const page = path.resolve(import.meta.dirname, '../docs/bridge.md');
const place = /(<!-- endpoints -->\n)[\s\S]*?(<!-- \/endpoints -->)/;

/** One row an operation. */
export function endpointTable({ paths }) {
  const rows = Object.entries(paths)
    .filter(([where]) => !where.startsWith('/assets/'))
    .flatMap(([where, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const idempotent = operation['x-dtesn-idempotent'] ? 'yes' : 'no';
        const { 'x-dtesn-scope': scope, 'x-dtesn-retry': retry, 'x-dtesn-failure': failure, summary } = operation;
        return `| \`${method.toUpperCase()} ${where}\` | ${scope} | ${idempotent} | ${retry} | ${failure} | ${summary} |`;
      }),
    );
  return [
    '| endpoint | scope | idempotent | retry | without an answer | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

async function write() {
  const { Bridge } = await import('../dist/bridge.js');
  const bridge = await Bridge.start({ listen: [], probeListen: null, network: { units: 16, depth: 2 } });
  const server = http.createServer(bridge.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/openapi.json`);
  const table = endpointTable(await answer.json());
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(place, (_, open, close) => `${open}\n${table}\n\n${close}`),
  );
  server.closeAllConnections();
  server.close();
  await bridge.close();
}

if (process.argv[1] === import.meta.filename) await write();
