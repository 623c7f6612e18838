/**
 * The probe listener: a thread that owns the address and answers from the heartbeat, so that a busy or blocked main thread
 * delays no probe. Started before any network is built.
 *
 *     const probes = await Probes.start({ listen: '127.0.0.1:2251', heartbeat });
 *     probes.address;             // 'http://127.0.0.1:2251'
 *     await probes.close();
 *
 * A thread that dies is an uncaught exception of the process. Errors: Error with the code of the system (EADDRINUSE) where the
 * address cannot be bound.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { checkOptions, rangeError } from '../../errors/index.js';
import { parseHostPort } from '../host-port.js';
import type { Heartbeat } from './heartbeat.js';
import { probeWorker } from './probe-worker.js';

export interface ProbesOptions {
  /** HOST:PORT, an IPv6 host in brackets; port 0 takes a free one. Default 127.0.0.1:2251. */
  listen?: string | undefined;
  /** What the answers are read from. */
  heartbeat: Heartbeat;
}

const optionsSchema = z.strictObject({
  listen: z.string().default('127.0.0.1:2251').describe('HOST:PORT'),
  heartbeat: z.custom<Heartbeat>((value) => typeof value === 'object').describe('a Heartbeat'),
});

export class Probes {
  /** The base of the probes' URLs. */
  readonly address: string;
  readonly #worker: Worker;

  private constructor(address: string, worker: Worker) {
    this.address = address;
    this.#worker = worker;
  }

  static async start(options: ProbesOptions): Promise<Probes> {
    const { listen, heartbeat } = checkOptions(optionsSchema, options, 'Probes');
    const place = parseHostPort(listen);
    if (place === null) throw rangeError('HOST:PORT', 'listen', listen);
    const { host, port } = place;
    const worker = new Worker(probeWorker, {
      eval: true,
      execArgv: [],
      workerData: { shared: heartbeat.shared, host, port },
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    const [said] = (await once(worker, 'message')) as [{ port: number } | { code: string }];
    if ('code' in said) {
      await worker.terminate();
      const message = `The probe listener cannot be bound to ${listen}: ${said.code}`;
      throw Object.assign(new Error(message), said, { syscall: 'listen' });
    }
    worker.unref();
    return new Probes(`http://${host.includes(':') ? `[${host}]` : host}:${said.port}`, worker);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
