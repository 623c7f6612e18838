/** The addon, loaded on first use, and its figures of this machine. */
import { addon, binary } from './addon.js';
import type { KernelCheck } from './contract.js';
import { limits } from './limits.js';

/** Instruction set in use, instruction sets of this machine, and path of the binary. Each getter loads the addon. */
export const native = {
  get isa(): string {
    return addon().isa;
  },
  get availableIsas(): string[] {
    return addon().availableIsas;
  },
  get binary(): string {
    return binary();
  },
  checkKernels: (): KernelCheck[] => addon().checkKernels(),
  limits,
};

export { addon } from './addon.js';
export {
  Arena,
  type ArenaDtypes,
  type ArenaDtypesOf,
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
  ForecasterConstructor,
  KernelCheck,
  NativeForecaster,
  NativeLinearReadout,
  NativeNetwork,
  NativeRecursiveTrainer,
  NativeRidgeTrainer,
  NativeSpectrum,
  NativeState,
  NativeStreamTable,
  NetworkSpec,
  OperatorSpec,
  ReadoutShape,
  RegionSpec as NativeRegionSpec,
  StreamTableConstructor,
  TopologySpec,
} from './contract.js';
export { f32JsonBytes, writeF32Json } from './decimals.js';
export { arrayOf, defaultDtype, dtypeOf, type FloatDtype, floats, sharedFloats } from './floats.js';
export type { Limits, ReadRate } from './limits.js';
export { loadAddon } from './loader.js';
export { checkLongRun, type LongRunOptions, longRun, longRunKeys, type Progress } from './long-run.js';
export { packageRoot, packageVersion } from './package-root.js';
export { changesSize, checkView, isShared, requireShared, type ViewKind } from './shared-buffer.js';
export { type FileLock, lockFile, mapLargeBlocks, notifySystemd, type OpenFileLimit, openFileLimit } from './system.js';
export { setThreads, threadCount } from './threads.js';
