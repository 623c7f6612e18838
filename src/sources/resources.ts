/**
 * Source resources: cores and memory that this process may use (host and cgroup), and what the processor says of its
 * membranes, its load and the addon.
 *
 *     memory total     = min(host, cgroup limit)
 *     memory available = min(host available, room left in the cgroup)
 *     max_concurrent_processes = the processor's limit, else the cores
 */
import os from 'node:os';
import { cgroupLimits } from './cgroup.js';
import { type Inquiry, observe, type SourceOptions } from './observation.js';
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

export function fetchResourceDataSource(
  provider: (() => ResourceState) | undefined,
  options: SourceOptions = {},
): Promise<ResourcesSource> {
  const ask = (inquiry: Inquiry) => readResources(provider, inquiry);
  return observe({ source: 'resources', request: 'the host', nothing, ask }, options);
}

async function readResources(provider: (() => ResourceState) | undefined, inquiry: Inquiry): Promise<Fields> {
  const limits = await inquiry.needed(cgroupLimits());
  const processor = provider?.();
  const cores = Math.max(1, Math.floor(Math.min(os.availableParallelism(), limits.cpus)));
  const total = Math.min(os.totalmem(), limits.memoryBytes);
  const available = Math.min(os.freemem(), limits.memoryFreeBytes);
  return {
    max_concurrent_processes: processor?.maxConcurrentProcesses ?? cores,
    current_processing_load: {
      cpu_load_1m: os.platform() === 'win32' ? null : os.loadavg()[0]!,
      cpu_count: cores,
      memory_used_bytes: total - available,
      memory_total_bytes: total,
      rss_bytes: process.memoryUsage.rss(),
      ...processor?.currentProcessingLoad,
    },
    available_membranes: processor?.availableMembranes ?? null,
    echo_kern_available: processor?.echoKernAvailable ?? null,
    memory_available_bytes: available,
    cpu_count: cores,
  };
}
