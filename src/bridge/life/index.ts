/** The life of the process: its state directory, systemd, draining, fatal errors, memory. */
export { Drain, type DrainOptions, type DrainPhase, type DrainSteps } from './drain.js';
export { ExitError, exitCodes, isExitError } from './exit-error.js';
export { type FatalOptions, onFatal } from './fatal.js';
export { MemoryBudget, type MemoryBudgetOptions } from './memory-budget.js';
export { type FileLock, StateDirectory, type StateDirectoryOptions } from './state-directory.js';
export { type InheritedSocket, inheritedSockets, SystemdNotifier, type SystemdNotifierOptions } from './systemd.js';
