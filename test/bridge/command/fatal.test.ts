/**
 * The command after an exception that nothing catches: a line, a commit, exit 70; and its sessions in the next process.
 *
 * @module-tag slow
 */
import { expect, test } from 'vitest';
import { call } from '../durability/fed-session.js';
import { folder, stateBridge } from '../durability/state-bridge.js';
import { atSignal } from './preload.js';

const rows = (count: number) => Array.from({ length: count }, (_, row) => Array.from({ length: 16 }, () => row / 100));

test.each([
  ['uncaughtException', `throw Object.assign(new TypeError('a secret of a client'), { code: 'EBROKEN' });`],
  [
    'unhandledRejection',
    `void Promise.reject(Object.assign(new TypeError('a secret of a client'), { code: 'EBROKEN' }));`,
  ],
])(
  '%s in the command: one line without its message, a commit of rows that were not durable, exit 70',
  async (kind, code) => {
    const state = folder();
    // Commits are rare: what is there afterwards, the end has committed.
    const sessions = { checkpointMs: 60_000 };
    const bridge = await stateBridge(state, { sessions }, atSignal(code));
    // The creation waits for a commit: durable acknowledgements ask for one at once.
    const creating = call(bridge.url, '/v1/sessions', 'POST', { id: 'kept', outputs: [0] });
    const created = await creating;
    expect(created.status).toBe(201);
    const sure = await call(bridge.url, '/v1/sessions/kept/steps?ack=durable', 'POST', { from: 0, rows: rows(5) });
    expect(sure.json).toMatchObject({ offset: 5, durable: 5 });
    const more = await call(bridge.url, '/v1/sessions/kept/steps', 'POST', { from: 5, rows: rows(7) });
    expect(more.json).toMatchObject({ offset: 12, durable: 5 });
    const ended = bridge.end('SIGUSR2');
    expect(await ended).toBe(70);
    const lines = bridge
      .log()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    const errors = lines.filter(({ level }) => level === 'error');
    expect(errors).toEqual([expect.objectContaining({ msg: 'fatal', kind, name: 'TypeError', code: 'EBROKEN' })]);
    expect(bridge.log()).not.toContain('secret');
    const next = await stateBridge(state, { sessions });
    const after = await call(next.url, '/v1/sessions/kept');
    expect(after.json).toMatchObject({ offset: 12, durable: 12, epoch: created.json.epoch });
  },
);
