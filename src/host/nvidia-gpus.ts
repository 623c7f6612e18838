/**
 * The NVIDIA GPUs of this host, as nvidia-smi tells: [] where it is not installed, for without it there is no driver;
 * null where it fails or says something else.
 */
import { promisify } from 'node:util';

/** One NVIDIA GPU of this host, as nvidia-smi reports it. */
export interface NvidiaGpu {
  name: string;
  memory_total_bytes: number;
  memory_used_bytes: number;
  /** Share of the last sample period in which a kernel ran, in [0, 1]; null where the GPU does not say. */
  utilization: number | null;
}

const QUERY = '--query-gpu=name,memory.total,memory.used,utilization.gpu';
const MIB = 1024 * 1024;

/** Options of nvidiaGpus: a signal, and the program that is run. */
export interface NvidiaGpusOptions {
  /** Ends the request, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** The program that is run. Default 'nvidia-smi'. */
  command?: string | undefined;
}

/** Rejects with the signal's reason where that comes first. */
export async function nvidiaGpus({
  signal,
  command = 'nvidia-smi',
}: NvidiaGpusOptions = {}): Promise<NvidiaGpu[] | null> {
  try {
    const { execFile } = await import('node:child_process');
    const options = { maxBuffer: MIB, ...(signal ? { signal } : {}) };
    const { stdout } = await promisify(execFile)(command, [QUERY, '--format=csv,noheader,nounits'], options);
    return stdout.trim() === '' ? [] : stdout.trim().split('\n').map(gpu);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    signal?.throwIfAborted();
    return null;
  }
}

function gpu(line: string): NvidiaGpu {
  const cells = line.split(',').map((cell) => cell.trim());
  const [total, used, busy] = cells.slice(-3).map(Number) as [number, number, number];
  if (cells.length < 4 || !(total > 0) || !(used >= 0)) throw new Error(`nvidia-smi said ${line}`);
  return {
    name: cells.slice(0, -3).join(', '),
    memory_total_bytes: total * MIB,
    memory_used_bytes: used * MIB,
    utilization: Number.isNaN(busy) ? null : busy / 100,
  };
}
