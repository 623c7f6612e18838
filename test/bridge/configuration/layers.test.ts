/** Where the fields of a configuration come from, before any bridge runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startConfiguration } from '../../../src/bridge/configuration/index.js';
import { checkBridgeOptions } from '../../../src/bridge/options.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(value: unknown): string {
  const file = path.join(folder, `${++files}.json`);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

function started(given: { flags?: object; environment?: NodeJS.ProcessEnv; file?: unknown } = {}) {
  const path = given.file === undefined ? undefined : fileOf(given.file);
  return startConfiguration({ flags: given.flags ?? {}, environment: given.environment ?? {}, path });
}

describe('layers', () => {
  test('flags are over the environment, the environment over the file, the file over the defaults', () => {
    const { resolved } = started({
      flags: { lockWaitMs: 1 },
      environment: { DTESN_BRIDGE_LOCK_WAIT_MS: '2', DTESN_BRIDGE_LIVENESS_MS: '200' },
      file: { lockWaitMs: 3, livenessMs: 300, settleMs: 400 },
    });
    expect(resolved.config).toMatchObject({ lockWaitMs: 1, livenessMs: 200, settleMs: 400, tokenGraceMs: 300_000 });
    const origin = (name: string) => resolved.origins.get(name);
    expect([origin('lockWaitMs'), origin('livenessMs'), origin('settleMs'), origin('tokenGraceMs')]).toEqual([
      'flag',
      'environment',
      'file',
      'default',
    ]);
  });

  test('the fields of a section come from different layers', () => {
    const { config, origins } = started({
      environment: { DTESN_BRIDGE_SESSIONS_MAX_SESSIONS: '7', DTESN_DEPTH: '2' },
      file: { sessions: { idleMs: 5000, maxSessions: 9 }, network: { units: 256, depth: 3 } },
    }).resolved;
    expect(config.sessions).toMatchObject({ idleMs: 5000, maxSessions: 7 });
    expect(config.network).toMatchObject({ units: 256, depth: 2 });
    expect([origins.get('network.units'), origins.get('network.depth')]).toEqual(['file', 'environment']);
  });

  test('lists of the environment are separated by commas', () => {
    const { config } = started({ environment: { DTESN_BRIDGE_LISTEN: '127.0.0.1:1, [::1]:2,unix:/run/x' } }).resolved;
    expect(config.listen).toEqual(['127.0.0.1:1', '[::1]:2', 'unix:/run/x']);
  });

  test('an unknown variable is refused by name, with the one that was meant', () => {
    expect(() => started({ environment: { DTESN_BRIDGE_LISTENS: 'x' } })).toThrow(
      'the variable DTESN_BRIDGE_LISTENS names no field; did you mean DTESN_BRIDGE_LISTEN?',
    );
  });

  test('variables that Kubernetes makes for a service named dtesn-bridge are ignored', () => {
    const environment = {
      DTESN_BRIDGE_SERVICE_HOST: '10.0.0.1',
      DTESN_BRIDGE_SERVICE_PORT_HTTP: '2250',
      DTESN_BRIDGE_PORT: 'tcp://10.0.0.1:2250',
      DTESN_BRIDGE_PORT_2250_TCP_ADDR: '10.0.0.1',
    };
    expect(() => started({ environment })).not.toThrow();
  });

  test('a wrong value of the environment is refused with the name of its variable', () => {
    expect(() => started({ environment: { DTESN_BRIDGE_SESSIONS_IDLE_MS: 'soon' } })).toThrow(
      /^the variable DTESN_BRIDGE_SESSIONS_IDLE_MS cannot be taken/,
    );
    expect(() => started({ environment: { DTESN_UNITS: 'many' } })).toThrow(/DTESN_UNITS cannot be taken/);
  });
});

describe('a file', () => {
  test.each([
    ['{', /it is not JSON/],
    ['[]', /expected a JSON object/],
    [{ sesions: {} }, /sesions: unknown field/],
    [{ network: { untis: 5 } }, /network\.untis: unknown field; did you mean network\.units/],
    [{ network: 5 }, /network: expected an object/],
    [{ processing: { batchWaitMs: 6 } }, /processing\.batchWaitMs: /],
    [{ networks: { a: { kind: 'Tree', options: {} } } }, /networks\.a: /],
    [{ engines: [{ url: 'http://x', apiKey: 'canary' }] }, /engines: /],
    [{ tlsCert: 'x' }, /expected both tlsCert and tlsKey/],
  ])('%j is refused in one line that names the file and the field', (text, reason) => {
    const refused = () => started({ file: text });
    expect(refused).toThrow(reason);
    expect(refused).toThrow(new RegExp(`${folder}/\\d+\\.json`));
    expect(refused).not.toThrow(/canary|\n/);
  });

  test('its network has 32 units a level, or is refused; a network of flags or environment is warned of', () => {
    expect(() => started({ file: { network: { units: 64 } } })).toThrow(
      /network\.units: expected at least 32 units a level/,
    );
    expect(() => started({ file: { network: { depth: 4 } }, environment: { DTESN_UNITS: '64' } })).toThrow(/32 units/);
    const { warnings } = started({ environment: { DTESN_UNITS: '64' }, file: { network: { seed: 2 } } });
    expect(warnings).toMatchObject([{ field: 'network.units' }]);
  });
});

test('options of a program are named in the error of theirs, and a bad file ends the start with code 78', () => {
  expect(() => checkBridgeOptions({ lockWaitMs: -1 }, {})).toThrow(TypeError);
  expect(() => checkBridgeOptions({ configFile: path.join(folder, 'none.json') }, {})).toThrow(
    expect.objectContaining({ exitCode: 78, message: expect.stringMatching(/none\.json cannot be read: ENOENT/) }),
  );
});

test('a definition with a key is no part of the configuration, which is shown', () => {
  const { config, given } = checkBridgeOptions({ engines: [{ url: 'http://a', apiKey: 'canary' }, 'http://b'] }, {});
  expect(config.engines).toEqual(['http://b']);
  expect(given).toEqual([{ url: 'http://a', apiKey: 'canary' }]);
});
