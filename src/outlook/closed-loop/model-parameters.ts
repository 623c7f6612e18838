/** Sizes of each engine of a closed loop: the defaults of EngineSimulator. */
import type { CoreParameters } from '../../simulator/index.js';

export const modelParameters: CoreParameters = {
  maxModelLen: 8192,
  maxNumSeqs: 64,
  maxBatchedTokens: 2048,
  kvBlocks: 5120,
  blockSize: 16,
};
