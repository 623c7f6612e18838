/** An engine without a network: what it answers is given, and what it was asked is counted. */
import type { Engine } from '../../src/engine/index.js';
import { configFacts, joinFacts } from '../../src/engine/model-facts.js';
import { metricsBody } from '../faults/engine-server.js';

const config = { vocab_size: 320, hidden_size: 64, torch_dtype: 'bfloat16', max_position_embeddings: 8192 };
const facts = joinFacts([
  ['config.json', configFacts(config)],
  ['tokenizer.json', { tokenizerSize: 300 }],
]);

export interface MemoryEngine extends Engine {
  asked: Record<string, number>;
}

export function memoryEngine(answers: Partial<Engine> = {}): MemoryEngine {
  const asked: Record<string, number> = {};
  const engine: Engine = {
    label: 'memory on http://127.0.0.1:1',
    simulated: true,
    models: async () => [{ id: 'm', root: null, parent: null, maxModelLen: 8192, ownedBy: 'aphrodite' }],
    version: async () => '0.10.0',
    health: async () => {},
    metrics: async () => Buffer.from(metricsBody),
    tokenize: async (text) => ({ count: text.length, maxModelLen: 8192, tokens: [...Buffer.from(text)] }),
    detokenize: async (tokens) => Buffer.from(tokens).toString(),
    modelFiles: async () => ({ folder: '/m', config, facts }),
    close: async () => {},
    ...answers,
  };
  const counted = (name: 'models' | 'version' | 'health' | 'metrics' | 'tokenize' | 'detokenize' | 'modelFiles') => {
    const method = engine[name] as (...given: unknown[]) => Promise<unknown>;
    return (...given: unknown[]) => {
      asked[name] = (asked[name] ?? 0) + 1;
      return method(...given);
    };
  };
  return Object.assign(engine, {
    asked,
    models: counted('models'),
    version: counted('version'),
    health: counted('health'),
    metrics: counted('metrics'),
    tokenize: counted('tokenize'),
    detokenize: counted('detokenize'),
    modelFiles: counted('modelFiles'),
  } as Partial<Engine>) as MemoryEngine;
}

export const never = () => new Promise<never>(() => {});
