/** A worker that takes a shared network over, runs it and says what came out and what its process weighs. */
import { parentPort, workerData } from 'node:worker_threads';
import { Network } from '../../src/network/index.js';

const network = Network.from(workerData.handle);
const series = new Float32Array(new SharedArrayBuffer(4 * workerData.steps)).fill(0.25);
parentPort!.postMessage({ taken: true });
parentPort!.once('message', async () => {
  const { data } = await network.runAsync(series);
  parentPort!.postMessage({ last: [...data.subarray(-network.featureSize)], rss: process.memoryUsage().rss });
});
