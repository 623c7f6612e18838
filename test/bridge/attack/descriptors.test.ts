/** More connections than descriptors: the command sheds, stays, and its journal commits. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { connect, exchange, pause, statusesOf } from './raw-client.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-descriptors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const command = path.resolve(import.meta.dirname, '../../../dist/cli/main.js');

test.each([300])(
  'with %i descriptors and 400 connections others are shed, and rows become durable',
  { timeout: 60_000 },
  async (limit) => {
    const args = [
      'bridge',
      '--listen',
      '127.0.0.1:0',
      '--probe-listen',
      '127.0.0.1:0',
      '--state-dir',
      path.join(folder, `s${limit}`),
    ];
    const line = `ulimit -n ${limit} && exec "$0" "$@"`;
    const child = spawn('/bin/sh', ['-c', line, process.execPath, command, ...args], {
      env: { ...process.env, DTESN_UNITS: '64' },
    });
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      const url = await new Promise<string>((resolve, reject) => {
        child.stdout.on('data', (chunk) => {
          const found = /listening on (\S+)/.exec(String(chunk));
          if (found) resolve(found[1]!);
        });
        child.once('exit', () => reject(new Error(log)));
      });
      const post = (at: string, body: string) =>
        `POST ${at} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const held = await connect(url);
      let came = '';
      held.on('data', (chunk) => {
        came += chunk;
      });
      held.write(post('/v1/sessions', '{"id":"s"}'));
      await expect.poll(() => statusesOf(came)).toEqual([201]);
      const flood: Socket[] = [];
      for (let i = 0; i < 400; i++) flood.push(await connect(url));
      for (let i = 0; i < 5; i++) {
        came = '';
        held.write(post('/v1/sessions/s/steps?ack=durable', `{"from":${i},"rows":[[${Array(16).fill(0.5)}]]}`));
        await expect.poll(() => came, { timeout: 10_000 }).toContain('HTTP/1.1 ');
        await expect.poll(() => came).toContain('}');
        expect(statusesOf(came)).toEqual([200]);
        expect(came).toContain(`"durable":${i + 1}`);
      }
      const open = readdirSync(`/proc/${child.pid}/fd`).length;
      expect(open).toBeLessThanOrEqual(limit);
      expect(child.exitCode).toBeNull();
      for (const socket of flood) socket.destroy();
      await pause(500);
      const after = await exchange(url, 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      expect(statusesOf(after.text)).toEqual([200]);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect(log).not.toMatch(/"level":"error"/);
    } finally {
      child.kill('SIGKILL');
    }
  },
);
