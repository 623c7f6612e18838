/** The running command under systemd's protocol: sockets that are handed over, and notifications of readiness and stopping. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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
  { timeout: 90_000 },
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
