/**
 * Schemas as the package exports them: without the library that they are made with, so that a program needs none to compile.
 * They follow Standard Schema 1, so that other libraries take them too.
 */
import type { z } from 'zod';

/** A schema of the package: it checks a value of unknown origin, and fills in defaults. Follows Standard Schema 1. */
export interface Schema<Output> {
  /** The value, with the defaults of what it leaves out. Errors: a SchemaError with everything that is wrong. */
  parse(value: unknown): Output;
  /** As parse; the error is returned. */
  safeParse(value: unknown): SchemaResult<Output>;
  /** The schema as JSON Schema, draft 2020-12. */
  toJSONSchema(): object;
  readonly '~standard': StandardSchema<Output>;
}

/** What safeParse returns: the checked value, or the error with everything that is wrong. */
export type SchemaResult<Output> =
  | { success: true; data: Output; error?: undefined }
  | { success: false; data?: undefined; error: SchemaError };

/** Everything that is wrong with a value. */
export interface SchemaError extends Error {
  readonly issues: readonly SchemaIssue[];
}

/** One mistake in a value, and where it is. */
export interface SchemaIssue {
  /** What kind of mistake it is: `invalid_type`, `too_small`, ... */
  readonly code?: string | undefined;
  /** Where in the value. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The interface that other validation libraries take. Source: Standard Schema 1, https://standardschema.dev. */
export interface StandardSchema<Output> {
  readonly version: 1;
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
}

/** What `validate` of a Standard Schema returns: the checked value, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One mistake of a Standard Schema, and where it is. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema to export; `made` gives the one of zod when it is first used. */
export function schemaOf<Output>(made: () => z.ZodType<Output>): Schema<Output> {
  return {
    parse: (value) => made().parse(value),
    safeParse: (value) => made().safeParse(value),
    toJSONSchema: () => made().toJSONSchema(),
    get '~standard'() {
      return made()['~standard'];
    },
  };
}
