/** The room of the host: what it gives this process of its CPUs, memory and GPUs, and what waits for them. */
export { type CgroupLimits, cgroupLimits, leastKnown } from './cgroup.js';
export { cpusOf, usableCpus } from './cpus.js';
export { eventLoopDelay } from './event-loop.js';
export { type NvidiaGpu, type NvidiaGpusOptions, nvidiaGpus } from './nvidia-gpus.js';
export { type Pressure, pressure } from './pressure.js';
