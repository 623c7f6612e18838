/** The addon, loaded once a process, and what it says of this machine. */
import { addon, binary } from './addon.js';
import { limits } from './limits.js';

/** Instruction set in use, those this machine has, and where the binary was found. */
export const native = {
  isa: addon.isa,
  availableIsas: addon.availableIsas,
  binary,
  checkKernels: () => addon.checkKernels(),
  limits,
};

export { addon } from './addon.js';
export {
  Arena,
  type ArenaLayout,
  arenaLayoutSchema,
  type Dtype,
  type DtypeViews,
  type Region,
  type RegionSpec,
} from './arena.js';
export type {
  Addon,
  Floats,
  KernelCheck,
  NativeLinearReadout,
  NativeNetwork,
  NativeRecursiveTrainer,
  NativeRidgeTrainer,
  NativeState,
  NetworkSpec,
  OperatorSpec,
  ReadoutShape,
  RegionSpec as NativeRegionSpec,
} from './contract.js';
export { arrayOf, dtypeOf, type FloatDtype, floats, sharedFloats } from './floats.js';
export type { Limits, ReadRate } from './limits.js';
export { loadAddon } from './loader.js';
export { type LongRunOptions, longRun } from './long-run.js';
export { changesSize, checkView, isShared, requireShared, type ViewKind } from './shared-buffer.js';
export { setThreads, threadCount } from './threads.js';
