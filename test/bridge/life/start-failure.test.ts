/** How the command ends where it cannot start: an exit code by the kind of the reason, and one line on stderr. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type RunningBridgeOptions, startBridge } from '../running-bridge.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const at = path.join(folder, name);
  writeFileSync(at, text, { mode: 0o600 });
  return at;
};

/** The exit code, and the lines of stderr that are no log lines. */
async function endOf({ args = [], ...options }: RunningBridgeOptions): Promise<[number, string[]]> {
  const child = startBridge({ ...options, args: ['--log-level', 'error', ...args] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  try {
    const [code] = await once(child, 'close', { signal: AbortSignal.timeout(30_000) });
    return [code, errors.split('\n').filter((line) => line !== '' && !line.startsWith('{'))];
  } finally {
    child.kill('SIGKILL');
  }
}

test.each<[string, RunningBridgeOptions, number, RegExp]>([
  ['an address without a port', { listen: ['foo'] }, 2, /HOST:PORT.* for listen but received the string "foo"$/],
  ['a wrong address of probes', { probe: 'foo' }, 2, /HOST:PORT.* for probeListen but received the string "foo"$/],
  ['an unknown level of the log', { args: ['--log-level', 'loud'] }, 2, /for logLevel but received the string "loud"$/],
  ['an engine over ftp', { args: ['--engine', 'ftp://a:1'] }, 2, /for url but received the string "ftp:\/\/a:1"$/],
  ['an engine of DNS with a user', { args: ['--engine', 'dns+http://u:secret@a:1'] }, 2, /without user/],
  ['an engine with a user', { args: ['--engine', 'http://u:secret@a:1'] }, 2, /without user, query and fragment/],
  ['two engines of one address', { args: ['--engine', 'http://a:1', '--engine', 'http://a:1'] }, 2, /http:\/\/a:1/],
  ['a wrong address in the environment', { listen: [], env: { DTESN_BRIDGE_LISTEN: 'foo' } }, 78, /listen: .*"foo"$/],
  [
    'a Unix socket that the environment opens to all',
    { listen: ['unix:/none/socket'], env: { DTESN_BRIDGE_SOCKET_MODE: '438' } },
    78,
    /for socketMode but received 438$/,
  ],
  ['a token file that is missing', { args: ['--use-token-file', '/none/token'] }, 78, /\/none\/token .*ENOENT/],
  [
    'certificates that are missing',
    { args: ['--tls-cert', '/none/cert', '--tls-key', '/none/key'] },
    78,
    /certificate \/none\/cert and the key \/none\/key cannot be taken: ENOENT$/,
  ],
])('%s ends the start with one line', { tags: ['slow'], timeout: 40_000 }, async (_, options, code, line) => {
  const [found, lines] = await endOf(options);
  expect([found, lines]).toEqual([code, [expect.stringMatching(line)]]);
  expect(lines[0]).toMatch(/^dtesn bridge: /);
  expect(lines[0]).not.toMatch(/secret|Error|ERR_| {4}at /);
});

test('a wrong engine and a missing key in the file of the configuration end the start with 78', {
  timeout: 60_000,
}, async () => {
  const wrong = file('ftp.json', JSON.stringify({ engines: ['ftp://a:1'] }));
  expect(await endOf({ args: ['--config', wrong] })).toEqual([78, [expect.stringMatching(/engines: .*ftp:\/\/a:1/)]]);
  const engines = [{ url: 'http://a:1', apiKeyFile: '/none/key' }];
  const missing = file('key.json', JSON.stringify({ engines }));
  expect(await endOf({ args: ['--config', missing] })).toEqual([
    78,
    ['dtesn bridge: engines: the key file /none/key cannot be read: ENOENT'],
  ]);
});

test('an address that is in use ends the start with 1 and a line that names it, for requests and for probes', {
  timeout: 60_000,
}, async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const options of [{ listen: [taken] }, { probe: taken }]) {
      const [code, lines] = await endOf(options);
      expect([code, lines]).toEqual([1, [expect.stringContaining(taken)]]);
      const [line] = lines;
      expect(line).toContain('EADDRINUSE');
    }
  } finally {
    server.close();
  }
});
