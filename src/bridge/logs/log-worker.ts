/**
 * What the thread that writes the log runs: a text, for a thread is made of plain JavaScript wherever this package lies.
 *
 * workerData { shared, fd, words, headerBytes }. It takes what waits in the ring (log-ring.ts) and writes it with writeSync. No
 * write blocks, for a thread inside a blocked write could not be ended and would hold the process: a pipe or a terminal is
 * opened again without blocking, which leaves the mode of other processes' descriptors as it is; a socket is set not to block.
 * A reader that is stuck is tried again every RETRY_MS. What cannot be written at all is counted as dropped. The message
 * 'flowing' says that the ring is half empty after lines were dropped.
 */
export const logWorker = `
const { constants, fstatSync, openSync, writeSync } = require('node:fs');
const { Socket } = require('node:net');
const { parentPort, workerData: { shared, fd, words, headerBytes } } = require('node:worker_threads');

const RETRY_MS = 20;
const header = new Int32Array(shared, 0, headerBytes / 4);
const ring = new Uint8Array(shared, headerBytes);
const chunk = Buffer.alloc(64 * 1024);
let socket = null;
const sink = withoutBlocking();
let reported = 0;

function withoutBlocking() {
  try {
    const kind = fstatSync(fd);
    if (kind.isFIFO() || kind.isCharacterDevice()) {
      return openSync('/proc/self/fd/' + fd, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    }
    if (kind.isSocket()) socket = new Socket({ fd, readable: false, writable: true });
  } catch {
    // Where it cannot be opened again, it is written to as it is.
  }
  return fd;
}

for (;;) {
  const signal = Atomics.load(header, words.signal);
  const read = Atomics.load(header, words.read);
  const waiting = (Atomics.load(header, words.write) - read) >>> 0;
  if (waiting < ring.length / 2) reportDropped();
  if (waiting === 0) {
    if (Atomics.load(header, words.closed) === 1) break;
    Atomics.wait(header, words.signal, signal);
    continue;
  }
  const at = (read >>> 0) & (ring.length - 1);
  const length = Math.min(waiting, chunk.length, ring.length - at);
  chunk.set(ring.subarray(at, at + length));
  const written = writeSome(length);
  if (written === 0) Atomics.wait(header, words.signal, Atomics.load(header, words.signal), RETRY_MS);
  Atomics.store(header, words.read, (read + written) | 0);
  Atomics.notify(header, words.read);
}

function writeSome(length) {
  try {
    return writeSync(sink, chunk, 0, length);
  } catch (error) {
    if (error.code === 'EAGAIN' || error.code === 'EINTR') return 0;
    let lines = 0;
    for (let i = 0; i < length; i++) if (chunk[i] === 10) lines++;
    Atomics.add(header, words.dropped, lines);
    reported = Atomics.load(header, words.dropped); // a failed write is counted, not reported by a line
    return length;
  }
}

function reportDropped() {
  const dropped = Atomics.load(header, words.dropped);
  if (dropped === reported) return;
  reported = dropped;
  parentPort.postMessage('flowing');
}
`;
