/**
 * The thread of a local tokenizer. Its files may hold a regular expression that never ends: a question that takes longer
 * than `timeoutMs` ends the thread, and the next question makes another one.
 *
 * `ask` leaves the event loop alone; questions are answered one after the other, the limit counts from when one begins.
 * `askNow` waits on the calling thread, at most as long. The thread holds no process alive. Limit: MEMORY_MB of heap.
 * Errors: Error that says what the tokenizer said, or that it did not answer; the signal's reason.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { tokenizerWorker } from './tokenizer-worker.js';

type Question = 'load' | 'encode' | 'decode';

interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}

interface Thread {
  worker: Worker;
  port: MessagePort;
  /** Answers so far: what a waiting caller watches. */
  answered: Int32Array<SharedArrayBuffer>;
}

const MEMORY_MB = 2048;

export class TokenizerThread {
  readonly #folder: string;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #thread: Thread | null = null;
  #last = 0;
  #queue: Promise<unknown> = Promise.resolve();
  /** Settles when the question that began last has ended, though its caller may have given it up. */
  #idle: Promise<unknown> = Promise.resolve();

  constructor(folder: string, timeoutMs: number) {
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
  }

  ask(question: Question, value: unknown, signal?: AbortSignal): Promise<unknown> {
    const asked = this.#queue.then(() => {
      signal?.throwIfAborted();
      return this.#askInTurn(question, value, signal);
    });
    // The next one begins when this one has ended, aborted or not.
    this.#queue = asked.then(
      () => {},
      () => this.#idle,
    );
    return asked;
  }

  askNow(question: Question, value: unknown): unknown {
    const { port, answered } = this.#running();
    const id = this.#post(question, value);
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      const seen = Atomics.load(answered, 0);
      for (let come = receiveMessageOnPort(port); come !== undefined; come = receiveMessageOnPort(port)) {
        const answer = come.message as Answer;
        if (answer.id === id) return contentOf(answer);
        this.#waiting.get(answer.id)?.(answer);
      }
      const left = deadline - performance.now();
      if (left <= 0) throw this.#stop(this.#lateError());
      Atomics.wait(answered, 0, seen, left);
    }
  }

  close(): void {
    if (this.#thread !== null) this.#stop(new Error('it was closed'));
  }

  #askInTurn(question: Question, value: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    this.#running();
    const id = this.#post(question, value);
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      timer = setTimeout(() => this.#stop(this.#lateError()), this.#timeoutMs);
    }).finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
    this.#idle = answered;
    if (signal === undefined) return answered.then(contentOf);
    return new Promise((resolve, reject) => {
      const abort = () => {
        timer?.unref(); // what still runs is bounded, and holds nothing alive
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      answered
        .then(contentOf)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', abort));
    });
  }

  #post(question: Question, value: unknown): number {
    const id = ++this.#last;
    this.#running().port.postMessage({ id, question, value });
    return id;
  }

  #running(): Thread {
    if (this.#thread !== null) return this.#thread;
    const { port1: port, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(tokenizerWorker, {
      eval: true,
      execArgv: [],
      workerData: { folder: this.#folder, from: import.meta.url, port: port2, answered },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    const thread = { worker, port, answered };
    const died = (why: string) => this.#thread === thread && this.#stop(new Error(why));
    worker.on('error', ({ message }) => died(message));
    worker.on('exit', () => died('its thread ended'));
    port.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer));
    worker.unref();
    port.unref();
    this.#thread = thread;
    return thread;
  }

  /** Ends the thread; pending requests reject with the error, which is also returned. */
  #stop(error: Error): Error {
    const thread = this.#thread;
    this.#thread = null;
    thread?.port.close();
    void thread?.worker.terminate();
    for (const [id, answer] of this.#waiting) answer({ id, error: error.message });
    return error;
  }

  #lateError(): Error {
    return new Error(`it did not answer within ${this.#timeoutMs} ms`);
  }
}

function contentOf({ value, error }: Answer): unknown {
  if (error !== undefined) throw new Error(error);
  return value;
}
