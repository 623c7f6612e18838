/**
 * The fields of the configuration by name: `listen`, `processing.batchWaitMs`, and `networks.NAME` and `models.NAME` for each network of sessions.
 *
 * A field is what a layer sets, what has an origin, and what a change names. A live one may change while the bridge runs: over HTTP
 * and by a reload of the file. The others are taken at the start.
 */
import { z } from 'zod';
import { didYouMean } from '../../errors/index.js';
import { variableOf } from '../../processor/index.js';
import { atStart, configSchema, namedSections, networkName, sections } from './schema.js';

export interface Field {
  name: string;
  schema: z.ZodType;
  /** The variable of the environment; null where it has none. */
  variable: string | null;
  live: boolean;
}

/** All fields but the networks of sessions. */
export const fields: readonly Field[] = Object.entries(configSchema.shape).flatMap(([key, schema]): Field[] => {
  if (isNamedSection(key)) return [];
  if (!isSection(key)) return [{ name: key, schema, variable: variableFor(key), live: false }];
  return Object.entries(sections[key].shape).map(([field, own]) => ({
    name: `${key}.${field}`,
    schema: own,
    variable: key === 'network' ? variableOf(field) : variableFor(`${key}_${field}`),
    live: !atStart.includes(`${key}.${field}`),
  }));
});

const byName = new Map(fields.map((field) => [field.name, field]));

export function isSection(key: string): key is keyof typeof sections {
  return Object.hasOwn(sections, key);
}

export function isNamedSection(key: string): key is (typeof namedSections)[number] {
  return namedSections.some((section) => section === key);
}

/** A field by its name; undefined for a name that is none. */
export function fieldOf(name: string): Field | undefined {
  const dot = name.indexOf('.');
  const section = name.slice(0, dot);
  if (!isNamedSection(section) || !networkName.test(name.slice(dot + 1))) return byName.get(name);
  return { name, schema: configSchema.shape[section].unwrap().valueType, variable: null, live: true };
}

/** `Unknown field NAME; did you mean ...?` */
export function unknownField(name: string): string {
  if (isNamedSection(name)) return `unknown field; a ${name.slice(0, -1)} is named: ${name}.NAME`;
  if (isSection(name)) return `unknown field; a field of it is named: ${name}.${Object.keys(sections[name].shape)[0]}`;
  return `unknown field${didYouMean(name, [...byName.keys(), ...namedSections])}`;
}

/** The value that a layer's text stands for: lists are separated by commas. Text that fits no kind is left for the schema. */
export function valueOfText({ schema }: Field, text: string): unknown {
  const kind = plainKind(schema);
  if (kind === 'array') return text.split(',').map((one) => one.trim());
  if (kind === 'string' || kind === 'enum') return text;
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? text : number;
}

/** The kind of a value beneath defaults and the like. */
function plainKind({ def }: z.ZodType): string {
  const { innerType } = def as { innerType?: z.ZodType };
  return innerType === undefined ? def.type : plainKind(innerType);
}

function variableFor(path: string): string {
  return `DTESN_BRIDGE_${path.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;
}

/** JSON Schema of the file; `restart: true` marks the fields that are taken at the start. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  for (const { name, live } of fields) {
    if (live) continue;
    const [first = '', second] = name.split('.');
    const own = schema.properties?.[first] as { properties?: Record<string, object>; restart?: boolean };
    Object.assign(second === undefined ? own : own.properties![second]!, { restart: true });
  }
  return schema;
}
