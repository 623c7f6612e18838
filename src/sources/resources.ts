/**
 * Source resources: cores, memory and GPUs that this process may use (host and cgroup), what waits for them, and what
 * the processor says of its membranes, its load and the addon.
 */
import os from 'node:os';
import { z } from 'zod';
import {
  cgroupLimits,
  cpusOf,
  eventLoopDelay,
  leastKnown,
  nvidiaGpus,
  pressure,
  runQueuePerCpu,
} from '../host/index.js';
import { observe, type SourceOptions, type SourceRequests } from './observation.js';
import { checkedState } from './provided-state.js';
import type { ResourceState, ResourcesSource, SourceFields } from './types.js';

type Fields = SourceFields['resources'];

const nothing: Fields = {
  max_concurrent_processes: null,
  current_processing_load: null,
  available_membranes: null,
  echo_kern_available: null,
  memory_available_bytes: null,
  cpu_count: null,
};

const stateSchema = z.object({
  nvidiaSmi: z.boolean().optional(),
  availableMembranes: z.array(z.string()),
  maxConcurrentProcesses: z.number().int().positive().optional(),
  currentProcessingLoad: z.record(z.string(), z.number()).optional(),
  echoKernAvailable: z.boolean(),
});

/**
 * Source resources: cores, memory and GPUs that this process may use (host and cgroup), what waits for them, and what the
 * processor says of its membranes, its load and the addon.
 *
 *     memory total     = min(host, cgroup limit)
 *     memory available = min(host available, room left in the cgroup)
 *     max_concurrent_processes = the processor's limit, else the cores
 *     *_pressure      = share of the last 10 s in which some task waited for it (PSI)
 *     run_queue_per_cpu = tasks that run or want to at this moment, a CPU
 *     event_loop_*_ms = lateness of this process' event loop since the source was last read
 *
 * All of it is read in one turn, so there is nothing to wait for and no limit to exceed; only nvidia-smi, another program, has one.
 * A processor that throws, or says something of another kind, fails the source (ERR_DTESN_SOURCE_INVALID).
 */
export function fetchResourceDataSource(
  provider: (() => ResourceState) | undefined,
  options: SourceOptions = {},
): Promise<ResourcesSource> {
  const ask = (requests: SourceRequests) => readResources(provider, requests);
  return observe({ source: 'resources', request: 'the host', nothing, ask }, options);
}

async function readResources(provider: (() => ResourceState) | undefined, requests: SourceRequests): Promise<Fields> {
  const processor = provider && checkedState(stateSchema, provider(), 'resources');
  const gpus = processor?.nvidiaSmi
    ? requests.optional('nvidia-smi', nvidiaGpus({ signal: requests.signal }))
    : undefined;
  const limits = cgroupLimits();
  const waits = pressure();
  const delay = eventLoopDelay();
  const memory = process.memoryUsage();
  const cores = cpusOf(os.availableParallelism(), limits.cpus);
  const total = leastKnown([os.totalmem(), limits.memoryBytes])!;
  const available = leastKnown([os.freemem(), limits.memoryFreeBytes])!;
  return {
    max_concurrent_processes: processor?.maxConcurrentProcesses ?? cores,
    current_processing_load: {
      cpu_load_1m: os.platform() === 'win32' ? null : os.loadavg()[0]!,
      cpu_count: cores,
      memory_used_bytes: total - available,
      memory_total_bytes: total,
      rss_bytes: memory.rss,
      array_buffers_bytes: memory.arrayBuffers,
      cpu_pressure: waits.cpu,
      memory_pressure: waits.memory,
      io_pressure: waits.io,
      run_queue_per_cpu: runQueuePerCpu(),
      event_loop_p50_ms: delay?.p50 ?? null,
      event_loop_p99_ms: delay?.p99 ?? null,
      ...processor?.currentProcessingLoad,
    },
    available_membranes: processor?.availableMembranes ?? null,
    echo_kern_available: processor?.echoKernAvailable ?? null,
    memory_available_bytes: available,
    cpu_count: cores,
    ...(gpus && { nvidia_gpus: await gpus }),
  };
}
