/** `dtesn simulate` as a user runs it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

const main = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Running {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  /** Resolves when stdout contains this. */
  says(text: RegExp): Promise<RegExpExecArray>;
  ended: Promise<number | null>;
}

function run(command: string, args: string[]): Running {
  const child = spawn(command, args, { stdio: 'pipe' });
  children.push(child);
  const running: Running = {
    child,
    stdout: '',
    stderr: '',
    says: async (text) => {
      for (;;) {
        const found = text.exec(running.stdout);
        if (found) return found;
        await new Promise((resolve, reject) => {
          child.stdout.once('data', resolve);
          child.once('exit', () => reject(new Error(`ended: ${running.stdout}${running.stderr}`)));
        });
      }
    },
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
  child.stdout.on('data', (chunk) => {
    running.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    running.stderr += String(chunk);
  });
  return running;
}

const simulate = (...args: string[]) => run(process.execPath, [main, 'simulate', '--port', '0', ...args]);
const statusOf = async (url: string) => (await fetch(url).catch(() => null))?.status ?? 'refused';

describe('dtesn simulate', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const)(
    'dtesn simulate prints its address and nothing else, and ends at %s with %i',
    { tags: ['slow'] },
    async (signal, code) => {
      const running = simulate('--engines', '2');
      const [, url] = await running.says(/(http:\/\/127\.0\.0\.1:\d+)\n/);
      expect(await statusOf(`${url}/health`)).toBe(200);
      expect(await (await fetch(`${url}/metrics`)).text()).toContain('engine="1"');
      running.child.kill(signal);
      expect(await running.ended).toBe(code);
      expect(running.stderr).toBe('');
      expect(await statusOf(`${url}/health`)).toBe('refused');
    },
  );

  test('dtesn simulate --json prints one object with servers, engines, speed, seed and faults', {
    tags: ['slow'],
  }, async () => {
    const running = simulate(
      '--json',
      '--servers',
      '2',
      '--seed',
      '5',
      '--fault',
      'hang@60:30',
      '--fault',
      'crash@1e2',
    );
    expect(await running.ended).toBe(2); // 1e2 is no way to write seconds
    const right = simulate('--json', '--servers', '2', '--seed', '5', '--fault', 'hang@60:30', '--fault', 'crash@99.5');
    await right.says(/\n/);
    const { servers, ...rest } = JSON.parse(right.stdout) as { servers: string[] };
    expect(rest).toEqual({
      engines: 1,
      trace: null,
      speed: 1,
      seed: 5,
      faults: [
        { kind: 'hang', atSeconds: 60, durationSeconds: 30 },
        { kind: 'crash', atSeconds: 99.5 },
      ],
    });
    expect(servers.length).toBe(2);
    for (const url of servers) expect(await statusOf(`${url}/health`)).toBe(200);
    right.child.kill();
    expect(await right.ended).toBe(0);
  });

  test('dtesn simulate replays a trace at its speed, with faults at their virtual times', {
    tags: ['slow'],
  }, async () => {
    const trace = path.join(folder, 'trace.csv');
    const rows = ['TIMESTAMP,ContextTokens,GeneratedTokens', '2023-11-16 18:17:03.9799600,100,5'];
    writeFileSync(trace, `${rows.join('\r\n')}\r\n`);
    const running = simulate('--trace', trace, '--speed', '20', '--fault', 'scaling@30');
    const [, url] = await running.says(/(http:\/\/\S+)\n/);
    expect(running.stdout).toContain('scaling@30');
    let last = '';
    await expect
      .poll(
        async () => {
          const response = await fetch(`${url}/metrics`);
          if (response.ok) last = await response.text();
          return response.status;
        },
        { timeout: 20_000, interval: 20 },
      )
      .toBe(503);
    expect(last).toMatch(/^aphrodite:prompt_tokens_total\{.*\} 100\.0$/m);
    expect(last).toMatch(/^aphrodite:generation_tokens_total\{.*\} 5\.0$/m);
  });

  test('dtesn simulate guards /v1 with --api-key, and has the dev-mode routes with --dev-mode', {
    tags: ['slow'],
  }, async () => {
    const running = simulate('--api-key', 'secret', '--dev-mode');
    const [, url] = await running.says(/(http:\/\/\S+)\n/);
    expect(await statusOf(`${url}/v1/models`)).toBe(401);
    expect(await statusOf(`${url}/is_sleeping`)).toBe(200);
  });

  test.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'dtesn simulate on a terminal shows a status line, and ends at Ctrl-C (skipped: no script command)',
    { tags: ['slow'] },
    async () => {
      // Without exec, a shell that stays in between reports its own interrupt.
      const command = `exec "${process.execPath}" "${main}" simulate --port 0 --speed 20 --load 1 --fault hang@1`;
      const running = run('script', ['-qec', command, '/dev/null']);
      await running.says(/\r.*\d+ s {2}running \d+ {2}waiting \d+ {2}KV \d+ % {2}.*hang/);
      running.child.stdin!.write('\u0003');
      expect(await running.ended).toBe(130);
    },
  );

  test('dtesn simulate --help has its own page, and dtesn --help has a line for it', () => {
    const own = spawnSync(process.execPath, [main, 'simulate', '--help'], { encoding: 'utf8' });
    expect([own.status, own.stderr]).toEqual([0, '']);
    for (const option of ['--port', '--trace', '--fault', '--speed', 'preemption-storm'])
      expect(own.stdout).toContain(option);
    expect(spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' }).stdout).toContain('dtesn simulate');
  });
});

describe('wrong use', () => {
  test.each([
    [['--fault', 'hang'], 2, /KIND@SECONDS\[:DURATION\] for --fault but received "hang"/],
    [['--fault', 'hagn@3'], 2, /Unknown fault hagn; known are hang, /],
    [['--speed', '0'], 2, /a number above 0 for --speed/],
    [['--speed', 'fast'], 2, /a number for --speed but received "fast"/],
    [['--servers', '0'], 2, /for --servers but received 0/],
    [['--engines', '1.5'], 2, /for engines but received 1\.5/],
    [['--loop'], 2, /`loop: true` requires it\) for trace/],
    [['--prot', '1'], 2, /--prot/],
    [['extra'], 2, /extra/],
    [['--trace', 'no-such-file.csv'], 1, /no-such-file\.csv.*\(ERR_DTESN_TRACE\)/],
    [['--host', '192.0.2.1'], 1, /192\.0\.2\.1.*\(ERR_DTESN_SIMULATOR_PORT\)/],
  ] as [string[], number, RegExp][])(
    'wrong use %j prints an error and exits with its code',
    { tags: ['slow'] },
    async (args, wanted, message) => {
      const running = simulate(...args);
      expect(await running.ended).toBe(wanted);
      expect(running.stderr).toMatch(message);
      expect(running.stderr).not.toMatch(/\n {4}at /);
      expect(running.stdout).toBe('');
    },
  );

  test('a port in use is an error with a code, and the servers started before it are closed', {
    tags: ['slow'],
  }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const running = run(process.execPath, [main, 'simulate', '--port', String(port - 1), '--servers', '2']);
    expect(await running.ended).toBe(1);
    expect(running.stderr).toMatch(/ERR_DTESN_SIMULATOR_PORT/);
    await new Promise((resolve) => server.close(resolve));
  });

  test('options before the command are refused with a hint to put them after it', { tags: ['slow'] }, async () => {
    const running = run(process.execPath, [main, '--json', 'simulate']);
    expect(await running.ended).toBe(2);
    expect(JSON.parse(running.stdout).error.message).toBe('Expected simulate before its options');
  });
});
