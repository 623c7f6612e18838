/**
 * What fields ask of each other. The rule of the network refuses what the file and HTTP set; of flags, program and environment it
 * warns alone: small networks set by flag or environment are taken as intended.
 *
 *     network.units >= 32 network.depth        fewer leave membranes of a few units, whose states say little
 *     tlsCert and tlsKey together              whoever sets them: one alone would listen without TLS
 *     models and networks of other names       sessions name both alike
 */
import type { FieldError, Origin, Resolved } from './layers.js';

const unitsALevel = 32;

interface Rule {
  fields: readonly [string, string];
  /** What is wrong, or null. */
  broken: (config: Resolved['config']) => string | null;
  /** Whether it warns alone where neither the file nor HTTP sets one of the fields. */
  mild: boolean;
}

const rules: readonly Rule[] = [
  {
    fields: ['network.units', 'network.depth'],
    broken: ({ network: { units, depth } }) =>
      units >= unitsALevel * depth
        ? null
        : `expected at least ${unitsALevel} units a level, ${unitsALevel * depth} for a depth of ${depth}, but received ${units}`,
    mild: true,
  },
  {
    fields: ['tlsCert', 'tlsKey'],
    broken: ({ tlsCert, tlsKey }) =>
      (tlsCert === undefined) === (tlsKey === undefined) ? null : 'expected both tlsCert and tlsKey, or neither',
    mild: false,
  },
  {
    fields: ['models', 'networks'],
    broken: ({ models, networks }) => {
      const twice = Object.keys(models).find((name) => Object.hasOwn(networks, name));
      return twice === undefined ? null : `expected a name that no network has but received ${twice}`;
    },
    mild: false,
  },
];

const strict: readonly (Origin | undefined)[] = ['http', 'file'];

export function brokenRules({ config, origins }: Resolved): { errors: FieldError[]; warnings: FieldError[] } {
  const errors: FieldError[] = [];
  const warnings: FieldError[] = [];
  for (const { fields, broken, mild } of rules) {
    const message = broken(config);
    if (message === null) continue;
    const isStrict = !mild || fields.some((field) => strict.includes(origins.get(field)));
    (isStrict ? errors : warnings).push({ field: fields[0], code: 'impossible', message });
  }
  return { errors, warnings };
}
