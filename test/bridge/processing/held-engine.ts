/** An engine whose tokenizer holds texts that begin with 'held' back until it is let go. */
import { memoryEngine } from '../../sources/memory-engine.js';

export function heldEngine() {
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
