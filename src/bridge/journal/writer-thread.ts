/**
 * The main thread's side of the thread that writes: requests are answered in order. The thread holds the process alive only
 * while it owes an answer. With file operations of one's own the writer runs on the calling thread instead.
 *
 * Errors: an Error that says what the writer said, or that its thread ended; StateDirError where the directory is at fault.
 */
import { Worker } from 'node:worker_threads';
import { wallMs } from '../../abort/index.js';
import type { FileOperations } from './file-operations.js';
import { JournalWriter, type Outcome } from './journal-writer.js';
import { StateDirError } from './state-dir-error.js';
import { type Answer, answer, type Opened, type WriterRequest } from './writer-requests.js';

type AnswerOf<R extends WriterRequest> = R extends { act: 'open' }
  ? Opened
  : R extends { act: 'close' }
    ? null
    : Outcome;

export class WriterThread {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #post: (id: number, request: WriterRequest, transfer: ArrayBuffer[]) => void;
  readonly #end: () => Promise<unknown>;
  #last = 0;
  #dead: string | null = null;

  constructor(dir: string, files?: FileOperations) {
    if (files === undefined) {
      const worker = new Worker(new URL('./journal-worker.js', import.meta.url), { workerData: { dir } });
      const died = (why: string) => {
        this.#dead ??= why;
        for (const id of [...this.#waiting.keys()])
          this.#settle({ id, error: { message: this.#dead, stateDir: false } });
      };
      worker.on('message', (message: Answer) => {
        this.#settle(message);
        if (this.#waiting.size === 0) worker.unref();
      });
      worker.on('error', (error) => died(`the thread of the journal failed: ${String(error)}`));
      worker.on('exit', () => died('the thread of the journal ended'));
      this.#post = (id, request, transfer) => {
        worker.ref();
        worker.postMessage({ id, request }, transfer);
      };
      this.#end = () => worker.terminate();
    } else {
      const writer = new JournalWriter(files, dir, wallMs);
      this.#post = (id, request) => this.#settle(answer(writer, id, request, wallMs).answer);
      this.#end = async () => {};
    }
  }

  request<R extends WriterRequest>(request: R, transfer: ArrayBuffer[] = []): Promise<AnswerOf<R>> {
    if (this.#dead !== null) return Promise.reject(new Error(this.#dead));
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#waiting.set(id, ({ value, error }) => {
        if (error === undefined) resolve(value as AnswerOf<R>);
        else reject(error.stateDir ? new StateDirError(error.message) : new Error(error.message));
      });
      this.#post(id, request, transfer);
    });
  }

  async close(): Promise<void> {
    try {
      if (this.#dead === null) await this.request({ act: 'close' });
    } finally {
      this.#dead ??= 'the journal is closed';
      await this.#end();
    }
  }

  #settle(message: Answer): void {
    const settle = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    settle?.(message);
  }
}
