/** The addon, loaded once an environment (the main thread, or a worker), with a thread for each CPU that may be used. */
import { usableCpus } from '../host/index.js';
import { loadAddon } from './loader.js';

/** More threads than this the addon refuses. */
const MOST_THREADS = 1024;

export const { addon, path: binary } = loadAddon();
// It knows the affinity but not the quota of the control group.
addon.setThreads(Math.min(usableCpus(), MOST_THREADS));
