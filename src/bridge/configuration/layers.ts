/**
 * Layers of values by field, and what they amount to together.
 *
 *     http  over  flag  over  environment  over  file  over  default
 *
 * `flag` is also what a program gives. `http` holds what was changed while the bridge runs; a reload takes from it the fields that
 * the file names (configuration.ts). The value of a field is that of the highest layer that sets it.
 */
import type { z } from 'zod';
import { fieldOf, fields, isNamedSection, isSection, unknownField } from './fields.js';
import { type BridgeConfig, configSchema } from './schema.js';

/** Values by the names of fields. */
export type Layer = ReadonlyMap<string, unknown>;

/** The layers from the highest to the lowest. */
export const layerNames = ['http', 'flag', 'environment', 'file'] as const;
export type LayerName = (typeof layerNames)[number];
export type Layers = Readonly<Record<LayerName, Layer>>;
export type Origin = LayerName | 'default';

/** What is wrong with one field. */
export interface FieldError {
  field: string;
  code: 'unknown_field' | 'malformed' | 'impossible';
  message: string;
}

export interface Resolved {
  layers: Layers;
  config: BridgeConfig;
  /** Of every field that has a value. */
  values: Layer;
  /** Of every field. */
  origins: ReadonlyMap<string, Origin>;
}

export const emptyLayer: Layer = new Map();

/** The fields of a nested object; undefined ones are not set. */
export function layerOf(nested: object): Map<string, unknown> {
  const layer = new Map<string, unknown>();
  const set = (name: string, value: unknown) => value !== undefined && layer.set(name, value);
  for (const [key, value] of Object.entries(nested)) {
    const isNested = (isSection(key) || isNamedSection(key)) && isObject(value);
    if (!isNested) set(key, value);
    else for (const [name, one] of Object.entries(value)) set(`${key}.${name}`, one);
  }
  return layer;
}

/** The nested object of fields. */
export function nestedOf(layer: Layer): Record<string, unknown> {
  const nested: Record<string, unknown> = {};
  for (const [name, value] of layer) {
    const dot = name.indexOf('.');
    if (dot < 0) {
      nested[name] = value;
      continue;
    }
    const section = name.slice(0, dot);
    nested[section] ??= Object.create(null);
    (nested[section] as Record<string, unknown>)[name.slice(dot + 1)] = value;
  }
  return nested;
}

/** What is wrong with the fields of one layer, each by itself. */
export function layerErrors(layer: Layer): FieldError[] {
  return [...layer].flatMap(([name, value]): FieldError[] => {
    if (isSection(name) || isNamedSection(name))
      return [{ field: name, code: 'malformed', message: 'expected an object' }];
    const field = fieldOf(name);
    if (field === undefined) return [{ field: name, code: 'unknown_field', message: unknownField(name) }];
    const result = field.schema.safeParse(value);
    return result.success ? [] : [errorOf(name, field.schema, result.error)];
  });
}

/** The configuration of layers whose fields were checked. */
export function resolve(layers: Layers): Resolved {
  const values = new Map<string, unknown>();
  const origins = new Map<string, Origin>(fields.map(({ name }) => [name, 'default']));
  for (const name of [...layerNames].reverse()) {
    for (const [field, value] of layers[name]) {
      values.set(field, value);
      origins.set(field, name);
    }
  }
  const config = configSchema.parse(nestedOf(values));
  return { layers, config, values: layerOf(config), origins };
}

function errorOf(field: string, schema: z.ZodType, error: z.ZodError): FieldError {
  const [issue] = error.issues;
  const place = (issue?.path ?? []).map(String).join('.');
  const expected = schema.description ?? '';
  const reason = [place, issue?.message ?? 'another value was expected'].filter((part) => part !== '').join(': ');
  return { field, code: 'malformed', message: expected === '' ? reason : `${reason} (${expected})` };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values of a field are the same JSON. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
