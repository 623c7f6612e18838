/** The addon, loaded once an environment (the main thread, or a worker), with a thread for each CPU that may be used. */
import { usableCpus } from '../host/index.js';
import { loadAddon } from './loader.js';

export const { addon, path: binary } = loadAddon();
// It knows the affinity but not the quota of the control group.
if (usableCpus() < addon.threads()) addon.setThreads(usableCpus());
