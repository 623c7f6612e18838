/** What this host gives the process: CPUs, memory, GPUs, and the pressure on them. */
export { type CgroupLimits, cgroupLimits, leastKnown } from './cgroup.js';
export { cpusOf, usableCpus } from './cpus.js';
export { eventLoopDelay } from './event-loop.js';
export { type NvidiaGpu, type NvidiaGpusOptions, nvidiaGpus } from './nvidia-gpus.js';
export { importOptional } from './optional-package.js';
export { type Pressure, pressure } from './pressure.js';
export { runQueuePerCpu } from './run-queue.js';
