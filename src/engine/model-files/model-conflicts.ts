/**
 * Where the engine and the model's files contradict each other, or the files themselves: one sentence each. An empty list
 * says that they were compared and agree; null, that there was nothing to compare.
 */
import type { ModelCard, ModelFiles } from '../engine.js';
import type { ModelFacts } from '../model-facts.js';
import { isHubId } from './model-folder.js';

export function modelConflicts(card: ModelCard | null, files: ModelFiles | null, facts: ModelFacts): string[] | null {
  const length = card?.maxModelLen ?? null;
  const { trainedLength, tokenizerMaxLength, tokenizerSize, vocabSize, provenance } = facts;
  const compared = [
    exceeds('max_model_len of the engine', length, `the trained length in ${provenance.trainedLength}`, trainedLength),
    exceeds(
      'max_model_len of the engine',
      length,
      `model_max_length in ${provenance.tokenizerMaxLength}`,
      tokenizerMaxLength,
    ),
    exceeds(
      `the tokenizer in ${provenance.tokenizerSize}`,
      tokenizerSize,
      `vocab_size in ${provenance.vocabSize}`,
      vocabSize,
    ),
    otherModel(hubIdOf(card), files?.hubId ?? null),
  ].filter((outcome) => outcome !== null);
  return compared.length === 0 ? null : compared.filter((outcome) => outcome !== true);
}

function exceeds(what: string, value: number | null, limitName: string, limit: number | null): string | true | null {
  if (value === null || limit === null) return null;
  return value <= limit || `${what} is ${value}, more than ${limitName}, ${limit}`;
}

/** An alias under which a model is served is no hub id: only names with an owner are compared. */
function hubIdOf(card: ModelCard | null): string | null {
  return [card?.root, card?.id].find((name) => name?.includes('/') && isHubId(name)) ?? null;
}

function otherModel(served: string | null, onDisk: string | null): string | true | null {
  if (served === null || onDisk === null) return null;
  const same = served.toLowerCase() === onDisk.toLowerCase();
  return same || `the engine serves ${served}, the files are those of ${onDisk}`;
}
