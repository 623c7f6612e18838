/** The running command under systemd's protocol: sockets that are handed over, and notifications of readiness and stopping. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

const command = path.resolve(import.meta.dirname, '../../../dist/cli/main.js');
const python = spawnSync('python3', ['--version']).status === 0;

/** Binds a TCP socket as descriptor 3 and a datagram socket as NOTIFY_SOCKET, runs the command, and prints what it is told. */
const service = `
import os, signal, socket, subprocess, sys
listening = socket.socket()
listening.bind(('127.0.0.1', 0))
listening.listen()
if listening.fileno() != 3:
    os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(sys.argv[1])
print('port', listening.getsockname()[1], flush=True)
code = 'import os, sys; os.environ["LISTEN_PID"] = str(os.getpid()); os.execvp(sys.argv[1], sys.argv[1:])'
child = subprocess.Popen([sys.executable, '-c', code] + sys.argv[2:], pass_fds=[3],
    env=dict(os.environ, LISTEN_FDS='1', NOTIFY_SOCKET=sys.argv[1], WATCHDOG_USEC='2000000', DTESN_UNITS='64'))
notify.settimeout(60)
ready = False
beats = 0
while beats < 2:
    said = notify.recv(4096).decode()
    print('said', said.split(chr(10))[0], flush=True)
    ready = ready or said.startswith('READY')
    beats += ready and said.startswith('WATCHDOG')
child.send_signal(signal.SIGTERM)
while True:
    said = notify.recv(4096).decode().split(chr(10))[0]
    if said.startswith('STOPPING'):
        print('said', said, flush=True)
        break
print('exit', child.wait(), flush=True)
`;

test.skipIf(!python)(
  'a socket of systemd is served, and systemd hears of readiness, life and the end',
  { tags: ['slow'], timeout: 90_000 },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-notify-'));
    const bridge = [process.execPath, command, 'bridge', '--probe-listen', '127.0.0.1:0'];
    const child = spawn('python3', ['-c', service, path.join(folder, 'notify'), ...bridge], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    let answered: number | null = null;
    child.stdout.on('data', async (chunk) => {
      out += chunk;
      const port = /^port (\d+)$/m.exec(out)?.[1];
      if (answered !== null || port === undefined || !out.includes('READY')) return;
      answered = 0;
      answered = (await fetch(`http://127.0.0.1:${port}/v1/engines`)).status;
    });
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(folder, { recursive: true });
    expect(answered).toBe(200);
    expect(out).toContain('said READY=1');
    expect(out.match(/said WATCHDOG=1/g)!.length).toBeGreaterThanOrEqual(2);
    expect(out).toContain('said STOPPING=1');
    expect(out).toContain('exit 0');
  },
);

/** Binds a Unix socket with a mode as descriptor 3, and becomes the command. */
const unixSocket = `
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
if sys.argv[1] == 'abstract':
    listening.bind(chr(0) + sys.argv[2])
else:
    listening.bind(sys.argv[2])
    os.chmod(sys.argv[2], int(sys.argv[1], 8))
listening.listen()
if listening.fileno() != 3:
    os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), DTESN_UNITS='64')
os.execvp(sys.argv[3], sys.argv[3:])
`;

/** The end of a bridge on such a socket: its exit code and stderr where it refuses to start; 'serves' where it listens. */
async function onUnixSocket(mode: string, withToken: boolean): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-socket-'));
  const token = path.join(folder, 'token');
  writeFileSync(token, 't'.repeat(40), { mode: 0o600 });
  const bridge = [process.execPath, command, 'bridge', '--probe-listen', '127.0.0.1:0', '--log-level', 'error'];
  const flags = withToken ? ['--read-token-file', token] : [];
  const child = spawn('python3', ['-c', unixSocket, mode, path.join(folder, 'bridge.sock'), ...bridge, ...flags]);
  let out = '';
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (out.includes('listening on fd:3')) child.kill('SIGKILL');
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  rmSync(folder, { recursive: true });
  return out.includes('listening on fd:3') ? 'serves' : `${code} ${errors}`;
}

const refused =
  '78 dtesn bridge: every user may open the Unix socket fd:3: expected a token for reading or using (readTokenFile, useTokenFile), ' +
  'or a socket of mode 0660 (SocketMode= of systemd)\n';

test.skipIf(!python).each([
  ['0666', false, refused],
  ['0662', false, refused],
  ['abstract', false, refused],
  ['0660', false, 'serves'],
  ['0666', true, 'serves'],
] as const)(
  'a Unix socket of systemd with mode %s, with a token for reading: %s',
  { timeout: 60_000 },
  async (mode, withToken, expected) => {
    expect(await onUnixSocket(mode, withToken)).toBe(expected);
  },
);
