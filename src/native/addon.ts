/** The addon, loaded when it is first used, once an environment (the main thread, or a worker), with a thread for each CPU that may be used. */
import { usableCpus } from '../host/index.js';
import type { Addon } from './contract.js';
import { type LoadedAddon, loadAddon } from './loader.js';

let loaded: LoadedAddon | undefined;

/** What the addon exports. Errors: those of loadAddon, at each call until a binary is there. */
export function addon(): Addon {
  return (loaded ?? load()).addon;
}

/** The file of the binary. */
export function binary(): string {
  return (loaded ?? load()).path;
}

function load(): LoadedAddon {
  const found = loadAddon();
  // The addon knows the affinity but not the quota of the control group.
  if (usableCpus() < found.addon.threads()) found.addon.setThreads(usableCpus());
  loaded = found;
  return found;
}
