/**
 * Schemas as the package exports them: without the library that they are made with, so that a program needs none to compile.
 * They follow Standard Schema 1, so that other libraries take them too.
 */
import type { z } from 'zod';

export interface Schema<Output> {
  /** The value, with the defaults of what it leaves out. Errors: a SchemaError with everything that is wrong. */
  parse(value: unknown): Output;
  /** As parse; the error is returned. */
  safeParse(value: unknown): SchemaResult<Output>;
  /** The schema as JSON Schema, draft 2020-12. */
  toJSONSchema(): object;
  readonly '~standard': StandardSchema<Output>;
}

export type SchemaResult<Output> =
  | { success: true; data: Output; error?: undefined }
  | { success: false; data?: undefined; error: SchemaError };

export interface SchemaError extends Error {
  readonly issues: readonly SchemaIssue[];
}

export interface SchemaIssue {
  /** What kind of mistake it is: `invalid_type`, `too_small`, ... */
  readonly code?: string | undefined;
  /** Where in the value. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** https://standardschema.dev */
export interface StandardSchema<Output> {
  readonly version: 1;
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

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
