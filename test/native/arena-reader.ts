/** A worker thread that maps an arena and answers each round of the main thread with what it reads there. */
import { parentPort, workerData } from 'node:worker_threads';
import { Arena, type ArenaLayout } from '../../src/native/index.js';

type Layout = ArenaLayout<{ turn: 'i32'; states: 'f32' }>;

const { buffer, layout, rounds } = workerData as { buffer: SharedArrayBuffer; layout: Layout; rounds: number };
const arena = Arena.map(buffer, layout);
const turn = arena.view('turn');
const states = arena.view('states');

parentPort!.postMessage('ready');
for (let round = 1; round <= rounds; round++) {
  // turn[0] counts rounds written, turn[1] rounds read, turn[2] is the sum that was read.
  Atomics.wait(turn, 0, round - 1);
  const sum = states.reduce((total, x) => total + x, 0);
  Atomics.store(turn, 2, sum);
  Atomics.store(turn, 1, round);
  Atomics.notify(turn, 1);
}
