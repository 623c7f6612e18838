/** The table of docs/bridge-configuration.md, written from the schema. */
import { configJsonSchema, fields } from '../../../src/bridge/configuration/index.js';

interface Shape {
  type?: string | string[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  enum?: unknown[];
  anyOf?: Shape[];
  properties?: Record<string, Shape>;
}

export function fieldTable(): string {
  const schema = configJsonSchema() as { properties: Record<string, Shape> };
  const rows = fields.map(({ name, variable, live, schema: own }) => {
    const [first = '', second] = name.split('.');
    const shape = second === undefined ? schema.properties[first]! : schema.properties[first]!.properties![second]!;
    const meaning = own.description ?? '';
    const change = live ? 'while it runs' : 'at the start';
    return `| \`${name}\` | ${[meaning, kindOf(shape)].filter((part) => part !== '').join('; ')} | ${textOf(shape.default)} | \`${variable}\` | ${change} |`;
  });
  for (const section of ['networks', 'models']) {
    const { description } = schema.properties[section]!;
    rows.push(`| \`${section}.NAME\` | ${description} | none | none | while it runs |`);
  }
  return ['| field | value | default | variable | may change |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function kindOf({ type, minimum, maximum, enum: names }: Shape): string {
  if (names !== undefined) return `one of ${names.join(', ')}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return 'a list';
  if (type !== 'integer' && type !== 'number') return '';
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  return `${kind} from ${minimum} to ${maximum}`;
}

function textOf(value: unknown): string {
  return value === undefined ? 'none' : `\`${JSON.stringify(value)}\``;
}
