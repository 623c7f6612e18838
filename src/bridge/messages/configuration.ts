/** The configuration: its values with their origins, changes, snapshots. */
import { z } from 'zod';

const description = z.string().max(500).optional().describe('why, for the list of snapshots');
const changes = z
  .record(z.string().min(1).max(200), z.unknown())
  .refine((record) => Object.keys(record).length <= 200, 'expected at most 200 fields')
  .describe("values by field, such as { 'network.units': 2048 }; null takes back what HTTP set");

export const configChangeSchema = z.strictObject({ changes, description });
export const configRollbackSchema = z.strictObject({
  id: z.string().min(1).max(64).describe('the snapshot whose values are to hold again'),
  description,
});

const shownFields = {
  version: z.string().describe('also the ETag, for If-Match'),
  config: z.looseObject({}),
  origins: z.record(z.string(), z.enum(['http', 'flag', 'environment', 'file', 'default'])),
  restartNeeded: z.array(z.string()).describe('fields of the file that hold after a restart'),
};
export const configAnswerSchema = z.looseObject(shownFields);
export const configChangeAnswerSchema = z.looseObject({ changed: z.array(z.string()), ...shownFields });

const difference = z.looseObject({ field: z.string(), from: z.unknown(), to: z.unknown() });
export const configValidationSchema = z.looseObject({
  valid: z.boolean(),
  errors: z.array(z.looseObject({ field: z.string(), code: z.string(), message: z.string() })),
  changes: z.array(difference),
});

const snapshotFields = {
  id: z.string(),
  at: z.string(),
  origin: z.enum(['start', 'file', 'http', 'rollback']),
  description: z.string().optional(),
  changed: z.array(z.string()),
};
export const configSnapshotsSchema = z.looseObject({ items: z.array(z.looseObject(snapshotFields)) });
export const configSnapshotSchema = z.looseObject({
  ...snapshotFields,
  config: z.looseObject({}),
  difference: z.array(difference).describe('from the snapshot to now'),
});
