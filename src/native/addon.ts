/**
 * The addon, loaded on first use, once for each environment (main thread or worker), with a thread for each usable CPU.
 */
import { usableCpus } from '../host/index.js';
import type { Addon } from './contract.js';
import { type LoadedAddon, loadAddon } from './loader.js';

let loaded: LoadedAddon | undefined;

/** The exports of the addon. Errors: those of loadAddon, at each call until a binary is found. */
export function addon(): Addon {
  return (loaded ?? load()).addon;
}

/** Path of the binary. */
export function binary(): string {
  return (loaded ?? load()).path;
}

function load(): LoadedAddon {
  const found = loadAddon();
  // The addon reads the CPU affinity but not the CPU quota of the cgroup.
  if (usableCpus() < found.addon.threads()) found.addon.setThreads(usableCpus());
  loaded = found;
  return found;
}
