/** An engine whose tokenizer holds texts that begin with 'held' back until it is let go. */
import { DtesnProcessor, type ProcessorOptions } from '../../../src/processor/index.js';
import { memoryEngine } from '../../sources/memory-engine.js';

function heldEngine() {
  let letGo: () => void = () => {};
  let begun: () => void = () => {};
  const go = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const held = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const engine = memoryEngine({
    tokenize: async (text) => {
      if (text.startsWith('held')) {
        begun();
        await go;
      }
      return { count: text.length, maxModelLen: 8192, tokens: [...Buffer.from(text)] };
    },
  });
  /** `held` resolves when a text is held back. */
  return { engine, held, letGo };
}

/** A processor of one lane on such an engine, for which it waits as long as it is held. */
export async function heldProcessor({ config, plan }: Pick<ProcessorOptions, 'config' | 'plan'>) {
  const { engine, held, letGo } = heldEngine();
  const slow = await DtesnProcessor.create({
    config: { ...config, sourceDeadlineMs: 600_000 },
    plan,
    engine,
    lanes: 1,
  });
  return { slow, held, letGo };
}
