/** The thread of the journal: answers each request of the main thread by its writer, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { wallMs } from '../../abort/index.js';
import { nodeFiles } from './file-operations.js';
import { JournalWriter } from './journal-writer.js';
import { answer, type WriterRequest } from './writer-requests.js';

const { dir } = workerData as { dir: string };
const writer = new JournalWriter(nodeFiles, dir, wallMs);

parentPort?.on('message', ({ id, request }: { id: number; request: WriterRequest }) => {
  const { answer: message, buffers } = answer(writer, id, request, wallMs);
  parentPort?.postMessage(message, buffers);
});
