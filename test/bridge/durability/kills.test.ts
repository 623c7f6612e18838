/**
 * kill -9 under load: JSON and frames, sessions that learn, creations, deletions, compactions and reloads going on. After each start no
 * row below an answered `durable` is missing, what was created is there and what was deleted is gone; in the end all outputs
 * and all that was learned are those of a bridge that was never killed.
 *
 * @module-tag slow
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { sameAsUndisturbed } from './fed-session.js';
import { feedOn, randomOf, ShortSessions, untilDown } from './load.js';
import { fedSessions, folder, startedBridge, stateBridge } from './state-bridge.js';

const options = { sessions: { checkpointMs: 10, stateMaxBytes: 2 ** 20 } };

/** The options with a network more, which a reload builds. */
const withNetwork = (units: number) => ({
  ...options,
  networks: { [`other-${units}`]: { kind: 'Reservoir' as const, options: { units, inputs: 16 } } },
});

async function survives(kills: number, seed: number): Promise<void> {
  const dir = path.join(folder(), 'state');
  const random = randomOf(seed);
  const sessions = fedSessions(24);
  const short = new ShortSessions();
  let bridge = await stateBridge(dir, options);
  for (const session of sessions) await session.create(bridge.url);
  // So many rows that compactions follow soon.
  const framed = sessions.filter(({ kind }) => kind.framed && !kind.learns);
  for (let turn = 0; turn < 9; turn++) await Promise.all(framed.map((session) => session.feed(bridge.url, 300)));
  for (let kill = 0; kill < kills; kill++) {
    const burst = kill % 4 === 3 ? 40 : 2;
    const clients = [...sessions.map((session) => feedOn(session, bridge.url, random)), short.churn(bridge.url, burst)];
    const ended = untilDown(clients);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 30 + 400 * random()))]);
    if (kill % 2 === 1) bridge.reload(withNetwork(30 + kill));
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100 * random()))]);
    await bridge.end('SIGKILL');
    await ended;
    if (kill % 3 === 2) await killedAtStart(dir, random);
    bridge = await stateBridge(dir, options);
    for (const session of sessions) await session.resume(bridge.url);
    await short.check(bridge.url, 150);
    for (const session of sessions) await session.feed(bridge.url, 5);
  }
  await short.check(bridge.url);
  const newest = readdirSync(dir)
    .filter((name) => name.startsWith('snapshot-'))
    .sort()
    .at(-1);
  const undisturbed = await stateBridge(null);
  await sameAsUndisturbed(sessions, bridge.url, undisturbed.url);
  expect(newest, 'a compaction').toBeDefined();
}

/** Kills a bridge while it starts and recovers. */
async function killedAtStart(dir: string, random: () => number): Promise<void> {
  const starting = startedBridge(dir, options);
  await expect.poll(() => starting.log(), { timeout: 60_000, interval: 5 }).toMatch('no model is running');
  await new Promise((resolve) => setTimeout(resolve, 500 * random()));
  starting.process.kill('SIGKILL');
  await starting.code;
}

test(
  'ten kills at random moments lose no durable row, apply none twice, and change no bit',
  () => survives(10, Date.now() % 1_000_000),
  300_000,
);

test(
  'two hundred kills at random moments lose no durable row, apply none twice, and change no bit',
  { tags: ['slow', 'long'], timeout: 1_800_000 },
  () => survives(200, Date.now() % 1_000_000),
);
